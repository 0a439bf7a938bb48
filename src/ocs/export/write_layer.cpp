#include "ocs/export/write_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ocs/core/error.h"
#include "ocs/export/added_constant.h"
#include "ocs/export/expand.h"
#include "ocs/export/expand_data.h"
#include "ocs/export/oracle.h"
#include "ocs/export/widen_recurrent.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"
#include "ocs/plan/proofs.h"
#include "ocs/quant/affine.h"
#include "ocs/quant/params.h"
#include "ocs/quant/scale_index.h"

namespace ocs {
namespace {

// Scales and zero points of whole tensors must be 0-d: the engine refuses shape [1] in some
// operators.
template <typename T>
Tensor scalar_or_row(std::vector<T> values, bool is_row) {
  Tensor tensor;
  if (is_row) tensor.shape = {static_cast<std::int64_t>(values.size())};
  tensor.values = std::move(values);
  return tensor;
}

template <typename T>
Tensor scalar(T value) {
  return scalar_or_row(std::vector<T>{value}, false);
}

// A level or zero point in the container's type.
Tensor level_tensor(std::int32_t level, const Grid& container) {
  if (container.is_signed) return scalar(static_cast<std::int8_t>(level));
  return container.bits > 8 ? scalar(static_cast<std::uint16_t>(level))
                            : scalar(static_cast<std::uint8_t>(level));
}

// The scales of a matrix in blocks along `axis`, from [rows, blocks]: the blocks take the place of the inputs.
Tensor block_scales(const std::vector<float>& scales, const Shape& weight, int axis,
                    std::int64_t block) {
  const auto inputs = weight[static_cast<std::size_t>(axis)];
  const auto blocks = static_cast<std::size_t>(ScaleIndex::count_of(inputs, block));
  const std::size_t rows = scales.size() / blocks;
  const auto extent = [](std::size_t count) { return static_cast<std::int64_t>(count); };
  if (axis == 1) return {.shape = {extent(rows), extent(blocks)}, .values = scales};
  std::vector<float> turned;
  for (std::size_t at = 0; at < blocks; ++at)
    for (std::size_t row = 0; row < rows; ++row) turned.push_back(scales[row * blocks + at]);
  return {.shape = {extent(blocks), extent(rows)}, .values = std::move(turned)};
}

std::vector<float> sum_of(std::vector<float> values, std::span<const float> added) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += added[i];
  return values;
}

// Node names may be any text of the user's; the parts that we add stay readable.
std::string named(const std::string& base, const char* suffix) { return base + suffix; }

}  // namespace

LayerWriter::LayerWriter(const Graph& graph, Model& out, const Plan& plan)
    : graph_(&graph), out_(&out), bias_form_(plan.target.bias) {
  for_each_graph(out.graph(), [&](onnx::GraphProto& body) {
    for (const onnx::TensorProto& tensor : body.initializer())
      homes_.try_emplace(tensor.name(), &body);
  });
}

LayerWriter::Quantized LayerWriter::quantize(const std::string& value, const std::string& input,
                                             const ActivationPlan& plan) {
  const Grid& container = plan.params.grid;
  const bool is_clipped =
      plan.level_low > container.lowest() || plan.level_high < container.highest();
  // The engine has no Clip for 16-bit integers: there the float values are clipped.
  const bool is_wide = container.bits == 16;
  const auto clip = [&](const std::string& from, const Tensor& low, const Tensor& high) {
    const std::string lowest = add_initializer(*out_, named(value, "_lowest"), low);
    const std::string highest = add_initializer(*out_, named(value, "_highest"), high);
    std::string clipped = out_->unique_name(named(value, "_Clip_Output"));
    add_node(*out_, "Clip", named(value, "_Clip"), {from, lowest, highest}, {clipped});
    return clipped;
  };
  const auto real = [&](std::int32_t level) {
    return scalar(static_cast<float>(level - plan.params.zero_point[0]) * plan.params.scale[0]);
  };
  const std::string source =
      is_clipped && is_wide ? clip(input, real(plan.level_low), real(plan.level_high)) : input;
  Quantized quantized{.plan = &plan};
  quantized.scale = add_initializer(*out_, named(value, "_scale"), scalar(plan.params.scale[0]));
  quantized.zero_point = add_initializer(*out_, named(value, "_zero_point"),
                                         level_tensor(plan.params.zero_point[0], container));
  quantized.levels = out_->unique_name(named(value, "_QuantizeLinear_Output"));
  add_node(*out_, "QuantizeLinear", named(value, "_QuantizeLinear"),
           {source, quantized.scale, quantized.zero_point}, {quantized.levels});
  if (is_clipped && !is_wide)
    quantized.levels = clip(quantized.levels, level_tensor(plan.level_low, container),
                            level_tensor(plan.level_high, container));
  return quantized;
}

