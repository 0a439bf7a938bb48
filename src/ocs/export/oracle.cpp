#include "ocs/export/oracle.h"

#include <limits>
#include <utility>
#include <vector>

#include "ocs/graph/edit.h"
#include "ocs/ops/op.h"

namespace ocs {
namespace {

class OracleWriter {
 public:
  OracleWriter(Model& model, onnx::NodeProto& node, const LayerPlan& layer, const Shape& weight)
      : model_(model), node_(node), layer_(layer), weight_(weight), base_(layer.node + "_oracle") {}

  void write() {
    const DynamicSplit& split = *layer_.dynamic;
    const LinearOp& op = *find_linear_op(node_);
    const int axis = op.data_axis(node_, layer_.operand);
    const std::string x = node_.input(*layer_.operand.data_input);
    const std::string magnitudes = largest_of_channels(x, axis);
    std::string data = x;
    std::string scale;
    if (split.copies == 0) {
      scale = scale_of(magnitudes);
    } else {
      const std::string channels = largest_channels(magnitudes);
      const std::string ones = constant("_ones", std::vector<float>(size(split.channels), 1.0F));
      const std::string halves = constant("_halves", std::vector<float>(size(split.copies), 0.5F));
      const std::string factors = step("ScatterElements", "_factors", {ones, channels, halves});
      scale = scale_of(step("Mul", "_halved_magnitudes", {magnitudes, factors}));
      data = halves_of(x, axis, channels, factors, scale);
      repeat_weight(op, channels);
    }
    const std::string zero =
        add_initializer(model_, base_ + "_zero_point", {.values = std::vector<std::int8_t>{0}});
    const std::string levels = step("QuantizeLinear", "_levels", {data, scale, zero});
    node_.set_input(*layer_.operand.data_input,
                    step("DequantizeLinear", "_data", {levels, scale, zero}));
  }

 private:
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

  std::string step(const char* op_type, const std::string& suffix,
                   const std::vector<std::string>& inputs) {
    std::string result = model_.unique_name(base_ + suffix);
    add_node(model_, op_type, result + "_node", inputs, {result});
    return result;
  }
  std::string along(const char* op_type, const std::string& suffix,
                    const std::vector<std::string>& inputs, std::int64_t axis) {
    std::string result = model_.unique_name(base_ + suffix);
    set_attribute(add_node(model_, op_type, result + "_node", inputs, {result}), "axis", axis);
    return result;
  }

  std::string constant(const std::string& suffix, std::vector<float> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return add_initializer(model_, base_ + suffix, {.shape = {count}, .values = std::move(values)});
  }
  std::string number(const std::string& suffix, float value) {
    return add_initializer(model_, base_ + suffix, {.values = std::vector{value}});
  }
  std::string integers(const std::string& suffix, std::vector<std::int64_t> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return add_initializer(model_, base_ + suffix, {.shape = {count}, .values = std::move(values)});
  }

  // Largest value over `axes`, which are dropped. The axes are an input from opset 18 on.
  std::string reduce_max(const std::string& suffix, const std::string& value,
                         const std::vector<std::int64_t>& axes) {
    std::string result = model_.unique_name(base_ + suffix);
    std::vector<std::string> inputs{value};
    const bool axes_are_input = model_.opset() >= 18;
    if (axes_are_input) inputs.push_back(integers(suffix + "_axes", axes));
    onnx::NodeProto& node = add_node(model_, "ReduceMax", result + "_node", inputs, {result});
    if (!axes_are_input) set_attribute(node, "axes", axes);
    set_attribute(node, "keepdims", std::int64_t{0});
    return result;
  }

  // max |x| of each channel, [channels].
  std::string largest_of_channels(const std::string& x, int axis) {
    std::string magnitudes = step("Abs", "_abs", {x});
    if (axis > 0) {  // maps: axis 1, and as many axes as the weight has
      std::vector<std::int64_t> others{0};
      for (std::int64_t i = 2; i < static_cast<std::int64_t>(weight_.size()); ++i)
        others.push_back(i);
      return reduce_max("_channel_magnitudes", magnitudes, others);
    }
    // The last axis, behind any number of others; of the one before it (MatMul with a constant left
    // side) only the largest of all is asked for.
    const std::int64_t width = axis == -1 ? layer_.dynamic->channels : 1;
    magnitudes = step("Reshape", "_rows", {magnitudes, integers("_rows_shape", {-1, width})});
    return reduce_max("_channel_magnitudes", magnitudes, {0});
  }

  // Indices of the channels to halve.
  std::string largest_channels(const std::string& magnitudes) {
    const std::string values = model_.unique_name(base_ + "_largest");
    std::string indices = model_.unique_name(base_ + "_channels");
    add_node(model_, "TopK", indices + "_node",
             {magnitudes, integers("_copies", {layer_.dynamic->copies})}, {values, indices});
    return indices;
  }

  // D of this batch; a batch of zeros gets the smallest that is a normal number.
  std::string scale_of(const std::string& magnitudes) {
    const std::string largest = reduce_max("_range", magnitudes, {0});
    const auto highest = static_cast<float>((1 << (layer_.dynamic->bits - 1)) - 1);
    const std::string scale = step("Div", "_step", {largest, number("_highest", highest)});
    return step("Max", "_scale",
                {scale, number("_least_scale", std::numeric_limits<float>::min())});
  }

  // A value for each channel, in the shape that meets the data.
  std::string facing(const std::string& suffix, const std::string& by_channel, int axis) {
    Shape shape{-1};
    if (axis > 0) shape.resize(weight_.size() - 1, 1);
    return step("Reshape", suffix, {by_channel, integers(suffix + "_shape", shape)});
  }

  std::string halves_of(const std::string& x, int axis, const std::string& channels,
                        const std::string& factors, const std::string& scale) {
    const std::string whole = step("Mul", "_halved", {x, facing("_facing_factors", factors, axis)});
    std::string second = along("Gather", "_second", {whole, channels}, axis);
    std::string first = whole;
    if (layer_.dynamic->kind == SplitKind::quantization_aware) {
      // (1/2 - 1) D/2 = -D/4 for the first half, 0 for a whole channel.
      const std::string gap = step("Sub", "_gap", {factors, number("_one", 1.0F)});
      const std::string half_step = step("Mul", "_half_step", {scale, number("_half", 0.5F)});
      const std::string shift = step("Mul", "_shift", {gap, half_step});
      first = step("Add", "_first_shifted", {first, facing("_facing_shift", shift, axis)});
      const std::string quarter = step("Mul", "_quarter_step", {scale, number("_quarter", 0.25F)});
      second = step("Add", "_second_shifted", {second, quarter});
    }
    return along("Concat", "_parts", {first, second}, axis);
  }

  void repeat_weight(const LinearOp& op, const std::string& channels) {
    const int input = layer_.operand.weight_input;
    const std::int64_t axis = op.input_axis(node_, layer_.operand, weight_);
    const std::string weight = node_.input(input);
    const std::string repeated = along("Gather", "_weight_columns", {weight, channels}, axis);
    node_.set_input(input, along("Concat", "_weight", {weight, repeated}, axis));
  }

  Model& model_;
  onnx::NodeProto& node_;
  const LayerPlan& layer_;
  const Shape& weight_;
  std::string base_;
};

}  // namespace

void write_oracle(Model& model, onnx::NodeProto& node, const LayerPlan& layer,
                  const Shape& weight) {
  OracleWriter(model, node, layer, weight).write();
}

}  // namespace ocs
