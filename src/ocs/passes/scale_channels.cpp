//   Conv(W, b) -> Relu -> Conv(V)      -->   Conv(f W, f b) -> Relu -> Conv(V / f)
#include "ocs/passes/scale_channels.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/passes/constant_floats.h"

namespace ocs {
namespace {

class Scaler {
 public:
  Scaler(Model model, std::span<const double> factors)
      : model_(std::move(model)), factors_(factors) {
    for (onnx::NodeProto& node : *model_.graph().mutable_node()) nodes_[node.name()] = &node;
    for (const onnx::TensorProto& constant : model_.graph().initializer())
      constants_[constant.name()] = &constant;
  }

  void scale(const ScalableLayer& layer) {
    if (is_fixed(layer.rows) && is_fixed(layer.columns)) return;
    onnx::NodeProto& node = node_named(layer.node);
    const LinearOp& op = *find_linear_op(node);
    Tensor weight = load(node.input(layer.operand.weight_input));
    const auto values = weight.as<float>();
    const ChannelMatrix matrix = op.view(node, layer.operand, weight.shape, values);
    for_each_weight(matrix, [&](std::int64_t row, std::int64_t column, std::size_t at) {
      values[at] = narrow(static_cast<double>(values[at]) * factor(layer.rows, row) /
                          factor(layer.columns, column));
    });
    replace(node, layer.operand.weight_input, weight);
    const int bias = layer.operand.bias_input.value_or(node.input_size());
    if (bias < node.input_size() && !node.input(bias).empty()) scale(node, bias, layer.rows);
  }

  void scale(const ScalableConstant& summand) {
    if (!is_fixed(summand.channels))
      scale(node_named(summand.node), summand.input, summand.channels);
  }

  Model result() { return std::move(model_); }

 private:
  [[nodiscard]] bool is_fixed(const ChannelClasses& classes) const {
    return std::ranges::all_of(classes, [&](int number) { return factor_of(number) == 1.0; });
  }
  [[nodiscard]] double factor_of(int number) const {
    return factors_[static_cast<std::size_t>(number)];
  }
  [[nodiscard]] double factor(const ChannelClasses& classes, std::int64_t channel) const {
    return classes.empty() ? 1.0 : factor_of(classes[static_cast<std::size_t>(channel)]);
  }
  // The largest finite value rather than infinity.
  [[nodiscard]] static float narrow(double value) {
    constexpr auto largest = static_cast<double>(std::numeric_limits<float>::max());
    return static_cast<float>(std::clamp(value, -largest, largest));
  }
  [[nodiscard]] Tensor load(const std::string& name) const {
    const auto found = constants_.find(name);
    if (found == constants_.end()) throw_internal("no initializer '" + name + "'");
    return to_tensor(*found->second, folder_of(model_));
  }
  onnx::NodeProto& node_named(const std::string& name) {
    const auto found = nodes_.find(name);
    if (found == nodes_.end()) throw_internal("no node '" + name + "'");
    return *found->second;
  }
  void replace(onnx::NodeProto& node, int input, const Tensor& tensor) {
    node.set_input(input, add_initializer(model_, node.input(input), tensor));
  }
  // One entry for each channel, whatever the shape.
  void scale(onnx::NodeProto& node, int input, const ChannelClasses& classes) {
    Tensor constant = load(node.input(input));
    const auto values = constant.as<float>();
    if (values.size() != classes.size()) throw_internal("a constant with other channels");
    for (std::size_t c = 0; c < values.size(); ++c)
      values[c] =
          narrow(static_cast<double>(values[c]) * factor(classes, static_cast<std::int64_t>(c)));
    replace(node, input, constant);
  }

  Model model_;
  std::span<const double> factors_;
  std::map<std::string, onnx::NodeProto*> nodes_{};
  std::map<std::string, const onnx::TensorProto*> constants_{};  // those of before
};

}  // namespace

PassResult scale_channels(Model model, const ScalableChannels& channels,
                          std::span<const double> factors) {
  if (factors.size() != channels.reasons.size()) throw_internal("factors for other channels");
  Scaler scaler(std::move(model), factors);
  for (const ScalableLayer& layer : channels.layers) scaler.scale(layer);
  for (const ScalableConstant& summand : channels.constants) scaler.scale(summand);
  return {.model = scaler.result()};
}

}  // namespace ocs