std::string LayerWriter::dequantize(const Quantized& quantized, const std::string& levels,
                                    const std::string& name) {
  add_node(*out_, "DequantizeLinear", named(name, "_node"),
           {levels, quantized.scale, quantized.zero_point}, {name});
  return name;
}

const LayerWriter::Written* LayerWriter::same_as(const LayerPlan& layer) const {
  const auto [first, last] = weights_.equal_range(layer.weight);
  const auto same = std::find_if(first, last, [&](const auto& entry) {
    const LayerPlan& other = *entry.second.layer;
    return other.stored == layer.stored && other.kept == layer.kept &&
           other.params == layer.params && other.residual == layer.residual &&
           other.rows == layer.rows && other.inputs == layer.inputs &&
           other.dynamic_weights == layer.dynamic_weights &&
           other.rounds_as_it_runs == layer.rounds_as_it_runs;
  });
  return same == last ? nullptr : &same->second;
}

DynamicWeight LayerWriter::write_dynamic_weight(const onnx::NodeProto& node,
                                                const LayerPlan& layer) {
  if (const Written* same = same_as(layer)) return same->dynamic;
  const Shape shape = shape_of(*graph_->initializer(layer.weight));
  DynamicWeight written =
      add_dynamic_weight(*out_, layer, physical_weight(node, layer, shape).tensor,
                         physical_rows(layer.params.scale, layer.rows));
  weights_.emplace(layer.weight, Written{.layer = &layer, .dynamic = written});
  return written;
}

std::string LayerWriter::write_weight(onnx::NodeProto& node, const LayerPlan& layer) {
  StoredWeight weight = stored_weight(node, layer, shape_of(*graph_->initializer(layer.weight)));
  if (weight.groups != int_attribute(node, "group", 1)) set_attribute(node, "group", weight.groups);
  if (const Written* same = same_as(layer)) return same->output;

  const bool has_blocks = layer.params.block > 0;
  const bool is_row = layer.params.axis.has_value();
  const std::vector<float> scales = physical_scales(layer);
  // DequantizeLinear takes one axis: rows on two (the directions of recurrent nodes) are stored on
  // one.
  const Shape shape = shape_of(weight.tensor);
  int axis = layer.params.axis.value_or(0);
  if (has_blocks) axis = find_linear_op(node)->input_axis(node, layer.operand, shape);
  const bool is_flat =
      is_row && !has_blocks &&
      shape[static_cast<std::size_t>(axis)] != static_cast<std::int64_t>(scales.size());
  if (is_flat) {
    weight.tensor.mutable_dims()->Assign(shape.begin() + axis, shape.end());
    weight.tensor.set_dims(0, static_cast<std::int64_t>(scales.size()));
    axis = 0;
  }
  std::vector<std::string> inputs{
      add_initializer(*out_, named(layer.weight, "_quantized"), std::move(weight.tensor)),
      add_initializer(*out_, named(layer.weight, "_scale"),
                      has_blocks ? block_scales(scales, shape, axis, layer.params.block)
                                 : scalar_or_row(scales, is_row))};
  // Zero is what is meant where none is given; int8 kernels are found with one.
  if (layer.storage_bits == 8 && !has_blocks)
    inputs.push_back(
        add_initializer(*out_, named(layer.weight, "_zero_point"),
                        scalar_or_row(std::vector<std::int8_t>(scales.size(), 0), is_row)));
  const auto home = homes_.find(layer.weight);
  onnx::GraphProto& graph = home == homes_.end() ? out_->graph() : *home->second;
  std::string output = out_->unique_name(named(layer.weight, "_DequantizeLinear_Output"));
  onnx::NodeProto& dequantize_node = add_node(
      *out_, graph, "DequantizeLinear", named(layer.weight, "_DequantizeLinear"), inputs, {output});
  if (is_row) set_attribute(dequantize_node, "axis", std::int64_t{axis});
  if (has_blocks) set_attribute(dequantize_node, "block_size", layer.params.block);
  if (is_flat) {
    const std::string sizes =
        add_initializer(*out_, named(layer.weight, "_shape"), scalar_or_row(shape, true));
    const std::string flat = output;
    output = out_->unique_name(named(layer.weight, "_Reshape_Output"));
    add_node(*out_, graph, "Reshape", named(layer.weight, "_Reshape"), {flat, sizes}, {output});
  }
  weights_.emplace(layer.weight, Written{.layer = &layer, .output = output});
  return output;
}

