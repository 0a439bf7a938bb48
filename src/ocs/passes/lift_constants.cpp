//   graph (x, w = 1.5)                              graph (x)
//   Constant -> c;  Transpose(c) -> d        -->    initializers: w, c, d
//   MatMul(x, d) -> y                               MatMul(x, d) -> y
#include "ocs/passes/lift_constants.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/walk.h"
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

bool is_repeated(const onnx::NodeProto& holder) {
  return in_default_domain(holder) && (holder.op_type() == "Loop" || holder.op_type() == "Scan");
}

class Lifter {
 public:
  Lifter(Model& model, std::vector<Note>& notes) : model_(model), notes_(notes) {}

  void lift() {
    lift(model_.graph(), model_.graph());
    if (!same_.empty()) replace_uses(model_, same_);
  }

 private:
  struct Constant {
    const onnx::TensorProto* tensor = nullptr;
    onnx::GraphProto* home = nullptr;  // the graph whose initializer it is
  };

  struct Computed {
    const onnx::TensorProto* tensor = nullptr;
    const onnx::GraphProto* by = nullptr;  // the graph that held the node
  };

  // `home`: where the constants of `graph` go. Not the body of a Loop or a Scan, which runs many times: what
  // is done to a constant later is done once outside of it.
  void lift(onnx::GraphProto& graph, onnx::GraphProto& home) {
    take_initializers(graph, home);
    std::set<std::string> outputs;
    for (const auto& output : graph.output()) outputs.insert(output.name());
    auto* nodes = graph.mutable_node();
    int kept = 0;
    for (int i = 0; i < nodes->size(); ++i) {
      onnx::NodeProto& node = *nodes->Mutable(i);
      for_each_body(node,
                    [&](onnx::GraphProto& body) { lift(body, is_repeated(node) ? home : body); });
      if (lifts(node, graph, &home, outputs)) continue;
      if (kept != i) nodes->SwapElements(kept, i);
      ++kept;
    }
    nodes->DeleteSubrange(kept, nodes->size() - kept);
  }

  void take_initializers(onnx::GraphProto& graph, onnx::GraphProto& home) {
    std::set<std::string> inputs;  // of a body of the first IR versions, with a default
    if (&graph != &home)
      for (const auto& input : graph.input()) inputs.insert(input.name());
    auto* tensors = graph.mutable_initializer();
    int kept = 0;
    for (int i = 0; i < tensors->size(); ++i) {
      const bool stays = &graph == &home || inputs.contains(tensors->Get(i).name());
      if (stays) {
        if (kept != i) tensors->SwapElements(kept, i);
        ++kept;
      } else {
        onnx::TensorProto& moved = *home.add_initializer();
        moved.Swap(tensors->Mutable(i));
        constants_[moved.name()] = {.tensor = &moved, .home = &home};
      }
    }
    tensors->DeleteSubrange(kept, tensors->size() - kept);
    for (const auto& tensor : *tensors)
      if (!inputs.contains(tensor.name()))
        constants_[tensor.name()] = {.tensor = &tensor, .home = &home};
  }

  // Whether the node has become an initializer. What is computed from one lies beside it, not
  // further in, where every branch would have its own.
  bool lifts(const onnx::NodeProto& node, const onnx::GraphProto& graph, onnx::GraphProto* home,
             const std::set<std::string>& outputs) {
    if (node.output_size() != 1 || outputs.contains(node.output(0)) ||
        constants_.contains(node.output(0)))
      return false;
    const FindConstant find = [&](const std::string& name) {
      const auto found = constants_.find(name);
      return found == constants_.end() ? nullptr : found->second.tensor;
    };
    std::optional<onnx::TensorProto> value = compute_constant(node, find, folder_of(model_));
    if (!value) return false;
    if (node.op_type() != "Constant") {
      notes_.push_back(
          {.node = node.name(), .text = node.op_type() + " of a constant is computed"});
      home = constants_.at(node.input(0)).home;
    }
    const bool is_computed = node.op_type() != "Constant" && node.op_type() != "ConstantOfShape";
    if (is_computed && is_known(*value, graph, home)) return true;
    onnx::TensorProto& added = *home->add_initializer();
    added = std::move(*value);
    constants_[added.name()] = {.tensor = &added, .home = home};
    if (is_computed)
      computed_.emplace(std::hash<std::string>{}(added.raw_data()), Computed{&added, &graph});
    return true;
  }

  // The same computation in two branches of an If gives one tensor.
  bool is_known(const onnx::TensorProto& value, const onnx::GraphProto& graph,
                const onnx::GraphProto* home) {
    const auto [first, last] = computed_.equal_range(std::hash<std::string>{}(value.raw_data()));
    for (auto entry = first; entry != last; ++entry) {
      const onnx::TensorProto& other = *entry->second.tensor;
      const Constant& constant = constants_.at(other.name());
      if (entry->second.by == &graph || constant.home != home ||
          other.raw_data() != value.raw_data() || other.data_type() != value.data_type() ||
          value.raw_data().empty() || !std::ranges::equal(other.dims(), value.dims()))
        continue;
      same_[value.name()] = other.name();
      constants_[value.name()] = constant;
      return true;
    }
    return false;
  }

  Model& model_;
  std::vector<Note>& notes_;
  std::unordered_map<std::string, Constant> constants_{};  // by name, which is one in all graphs
  std::unordered_multimap<std::size_t, Computed> computed_{};  // by hash
  std::map<std::string, std::string> same_{};  // what is not written -> what it equals
};

}  // namespace

PassResult lift_constants(Model model) {
  std::vector<Note> notes;
  drop_default_inputs(model, notes);
  Lifter(model, notes).lift();
  return {std::move(model), std::move(notes)};
}

}  // namespace ocs
