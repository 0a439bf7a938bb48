#include "ocs/export/widen_recurrent.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/plan/hidden_units.h"

namespace ocs {
namespace {

// Inputs that hold something for each hidden unit, and on which axis. R is not among them: its layer
// is the one that is split. The lengths of the sequences know no units.
struct UnitInput {
  int input = 0;
  int axis = 0;
};
constexpr int input_weight = 1;
constexpr std::array unit_inputs{
    UnitInput{.input = input_weight, .axis = 1},  // W [directions, gates * hidden, inputs]
    UnitInput{.input = 3, .axis = 1},             // B [directions, 2 * gates * hidden]
    UnitInput{.input = 5, .axis = 2},             // initial_h [directions, batch, hidden]
    UnitInput{.input = 6, .axis = 2},             // initial_c, LSTM
    UnitInput{.input = 7, .axis = 1},             // P [directions, 3 * hidden], LSTM
};

// Entries `indices` of an axis, of a constant.
Tensor take(const Tensor& tensor, std::size_t axis, const std::vector<std::int64_t>& indices) {
  const std::int64_t inner = element_count(std::span(tensor.shape).subspan(axis + 1));
  const std::int64_t outer = element_count(std::span(tensor.shape).first(axis));
  const std::int64_t extent = tensor.shape[axis];
  const std::span<const float> from = tensor.as<float>();
  std::vector<float> taken;
  taken.reserve(static_cast<std::size_t>(outer * inner) * indices.size());
  for (std::int64_t block = 0; block < outer; ++block)
    for (const std::int64_t index : indices) {
      const auto begin = from.begin() + (block * extent + index) * inner;
      taken.insert(taken.end(), begin, begin + inner);
    }
  Shape shape = tensor.shape;
  shape[axis] = static_cast<std::int64_t>(indices.size());
  return {.shape = std::move(shape), .values = std::move(taken)};
}

Tensor row(std::vector<std::int64_t> values) {
  Tensor tensor{.shape = {static_cast<std::int64_t>(values.size())}};
  tensor.values = std::move(values);
  return tensor;
}

// Blocks of an input whose extent no initializer tells: from the shapes above.
std::int64_t blocks_of(const onnx::NodeProto& node, int input) {
  const std::int64_t gates = node.op_type() == "LSTM" ? 4 : node.op_type() == "GRU" ? 3 : 1;
  if (input == 3) return 2 * gates;
  return input == 7 ? 3 : 1;
}

}  // namespace

void widen_recurrent(const Graph& graph, Model& out, onnx::GraphProto& place, onnx::NodeProto& node,
                     const LayerPlan& hidden) {
  const std::size_t size = hidden.copies.size();
  for (const UnitInput& held : unit_inputs) {
    if (held.input >= node.input_size() || node.input(held.input).empty()) continue;
    const std::string value = node.input(held.input);
    if (graph.initializer(value) != nullptr) {
      const Tensor tensor = read_tensor(graph, value);
      const auto axis = static_cast<std::size_t>(held.axis);
      if (axis >= tensor.shape.size())
        throw_bad_input("node '" + hidden.node + "': '" + value + "' has too few axes");
      const auto indices = repeat_units(tensor.shape[axis], size, hidden.inputs);
      node.set_input(held.input,
                     add_initializer(out, value + "_units", take(tensor, axis, indices)));
    } else if (held.input != input_weight) {  // else quantized: its plan has the rows
      const std::int64_t extent = blocks_of(node, held.input) * static_cast<std::int64_t>(size);
      const std::string indices =
          add_initializer(out, value + "_units", row(repeat_units(extent, size, hidden.inputs)));
      const std::string gathered = out.unique_name(value + "_units_Gather_Output");
      set_attribute(
          add_node(out, place, "Gather", value + "_units_Gather", {value, indices}, {gathered}),
          "axis", std::int64_t{held.axis});
      node.set_input(held.input, gathered);
    }
  }
  set_attribute(node, "hidden_size", static_cast<std::int64_t>(hidden.inputs.size()));

  const std::string begin = add_initializer(out, hidden.node + "_first_unit", row({0}));
  const std::string end =
      add_initializer(out, hidden.node + "_unit_count", row({static_cast<std::int64_t>(size)}));
  const std::string axes = add_initializer(out, hidden.node + "_unit_axis", row({-1}));
  for (std::string& output : *node.mutable_output()) {
    if (output.empty()) continue;
    const std::string value = output;
    output = out.unique_name(value + "_units");
    const std::string wide = output;
    add_node(out, place, "Slice", value + "_units_Slice", {wide, begin, end, axes}, {value});
  }
}

}  // namespace ocs
