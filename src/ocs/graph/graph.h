// Read-only index of one model: built, used, dropped before the edit. Findings hold names, never
// pointers. What runs over nodes and values is the main graph's; a node or an initializer is found
// by its name in bodies too (those of the main graph first; passes/name_values makes names unique).
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/graph/model.h"

namespace ocs {

struct Use {
  std::size_t node = 0;  // index in graph().node()
  int input = 0;         // which input; -1: captured by a body (If, Loop, Scan) of the node
  bool operator==(const Use&) const = default;
};

class Graph {
 public:
  explicit Graph(const Model& model);
  explicit Graph(Model&&) = delete;  // an index must not outlive its model

  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const onnx::NodeProto& node(std::size_t index) const {
    return model_->graph().node(static_cast<int>(index));
  }
  [[nodiscard]] std::size_t node_count() const {
    return static_cast<std::size_t>(model_->graph().node_size());
  }
  // Also of bodies. nullptr: none.
  [[nodiscard]] const onnx::NodeProto* node_named(std::string_view name) const;
  // The node of the main graph that writes `value`; nullptr for graph inputs, initializers and unknown names.
  [[nodiscard]] const onnx::NodeProto* producer(std::string_view value) const;
  [[nodiscard]] std::span<const Use> uses(
      std::string_view value) const;  // graph outputs do not count
  [[nodiscard]] bool is_graph_output(std::string_view value) const;
  [[nodiscard]] bool is_graph_input(std::string_view value) const;  // initializers do not count
  // Also of bodies. nullptr: none.
  [[nodiscard]] const onnx::TensorProto* initializer(std::string_view name) const;
  // The single node that reads `value`, where nothing else does (no second use, no capture, not a
  // graph output); nullptr otherwise.
  [[nodiscard]] const onnx::NodeProto* only_consumer(std::string_view value) const;

 private:
  const Model* model_;
  std::map<std::string, std::size_t, std::less<>> producers_;
  std::map<std::string, const onnx::NodeProto*, std::less<>> nodes_;
  std::map<std::string, std::vector<Use>, std::less<>> uses_;
  std::map<std::string, const onnx::TensorProto*, std::less<>> initializers_;
  std::vector<std::string> inputs_;   // sorted
  std::vector<std::string> outputs_;  // sorted
};

// Attributes with ONNX's defaults (ints: none where absent). Throw Error(bad_input) naming node and
// attribute where it has another type.
[[nodiscard]] const onnx::AttributeProto* attribute(const onnx::NodeProto& node,
                                                    std::string_view name);
[[nodiscard]] std::int64_t int_attribute(const onnx::NodeProto& node, std::string_view name,
                                         std::int64_t fallback);
[[nodiscard]] float float_attribute(const onnx::NodeProto& node, std::string_view name,
                                    float fallback);
[[nodiscard]] std::vector<std::int64_t> ints_attribute(const onnx::NodeProto& node,
                                                       std::string_view name);
[[nodiscard]] std::string string_attribute(const onnx::NodeProto& node, std::string_view name,
                                           std::string_view fallback);
[[nodiscard]] bool has_body(const onnx::NodeProto& node);  // If, Loop, Scan, ...: holds a graph
[[nodiscard]] bool in_default_domain(const onnx::NodeProto& node);  // "" or "ai.onnx"

}  // namespace ocs
