//   graph (x, w = 1.5)                              graph (x)
//   Constant -> c;  Transpose(c) -> d        -->    initializers: w, c, d
//   MatMul(x, d) -> y                               MatMul(x, d) -> y
#include "ocs/passes/lift_constants.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/passes/compute_constant.h"
#include "ocs/passes/constant_floats.h"

namespace ocs {
namespace {

void drop_default_inputs(Model& model, std::vector<Note>& notes) {
  onnx::GraphProto& graph = model.graph();
  std::set<std::string> names;
  for (const auto& tensor : graph.initializer()) names.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) names.insert(tensor.values().name());
  auto* inputs = graph.mutable_input();
  int kept = 0;
  for (int i = 0; i < inputs->size(); ++i) {
    if (names.contains(inputs->Get(i).name())) continue;
    if (kept != i) inputs->SwapElements(kept, i);
    ++kept;
  }
  const int gone = inputs->size() - kept;
  inputs->DeleteSubrange(kept, gone);
  constexpr std::int64_t initializers_alone = 4;  // the IR version that allows them
  if (model.proto().ir_version() < initializers_alone)
    model.proto().set_ir_version(initializers_alone);
  if (gone > 0)
    notes.push_back({.text = fmt::format("{} graph inputs with a value are constants now", gone)});
}

}  // namespace

PassResult lift_constants(Model model) {
  std::vector<Note> notes;
  drop_default_inputs(model, notes);
  onnx::GraphProto& graph = model.graph();
  std::set<std::string> outputs;
  for (const auto& output : graph.output()) outputs.insert(output.name());
  std::unordered_map<std::string, int> constants;  // name -> index in graph.initializer()
  for (int i = 0; i < graph.initializer_size(); ++i) constants[graph.initializer(i).name()] = i;
  const FindConstant find = [&](const std::string& name) {
    const auto found = constants.find(name);
    return found == constants.end() ? nullptr : &graph.initializer(found->second);
  };
  auto* nodes = graph.mutable_node();
  int kept = 0;
  for (int i = 0; i < nodes->size(); ++i) {
    const onnx::NodeProto& node = nodes->Get(i);
    std::optional<onnx::TensorProto> value;
    if (node.output_size() == 1 && !outputs.contains(node.output(0)) &&
        !constants.contains(node.output(0)))
      value = compute_constant(node, find, folder_of(model));
    if (!value) {
      if (kept != i) nodes->SwapElements(kept, i);
      ++kept;
      continue;
    }
    constants[value->name()] = graph.initializer_size();
    if (node.op_type() != "Constant")
      notes.push_back({.node = node.name(), .text = node.op_type() + " of a constant is computed"});
    *graph.add_initializer() = std::move(*value);
  }
  nodes->DeleteSubrange(kept, nodes->size() - kept);
  return {std::move(model), std::move(notes)};
}

}  // namespace ocs