void LayerWriter::write_dynamic_matmul(onnx::NodeProto& node, onnx::GraphProto& place,
                                       const LayerPlan& layer) {
  const std::string value = node.input(layer.operand.data_input.value());
  auto data = dynamic_data_.find(value);
  if (data == dynamic_data_.end())
    data = dynamic_data_.emplace(value, add_dynamic_data(*out_, value)).first;
  IntegerWeight weight;
  if (const Written* same = same_as(layer)) {
    weight = same->integers;
  } else {
    const std::vector<float> scales = physical_rows(layer.params.scale, layer.rows);
    const bool is_row = scales.size() > 1;
    weight.levels = add_initializer(
        *out_, named(layer.weight, "_quantized"),
        physical_weight(node, layer, shape_of(*graph_->initializer(layer.weight))).tensor);
    weight.scale =
        add_initializer(*out_, named(layer.weight, "_scale"), scalar_or_row(scales, is_row));
    weight.zero_point =
        add_initializer(*out_, named(layer.weight, "_zero_point"),
                        scalar_or_row(std::vector<std::int8_t>(scales.size(), 0), is_row));
    weights_.emplace(layer.weight, Written{.layer = &layer, .integers = weight});
  }
  std::string bias;
  const std::vector<float> shift = physical_rows(layer.bias, layer.rows);
  const auto added = layer.adds_bias && layer.rows.empty() && !shift.empty()
                         ? find_added_constant(*graph_, place, node, shift.size())
                         : std::nullopt;
  if (added)
    added->add->set_input(added->input,
                          add_initializer(*out_, named(layer.node, "_bias"),
                                          scalar_or_row(sum_of(added->values, shift), true)));
  else if (!shift.empty())
    bias = add_initializer(*out_, named(layer.node, "_bias"), scalar_or_row(shift, true));
  make_dynamic_matmul(*out_, node, data->second, weight, bias);
}

std::string LayerWriter::write_bias(const LayerPlan& layer, const std::vector<float>& bias,
                                    const std::vector<float>& scales, const Quantized* data) {
  const std::string base = named(layer.node, "_bias");
  if (data == nullptr || !has_integer_sums(*data->plan) || bias_form_ == BiasForm::float32)
    return add_initializer(*out_, base, scalar_or_row(bias, true));
  if (bias_form_ == BiasForm::int8) return write_small_bias(base, bias);
  // int32 with exactly s_x * s_w, multiplied in float as the engine does it.
  std::vector<std::int32_t> levels(bias.size());
  std::vector<float> bias_scales(bias.size());
  for (std::size_t row = 0; row < bias.size(); ++row) {
    const float data_scale = data->plan->params.scale[0];
    const float scale = scales.size() == 1 ? scales[0] : scales[row];
    bias_scales[row] = bias_scale(data_scale, scale);
    const double level = bias_level(bias[row], data_scale, scale);
    constexpr double limit = std::numeric_limits<std::int32_t>::max();
    if (!(std::fabs(level) <= limit))
      throw_internal("node '" + layer.node + "': bias " + std::to_string(row) +
                     " does not fit into int32");
    levels[row] = static_cast<std::int32_t>(level);
  }
  const bool is_row = scales.size() > 1;
  if (!is_row) bias_scales.resize(1);
  const std::string stored =
      add_initializer(*out_, named(base, "_quantized"), scalar_or_row(levels, true));
  const std::string scale =
      add_initializer(*out_, named(base, "_scale"), scalar_or_row(bias_scales, is_row));
  std::string output = out_->unique_name(named(base, "_DequantizeLinear_Output"));
  onnx::NodeProto& node = add_node(*out_, "DequantizeLinear", named(base, "_DequantizeLinear"),
                                   {stored, scale}, {output});
  if (is_row) set_attribute(node, "axis", std::int64_t{0});
  return output;
}

std::string LayerWriter::write_small_bias(const std::string& base, const std::vector<float>& bias) {
  constexpr std::int32_t highest = 127;
  float largest = 0.0F;
  for (const float value : bias) largest = std::max(largest, std::fabs(value));
  const float scale = largest < std::numeric_limits<float>::min() * highest
                          ? 1.0F
                          : power_of_two_above(largest / static_cast<float>(highest));
  std::vector<std::int8_t> levels;
  for (const float value : bias)
    levels.push_back(static_cast<std::int8_t>(ocs::quantize(value, scale, 0, -highest, highest)));
  const std::string stored =
      add_initializer(*out_, named(base, "_quantized"), scalar_or_row(levels, true));
  const std::string step = add_initializer(*out_, named(base, "_scale"), scalar(scale));
  const std::string zero =
      add_initializer(*out_, named(base, "_zero_point"), scalar(std::int8_t{0}));
  std::string output = out_->unique_name(named(base, "_DequantizeLinear_Output"));
  add_node(*out_, "DequantizeLinear", named(base, "_DequantizeLinear"), {stored, step, zero},
           {output});
  return output;
}

