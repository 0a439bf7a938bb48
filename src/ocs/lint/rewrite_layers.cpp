// What becomes of layers before they are looked at: float weights and biases quantized, the bias of a MatMul made part of it.
#include <algorithm>

#include "ocs/graph/graph.h"
#include "ocs/lint/rewrite_steps.h"

namespace ocs {
namespace {

constexpr std::int32_t type_float = 1;
constexpr std::int32_t type_int8 = 3;
constexpr std::int32_t type_int32 = 6;

bool leads_to_quantize(const WorkingGraph& graph, const Step& step) {
  const Step* current = &step;
  while (true) {
    if (current->outputs.size() != 1 || graph.readers(current->outputs.front()).size() != 1)
      return false;
    current = &graph.step(graph.readers(current->outputs.front()).front().step);
    if (current->is_quantize()) return true;
    if (current->op != "Relu" && current->op != "Clip") return false;
  }
}

void add_constant_dequantize(WorkingGraph& graph, Edge edge, std::int32_t type) {
  const std::string base = graph.step(edge.step).inputs[edge.input];
  const std::string stored = graph.fresh_value(base);
  const std::string result = graph.fresh_value(base);
  if (type == type_int8)
    graph.add_quantized_constant(stored, graph.constant(base));
  else
    graph.add_constant(stored);
  graph.add(
      {.op = "DequantizeLinear",
       .inputs = {stored},
       .outputs = {result},
       .quantizer = {.type = type, .has_one_scale = true, .has_zero_point = true, .scale = 1}});
  graph.connect(edge, result);
}

// Weights and biases that are float where the data are not: the engine quantizes them itself.
bool quantize_float_weights_of(WorkingGraph& graph, std::size_t index) {
  const Step step = graph.step(index);
  const auto dequantize = [&](std::size_t input) -> const Step* {
    const Step* source = input < step.inputs.size() ? graph.producer(step.inputs[input]) : nullptr;
    return source != nullptr && source->is_dequantize() ? source : nullptr;
  };
  const Step* data = dequantize(0);
  if (data == nullptr || !data->quantizer.has_one_scale || !leads_to_quantize(graph, step))
    return false;
  const Step* weight = dequantize(1);
  const onnx::TensorProto* stored = graph.constant(step.inputs[1]);
  if (weight == nullptr && (stored == nullptr || stored->data_type() != type_float)) return false;
  const bool has_bias = step.inputs.size() > 2 && !step.inputs[2].empty();
  const onnx::TensorProto* bias = has_bias ? graph.constant(step.inputs[2]) : nullptr;
  if (has_bias ? bias == nullptr || bias->dims_size() != 1 : weight != nullptr) return false;
  // The engine does not work out the product of a scale of shape [1] and one of shape [] ahead of time.
  if (has_bias && !data->quantizer.scale_shape.empty() &&
      (weight == nullptr || weight->quantizer.scale_shape.empty()))
    return false;
  if (weight != nullptr && !weight->quantizer.has_one_scale) {
    const Quantizer& rows = weight->quantizer;
    if (rows.scale_shape.size() != 1 || rows.scale_shape.front() != bias->dims(0) ||
        rows.block_size != 0)
      return false;
    const bool is_transposed = step.op != "Gemm" || int_attribute(*step.node, "transB", 0) != 0;
    const onnx::TensorProto* integers = graph.constant(weight->inputs.front());
    const std::int64_t rank = integers == nullptr ? 0 : integers->dims_size();
    if ((rows.axis < 0 ? rows.axis + rank : rows.axis) != (is_transposed ? 0 : 1)) return false;
  }
  if (weight == nullptr) add_constant_dequantize(graph, {index, 1}, type_int8);
  if (has_bias) add_constant_dequantize(graph, {index, 2}, type_int32);
  return true;
}

// Whether the engine adds this value as the bias of a Gemm: a vector, or a row, with a value for each column. Data that are no matrix are
// made one, which takes extents that are fixed.
bool is_bias_of(const KnownShapes& shapes, const Step& matmul, const std::string& bias) {
  const auto data = shapes.find(matmul.inputs[0]);
  const auto weight = shapes.find(matmul.inputs[1]);
  const auto addend = shapes.find(bias);
  if (data == shapes.end() || weight == shapes.end() || addend == shapes.end() ||
      weight->second.size() != 2)
    return false;
  const std::int64_t columns = weight->second.back();
  const Shape& extents = addend->second;
  if (extents.empty() || extents.back() != columns) return false;
  if (data->second.size() == 2)
    return extents.size() == 1 ||
           (extents.size() == 2 &&
            (extents.front() == 1 || extents.front() == data->second.front()));
  return extents.size() == 1 && std::ranges::find(data->second, -1) == data->second.end();
}

}  // namespace

bool quantize_float_weights(WorkingGraph& graph) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step& step = graph.step(i);
    if (step.gone || step.node == nullptr || step.inputs.size() < 2) continue;
    if (step.op == "Conv" || step.op == "ConvTranspose" || step.op == "Gemm")
      changed = quantize_float_weights_of(graph, i) || changed;
  }
  return changed;
}

bool fuse_bias_of_matmul(WorkingGraph& graph, const KnownShapes& shapes, AbsorbedNodes& absorbed) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step step = graph.step(i);
    if (step.gone || step.op != "MatMul" || !is_only_inner(graph, step.outputs.front())) continue;
    const Edge behind = graph.readers(step.outputs.front()).front();
    const Step add = graph.step(behind.step);
    if (add.op != "Add") continue;
    const std::string bias = add.inputs[behind.input == 0 ? 1 : 0];
    if (!is_bias_of(shapes, step, bias)) continue;
    Step gemm{.op = "Gemm",
              .node = step.node,
              .inputs = {step.inputs[0], step.inputs[1], bias},
              .outputs = add.outputs};
    const bool is_matrix = shapes.find(step.inputs[0])->second.size() == 2;
    graph.remove(i);
    graph.remove(behind.step);
    if (!is_matrix) {
      const std::string data = graph.fresh_value(step.inputs[0]);
      const std::string result = graph.fresh_value(add.outputs[0]);
      graph.add({.op = "Reshape", .inputs = {step.inputs[0]}, .outputs = {data}});
      graph.add({.op = "Reshape", .inputs = {result}, .outputs = add.outputs});
      gemm.inputs[0] = data;
      gemm.outputs = {result};
    }
    const std::size_t index = graph.add(std::move(gemm));
    absorbed[step.node] = {.step = index};
    absorbed[add.node] = {.step = index};
    changed = true;
  }
  return changed;
}

bool fuse_relu_and_clip(WorkingGraph& graph, AbsorbedNodes& absorbed) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step relu = graph.step(i);
    if (relu.gone || relu.op != "Relu" || !is_only_inner(graph, relu.outputs.front())) continue;
    const Edge behind = graph.readers(relu.outputs.front()).front();
    ClipBounds bounds;
    if (graph.step(behind.step).op != "Clip" || behind.input != 0 ||
        !read_bounds(graph, graph.step(behind.step), bounds))
      continue;
    absorbed[relu.node] = {.step = behind.step};
    graph.take_relu_in(behind.step);
    graph.connect(behind, relu.inputs.front());
    graph.remove(i);
    changed = true;
  }
  return changed;
}

}  // namespace ocs
