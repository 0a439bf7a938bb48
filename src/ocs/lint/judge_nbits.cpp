// MatMulNBits: products of float data and quantized weights.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/lint/judge.h"

namespace ocs {
namespace {

// What keeps a Gemm from being a product and a bias; "": nothing.
std::string why_no_plain_gemm(const JudgeInput& input, const Step& step,
                              const onnx::TensorProto& weights) {
  if (int_attribute(*step.node, "transB", 0) != 0) return "its weights are stored transposed";
  if (int_attribute(*step.node, "transA", 0) != 0) return "its data are transposed";
  if (float_attribute(*step.node, "alpha", 1.0F) != 1.0F) return "alpha is not 1";
  if (!step.has_input(2)) return "";
  if (float_attribute(*step.node, "beta", 1.0F) != 1.0F) return "beta is not 1";
  const Shape* bias = input.graph.stated_shape(step.inputs[2]);
  const bool is_other = bias != nullptr && (bias->size() != 1 || bias->front() != weights.dims(1));
  return input.graph.is_constant(step.inputs[2]) && is_other
             ? "its bias is no vector with a value for each column"
             : "";
}

// Float data and quantized weights: what keeps MatMulNBits from them.
Verdict judge_nbits(const JudgeInput& input, const Step& step, const Step& weight) {
  const auto refuse = [](std::string why) { return Verdict{LintRule::nbits_form, std::move(why)}; };
  const Quantizer& grid = weight.quantizer;
  const std::string& stored = weight.inputs.front();
  const onnx::TensorProto* integers = input.graph.constant(stored);
  if (integers == nullptr || !grid.is_constant)
    return refuse("its weights or their scales are computed");
  if (integers->dims_size() != 2) return refuse("its weights are no matrix");
  if (input.graph.readers(stored).size() > 1)
    return refuse("its weights have other readers as well");
  if (input.graph.is_shared(weight.inputs[1]))
    return refuse(fmt::format(
        "its scale '{}' has other readers, or equals another constant, which makes one of both",
        weight.inputs[1]));
  if (bits_of_type(integers->data_type()) > 8 || bits_of_type(integers->data_type()) == 0)
    return refuse(fmt::format("its weights are {}", type_name(integers->data_type())));
  if (const std::string why = step.op == "Gemm" ? why_no_plain_gemm(input, step, *integers) : "";
      !why.empty())
    return refuse(why);
  if (grid.block_size > 0) {
    if (grid.axis != 0 && grid.axis != -2) return refuse("its blocks run along the columns");
    if (grid.block_size < 16 || (grid.block_size & (grid.block_size - 1)) != 0)
      return refuse(fmt::format("its blocks have {} rows, not 16, 32, 64, ...", grid.block_size));
    return {};
  }
  if (grid.scale_shape.empty()) return {};
  if (grid.scale_shape.size() != 1 || grid.scale_shape.front() != integers->dims(1) ||
      grid.axis != 1)
    return refuse("its scales are neither one for the tensor nor one for each column");
  return {};
}

// Columns of the weights of a product that runs as MatMulNBits and has no bias yet; none for any other step.
std::optional<std::int64_t> nbits_columns(const JudgeInput& input, const Step& step) {
  constexpr std::size_t bias_of_nbits = 5;
  constexpr std::size_t bias_of_gemm = 2;
  if (step.op == "com.microsoft.MatMulNBits" && !step.has_input(bias_of_nbits))
    return int_attribute(*step.node, "N", 0);
  if ((step.op != "MatMul" && step.op != "Gemm") || step.has_input(bias_of_gemm))
    return std::nullopt;
  const Surroundings around = surroundings_of(input.graph, step);
  const Step* data = around.in_front_of(0);
  const Step* weight = around.in_front_of(1);
  if ((data != nullptr && !is_wide(data)) || weight == nullptr ||
      judge_weights_only(input, step, around).rule != LintRule::integer_kernel)
    return std::nullopt;
  return input.graph.constant(weight->inputs.front())->dims(1);
}

// x -> Div by the root of 2 -> Erf -> Add -> Mul, the head of a Gelu written as five nodes.
bool is_head_of_gelu(const WorkingGraph& graph, const Step& step) {
  constexpr float tolerance = 1e-3F;
  if (step.op != "Div" || step.inputs.size() != 2) return false;
  const onnx::TensorProto* divisor = graph.constant(step.inputs[1]);
  if (divisor == nullptr || divisor->data_type() != onnx::TensorProto::FLOAT ||
      element_count(*divisor) != 1 ||
      std::abs(to_tensor(*divisor, graph.folder()).as<float>()[0] - std::numbers::sqrt2_v<float>) >
          tolerance)
    return false;
  const Step* next = &step;
  for (const std::string_view op : {"Erf", "Add", "Mul"}) {
    next = graph.only_reader(next->outputs.front());
    if (next == nullptr || next->op != op || next->outputs.empty()) return false;
  }
  return true;
}

// Stated ones, free extents by name; else those that follow, where they are fixed.
bool have_equal_extents(const JudgeInput& input, const std::string& a, const std::string& b) {
  if (input.graph.have_equal_extents(a, b)) return true;
  const auto first = input.shapes.find(a);
  const auto second = input.shapes.find(b);
  return first != input.shapes.end() && second != input.shapes.end() &&
         first->second == second->second &&
         std::ranges::all_of(first->second, [](std::int64_t extent) { return extent >= 0; });
}

// The Add of two branches of equal extents whose sum a LayerNormalization reads, maybe one written as its parts: the engine makes a
// SkipLayerNormalization of them.
bool is_head_of_layer_norm(const JudgeInput& input, const Step& step) {
  const WorkingGraph& graph = input.graph;
  const auto reads = [&](std::string_view op) {
    return std::ranges::any_of(graph.readers(step.outputs.front()),
                               [&](const Edge& edge) { return graph.step(edge.step).op == op; });
  };
  return step.op == "Add" && step.inputs.size() == 2 &&
         (reads("LayerNormalization") || (reads("ReduceMean") && reads("Sub"))) &&
         have_equal_extents(input, step.inputs[0], step.inputs[1]);
}

// Kernels that add a bias themselves and are looked for ahead of that of MatMulNBits.
bool takes_bias_ahead(const JudgeInput& input, const Step& reader) {
  if (reader.outputs.empty()) return false;  // a broken model
  return reader.op == "Gelu" || reader.op == "com.microsoft.Gelu" ||
         reader.op == "com.microsoft.FastGelu" ||
         reader.op == "com.microsoft.SkipLayerNormalization" ||
         is_head_of_gelu(input.graph, reader) || is_head_of_layer_norm(input, reader);
}

}  // namespace

bool is_wide(const Step* data) {
  return data != nullptr && bits_of_type(data->quantizer.type) == 16;
}

Verdict judge_weights_only(const JudgeInput& input, const Step& step, const Surroundings& around) {
  const bool is_quantized_behind = around.behind != nullptr || around.has_any_behind;
  if (is_quantized_behind && !is_wide(around.in_front_of(0)))
    return float_input(input, step, around);
  const Step* weight = around.in_front_of(1);
  if (weight == nullptr) return float_input(input, step, around);
  if (step.op == "Conv")
    return {LintRule::weights_only, "its weights are quantized, its data are float"};
  if (around.blocking_clamp.rule != LintRule::integer_kernel) return around.blocking_clamp;
  return judge_nbits(input, step, *weight);
}

Verdict judge_stored_nbits(const JudgeInput& input, const Step& step) {
  constexpr std::size_t zero_points_of_nbits = 3;
  if (!step.has_input(zero_points_of_nbits)) return {};
  const std::string& name = step.inputs[zero_points_of_nbits];
  const onnx::TensorProto* points = input.graph.constant(name);
  if (points == nullptr || points->data_type() != onnx::TensorProto::UINT8) return {};
  constexpr std::int64_t largest = std::numeric_limits<std::int32_t>::max();
  const auto attribute_of = [&](const char* attribute) {
    return std::clamp(int_attribute(*step.node, attribute, 0), std::int64_t{0}, largest);
  };
  const std::int64_t block = attribute_of("block_size");
  const std::int64_t bits = std::min<std::int64_t>(int_attribute(*step.node, "bits", 4), 8);
  if (block == 0 || bits <= 0) return {};
  const std::int64_t columns = attribute_of("N");
  const std::int64_t bytes = ((attribute_of("K") + block - 1) / block * bits + 7) / 8;
  const Shape shape = shape_of(*points);
  if (shape == Shape{columns, bytes} || shape == Shape{columns * bytes}) return {};
  return {LintRule::engine_refuses,
          fmt::format("its zero points '{}' have the shape {}, packed in {} bits they have {}",
                      name, to_string(shape), bits, to_string(Shape{columns, bytes}))};
}

bool adds_bias_of_nbits(const JudgeInput& input, const Step& add) {
  const WorkingGraph& graph = input.graph;
  if (add.inputs.size() != 2 || add.outputs.empty()) return false;
  if (!graph.is_graph_output(add.outputs.front()) &&
      std::ranges::any_of(graph.readers(add.outputs.front()), [&](const Edge& edge) {
        return takes_bias_ahead(input, graph.step(edge.step));
      }))
    return false;
  for (std::size_t i = 0; i < add.inputs.size(); ++i) {
    const Step* product = graph.producer(add.inputs[i]);
    if (product == nullptr || graph.only_reader(add.inputs[i]) == nullptr) continue;
    const auto bias = input.shapes.find(add.inputs[1 - i]);
    if (bias == input.shapes.end() || bias->second.size() != 1) continue;
    if (nbits_columns(input, *product) == bias->second.front()) return true;
  }
  return false;
}

}  // namespace ocs
