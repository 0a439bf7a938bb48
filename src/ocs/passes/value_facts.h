// What can be told of the values of a graph without running it: element types, ranks, and small
// constants. A forward walk over the standard operators; what it cannot tell stays unknown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"

namespace ocs {

struct ValueFact {
  int element_type = onnx::TensorProto::UNDEFINED;  // of onnx::TensorProto::DataType
  std::optional<int> rank{};
};

// Owns what it found: valid after the graph was edited, then of the graph as it was.
class ValueFacts {
 public:
  ValueFacts() = default;
  // `outer`: the facts of the graph around a body, which must outlive this; nullptr for the main
  // graph. Nodes must be in topological order. Does not look into bodies of its nodes.
  explicit ValueFacts(const onnx::GraphProto& graph, const ValueFacts* outer = nullptr);
  explicit ValueFacts(const onnx::FunctionProto& function);

  [[nodiscard]] ValueFact fact(std::string_view value) const;
  [[nodiscard]] int element_type(std::string_view value) const { return fact(value).element_type; }
  [[nodiscard]] std::optional<int> rank(std::string_view value) const { return fact(value).rank; }
  // The value of an initializer or a Constant node of at most 64 elements of float or integer type;
  // nullptr otherwise.
  [[nodiscard]] const Tensor* constant(std::string_view value) const;

 private:
  void add_declared(const onnx::ValueInfoProto& info);
  void add_tensor(const std::string& name, const onnx::TensorProto& tensor);
  void add_node(const onnx::NodeProto& node);
  [[nodiscard]] std::optional<std::int64_t> constant_length(const onnx::NodeProto& node,
                                                            int input) const;
  [[nodiscard]] int output_type(const onnx::NodeProto& node, int output) const;
  [[nodiscard]] std::optional<int> output_rank(const onnx::NodeProto& node) const;
  [[nodiscard]] std::optional<int> axes_count(const onnx::NodeProto& node) const;

  const ValueFacts* outer_ = nullptr;
  std::map<std::string, ValueFact, std::less<>> facts_;
  std::map<std::string, Tensor, std::less<>> constants_;
};

}  // namespace ocs
