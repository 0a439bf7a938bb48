#include "ocs/lint/saturation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/quant/affine.h"
#include "ocs/quant/pair_sums.h"

namespace ocs {
namespace {

constexpr std::int32_t type_float = 1;
constexpr std::int32_t type_uint8 = 2;
constexpr std::int32_t type_int8 = 3;
constexpr std::int32_t highest_uint8 = 255;

// Kernels of uint8 data and int8 weights; those of int8 data add in 32 bits, and so does ConvInteger, which takes the weights for the
// data.
struct Kernel {
  std::string_view op{};
  std::size_t weight = 1;  // its input
  std::optional<std::size_t>
      zero_point{};  // of the data; none: the kernel makes uint8 of them itself
  std::optional<std::size_t> second_weight{};
  bool is_dequantized = false;  // the QDQ form
};

constexpr std::array kernels{
    Kernel{.op = "Conv", .is_dequantized = true},
    Kernel{.op = "Gemm", .is_dequantized = true},
    Kernel{.op = "MatMul", .is_dequantized = true},
    Kernel{.op = "MatMulInteger", .zero_point = 2},
    Kernel{.op = "QLinearConv", .weight = 3, .zero_point = 2},
    Kernel{.op = "QLinearMatMul", .weight = 3, .zero_point = 2},
    Kernel{.op = "com.microsoft.DynamicQuantizeLSTM", .second_weight = 2},
    Kernel{.op = "com.microsoft.DynamicQuantizeMatMul"},
    Kernel{.op = "com.microsoft.MatMulIntegerToFloat", .zero_point = 4},
    Kernel{.op = "com.microsoft.QAttention", .zero_point = 6},
    Kernel{.op = "com.microsoft.QGemm", .weight = 3, .zero_point = 2},
    Kernel{.op = "com.microsoft.QLinearConv", .weight = 3, .zero_point = 2},
};

struct PairCount {
  std::int64_t pairs = 0;
  std::int64_t over = 0;  // the limit
  std::int32_t largest = 0;
};

void count_pairs(const ChannelMatrix& weight, std::span<const std::int8_t> stored,
                 PairCount& count) {
  const std::int32_t limit = pair_limit(highest_uint8);
  std::vector<std::size_t> row(static_cast<std::size_t>(weight.taps * weight.inputs));
  for (std::int64_t group = 0; group < weight.groups; ++group)
    for (std::int64_t output = 0; output < weight.outputs; ++output) {
      kernel_order(weight, group, output, row);
      for_each_pair(row.size(), row.size(), [&](std::size_t a, std::size_t b) {
        const std::int32_t excess = pair_excess(stored[row[a]], stored[row[b]], limit);
        ++count.pairs;
        count.over += excess > 0 ? 1 : 0;
        count.largest = std::max(count.largest, excess > 0 ? excess + limit : 0);
      });
    }
}

std::string input_of(const Step& layer, std::size_t input) {
  return input < layer.inputs.size() ? layer.inputs[input] : "";
}

const Step* dequantize_ahead(const WorkingGraph& graph, const Step& layer, std::size_t input) {
  const Step* source = graph.producer(input_of(layer, input));
  return source != nullptr && source->is_dequantize() ? source : nullptr;
}

// Of a value whose type its zero point tells, or else the node that writes it.
std::int32_t integer_type(const WorkingGraph& graph, const std::string& value,
                          const std::string& zero_point) {
  if (const onnx::TensorProto* constant = graph.constant(zero_point)) return constant->data_type();
  for (const std::string& each : {zero_point, value}) {
    const Step* source = graph.producer(each);
    if (source == nullptr) continue;
    if (source->op == "DynamicQuantizeLinear") return type_uint8;
    if (source->is_quantize()) return source->quantizer.type;
  }
  return graph.stated_type(value);
}

bool reads_uint8(const WorkingGraph& graph, const Step& layer, const Kernel& kernel) {
  if (kernel.is_dequantized) {
    const Step* data = dequantize_ahead(graph, layer, 0);
    return data != nullptr && data->quantizer.type == type_uint8;
  }
  if (!kernel.zero_point) return true;
  return integer_type(graph, input_of(layer, 0), input_of(layer, *kernel.zero_point)) == type_uint8;
}

using Int8 = std::numeric_limits<std::int8_t>;

// How floats become int8: as many scales and zero points, for all or for each index of an axis.
struct Int8Scales {
  std::vector<float> scales{};
  std::vector<std::int64_t> zero_points{};
  std::int64_t axis = 0;
};

// By a QuantizeLinear of constants; none where it does not make int8, or has scales for blocks.
Int8Scales scales_of(const WorkingGraph& graph, const Step& quantize) {
  const Quantizer& quantizer = quantize.quantizer;
  if (!quantizer.is_constant || quantizer.type != type_int8 || quantizer.block_size != 0) return {};
  Int8Scales found{.scales = quantizer.scales,
                   .zero_points = std::vector<std::int64_t>(quantizer.scales.size(), 0),
                   .axis = quantizer.axis};
  const onnx::TensorProto* points = graph.constant(input_of(quantize, 2));
  if (points == nullptr) return found;
  const std::vector<float> values = to_floats(view(to_tensor(*points, graph.folder())));
  found.zero_points.assign(values.begin(), values.end());
  return found;
}

// As ONNX Runtime chooses for float weights between quantized values: one scale, and zero is an integer.
Int8Scales scales_of_engine(std::span<const float> weights) {
  if (weights.empty()) return {};
  const auto [least, most] = std::ranges::minmax(weights);
  const float lowest = std::min(least, 0.0F);
  const float highest = std::max(most, 0.0F);
  const float scale = lowest == highest ? 1.0F : (highest - lowest) / 255.0F;
  const float zero_point =
      std::clamp(static_cast<float>(Int8::min()) - lowest / scale, static_cast<float>(Int8::min()),
                 static_cast<float>(Int8::max()));
  return {.scales = {scale}, .zero_points = {std::lrint(zero_point)}};
}

// The engine computes that when it opens the model. Nothing where scales and values do not fit.
std::optional<Tensor> quantized(const Tensor& reals, const Int8Scales& by) {
  const std::span<const std::int64_t> shape(reals.shape);
  const auto rank = std::ssize(shape);
  const std::int64_t axis = by.axis < 0 ? by.axis + rank : by.axis;
  const bool is_one = by.scales.size() == 1;
  if (by.scales.empty() || by.scales.size() != by.zero_points.size() ||
      !std::ranges::all_of(by.scales, [](float scale) { return scale > 0.0F; }))
    return std::nullopt;
  if (!is_one &&
      (axis < 0 || axis >= rank || std::ssize(by.scales) != shape[static_cast<std::size_t>(axis)]))
    return std::nullopt;
  const std::span<const float> values = reals.as<float>();
  const auto run = is_one ? values.size()
                          : static_cast<std::size_t>(
                                element_count(shape.subspan(static_cast<std::size_t>(axis) + 1)));
  std::vector<std::int8_t> levels(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t index = i / run % by.scales.size();
    levels[i] = static_cast<std::int8_t>(quantize(values[i], by.scales[index],
                                                  static_cast<std::int32_t>(by.zero_points[index]),
                                                  Int8::min(), Int8::max()));
  }
  return Tensor{.shape = reals.shape, .values = std::move(levels)};
}

// Nothing where it is no constant, or none of int8.
std::optional<Tensor> stored_weight(const WorkingGraph& graph, const Step& layer,
                                    const Kernel& kernel, std::size_t input) {
  std::string name = input_of(layer, input);
  if (kernel.is_dequantized) {
    const Step* weight = dequantize_ahead(graph, layer, input);
    if (weight == nullptr) return std::nullopt;
    name = weight->inputs.front();
  }
  const WeightSource source = graph.source_of_weights(name);
  if (source.tensor == nullptr) return std::nullopt;
  if (source.tensor->data_type() == type_int8) return to_tensor(*source.tensor, graph.folder());
  if (source.tensor->data_type() != type_float) return std::nullopt;
  const Tensor reals = to_tensor(*source.tensor, graph.folder());
  return quantized(reals, source.quantize != nullptr ? scales_of(graph, *source.quantize)
                                                     : scales_of_engine(reals.as<float>()));
}

// The rows that the kernel multiplies; no rows for a weight of another shape than the operator asks for.
ChannelMatrix view_of(const Step& layer, const Shape& shape) {
  const std::size_t extents = shape.size();
  if (layer.op.ends_with("Conv")) {
    const std::int64_t groups = int_attribute(*layer.node, "group", 1);
    if (extents < 3 || groups < 1) return {};
    return dense_view({}, groups, shape[0] / groups, shape[1],
                      element_count(std::span(shape).subspan(2)));
  }
  if (extents == 1) return dense_view({}, 1, 1, shape[0], 1);  // a vector behind MatMul
  if (extents == 0) return {};
  const std::int64_t rows = shape[extents - 2];
  const std::int64_t columns = shape[extents - 1];
  const std::int64_t matrices = element_count(std::span(shape).first(extents - 2));
  if (int_attribute(*layer.node, "transB", 0) != 0)
    return dense_view({}, matrices, rows, columns, 1);
  return {.groups = matrices,
          .outputs = columns,
          .inputs = rows,
          .group_stride = rows * columns,
          .output_stride = 1,
          .input_stride = columns};
}

}  // namespace

std::string saturation_warning(const WorkingGraph& graph, const Step& layer) {
  const auto* const kernel = std::ranges::find(kernels, layer.op, &Kernel::op);
  if (kernel == kernels.end() || layer.node == nullptr || !reads_uint8(graph, layer, *kernel))
    return "";
  PairCount count;
  for (const std::optional<std::size_t> input :
       {std::optional(kernel->weight), kernel->second_weight}) {
    if (!input) continue;
    const std::optional<Tensor> stored = stored_weight(graph, layer, *kernel, *input);
    if (!stored) continue;
    const ChannelMatrix matrix = view_of(layer, stored->shape);
    if (adds_pairs(matrix, true)) count_pairs(matrix, stored->as<std::int8_t>(), count);
  }
  if (count.over == 0) return "";
  return fmt::format(
      "{} of {} pairs of its weights add up to more than {} (the most: {}): sums of 16 bits can "
      "saturate",
      count.over, count.pairs, pair_limit(highest_uint8), count.largest);
}

}  // namespace ocs
