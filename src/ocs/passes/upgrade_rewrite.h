// What a rule of upgrade_opset works with: one node of a graph, of a body or of a function, what is
// known of its values, and the means to put constants and nodes around it.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/tensor.h"
#include "ocs/graph/model.h"
#include "ocs/passes/value_facts.h"

namespace ocs {

// A list of nodes that is being rewritten.
struct RewriteScope {
  Model* model = nullptr;
  bool is_main_graph = false;     // constants become initializers; elsewhere Constant nodes
  ValueFacts facts{};             // as they were before this opset's rules
  std::set<std::string> read{};   // names that a node, a body or an output of the list reads
  std::set<std::string> taken{};  // names that a new name must not have, beside the model's own
  std::map<std::string, std::string> constants{};  // content -> name of what was made here already
};

// Ends the run: Error(unsupported) naming node, operator and opset.
[[noreturn]] void refuse_upgrade(const onnx::NodeProto& node, int version, std::string_view reason);

class Rewrite {
 public:
  Rewrite(RewriteScope& scope, onnx::NodeProto& node, int version)
      : scope_(&scope), node_(&node), version_(version) {}

  [[nodiscard]] onnx::NodeProto& node() { return *node_; }
  // "" where the node does not have that many inputs.
  [[nodiscard]] std::string input(int index) const;
  [[nodiscard]] int element_type(int input) const;
  [[nodiscard]] std::optional<int> rank(int input) const;
  // nullptr where the input is not a small constant.
  [[nodiscard]] const Tensor* constant(int input) const;
  [[nodiscard]] bool is_read(int output) const;

  // Inputs before `index` that are absent become "".
  void set_input(int index, const std::string& value);
  void set_string(const std::string& name, const std::string& value);

  // Names of constants; `role` goes into the name. Equal constants of one scope are made once.
  [[nodiscard]] std::string floats(std::string_view role, const std::vector<float>& values);
  [[nodiscard]] std::string ints(std::string_view role, const std::vector<std::int64_t>& values);
  [[nodiscard]] std::string int_scalar(std::string_view role, std::int64_t value);
  // A scalar of the type of the node's `input`; float where that is not known.
  [[nodiscard]] std::string scalar_like(int input, std::string_view role, float value);

  // A node with one new output, in front of the node: put in the order of the calls.
  onnx::NodeProto& before(std::string_view op_type, const std::vector<std::string>& inputs);
  // A node behind the node that takes over its first output; its first input is the node's new
  // output, `more_inputs` follow.
  onnx::NodeProto& after(std::string_view op_type, const std::vector<std::string>& more_inputs);

  [[noreturn]] void refuse(std::string_view reason) const {
    refuse_upgrade(*node_, version_, reason);
  }

  [[nodiscard]] std::list<onnx::NodeProto>& nodes_before() { return before_; }
  [[nodiscard]] std::list<onnx::NodeProto>& nodes_behind() { return behind_; }

 private:
  [[nodiscard]] std::string constant_tensor(std::string_view role, const Tensor& tensor);
  [[nodiscard]] std::string name_for(std::string_view role) const;
  [[nodiscard]] onnx::NodeProto make(std::string_view op_type,
                                     const std::vector<std::string>& inputs) const;

  RewriteScope* scope_;
  onnx::NodeProto* node_;
  int version_;
  std::list<onnx::NodeProto> before_;  // a list: references to its nodes stay valid
  std::list<onnx::NodeProto> behind_;
};

}  // namespace ocs