void LayerWriter::write(onnx::NodeProto& node, onnx::GraphProto& place, const LayerPlan& layer,
                        const Quantized* data) {
  const bool has_copies = layer.form != SplitForm::fold && layer.form != SplitForm::virtual_ &&
                          !layer.copies.empty() && !layer.inputs.empty();
  const bool has_own_data = has_copies || !layer.residual.channels.empty();
  if (has_own_data) {
    const int axis = find_linear_op(node)->data_axis(node, layer.operand);
    const std::string source = data != nullptr ? data->levels : data_of(node, layer.operand);
    std::string expanded = expand_data(*out_, place, layer, source, axis);
    if (data != nullptr)
      expanded = dequantize(*data, expanded,
                            out_->unique_name(named(layer.node, "_data_DequantizeLinear_Output")));
    node.set_input(layer.operand.data_input.value(), expanded);
  }
  if (layer.rounds_as_it_runs) {
    write_dynamic_matmul(node, place, layer);
    return;
  }
  if (layer.dynamic_weights != DynamicWeights::none)
    set_dynamic_weight(node, layer, write_dynamic_weight(node, layer));
  else
    node.set_input(layer.operand.weight_input, write_weight(node, layer));
  if (layer.operand.is_hidden() && !layer.rows.empty())
    widen_recurrent(*graph_, *out_, place, node, layer);

  if (layer.dynamic) write_oracle(*out_, node, layer, shape_of(*graph_->initializer(layer.weight)));

  if (layer.adds_bias)
    write_added_bias(node, place, layer, data);
  else if (!layer.bias.empty())
    set_input(node, layer.operand.bias_input.value(),
              write_bias(layer, physical_rows(layer.bias, layer.rows),
                         physical_rows(layer.params.scale, layer.rows), data));
}

bool LayerWriter::fits_sums(const onnx::NodeProto& node, const LayerPlan& layer,
                            std::span<const float> bias, const Quantized& data) const {
  const Tensor weight = read_tensor(*graph_, layer.weight);
  const ChannelMatrix matrix =
      find_linear_op(node)->view(node, layer.operand, weight.shape, weight.as<float>());
  return std::ranges::all_of(prove_rows({.weight = matrix,
                                         .stored = layer.stored,
                                         .scales = layer.params.scale,
                                         .bias = bias,
                                         .data = data.plan}),
                             &RowProof::holds);
}

void LayerWriter::write_added_bias(onnx::NodeProto& node, onnx::GraphProto& place,
                                   const LayerPlan& layer, const Quantized* data) {
  std::vector<float> bias = physical_rows(layer.bias, layer.rows);
  const std::string base = named(layer.node, "_bias");
  if (find_linear_op(node)->result_axis(node, layer.operand) == -2) {
    if (bias.empty()) return;
    Tensor shift = scalar_or_row(bias, true);
    shift.shape.push_back(1);
    add_behind(*out_, node, base, shift);
    return;
  }
  const auto channels =
      static_cast<std::size_t>(graph_->initializer(layer.weight)->dims().rbegin()[0]);
  const auto added =
      layer.rows.empty() ? find_added_constant(*graph_, place, node, channels) : std::nullopt;
  if (added) bias = bias.empty() ? added->values : sum_of(added->values, bias);
  const bool wants_integers = layer.becomes_gemm && data != nullptr &&
                              has_integer_sums(*data->plan) && layer.rows.empty() &&
                              bias_form_ == BiasForm::int32;
  if (bias.empty() || (layer.bias.empty() && !wants_integers)) return;
  const bool is_integer = wants_integers && fits_sums(node, layer, bias, *data);
  if (!is_integer && layer.bias.empty()) return;
  if (!is_integer && !added) {
    add_behind(*out_, node, base, scalar_or_row(bias, true));
    return;
  }
  const std::string constant = is_integer ? write_bias(layer, bias, layer.params.scale, data)
                                          : add_initializer(*out_, base, scalar_or_row(bias, true));
  if (added) {
    added->add->set_input(added->input, constant);
    return;
  }
  const std::string result = node.output(0);
  const std::string raw = out_->unique_name(result + "_uncorrected");
  node.set_output(0, raw);
  add_node(*out_, "Add", named(base, "_Add"), {raw, constant}, {result});
}

}  // namespace ocs
