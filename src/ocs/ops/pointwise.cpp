// Operators without weights, one row each: what they do to the channels of their first input. Every
// claim is held against the engine by tests/ops/channel_rule_test.cpp.
#include <algorithm>
#include <array>

#include "ocs/ops/op.h"

namespace ocs {
namespace {

// Sorted by name. Of an operator with several data inputs (Add, Concat, ...) nothing holds for the
// first alone but `recombines`.
constexpr std::array rules{
    ChannelRule{.op_type = "Abs", .keeps_channels = true, .homogeneous = true},
    ChannelRule{.op_type = "Add", .recombines = true},
    ChannelRule{
        .op_type = "AveragePool", .keeps_channels = true, .homogeneous = true, .recombines = true},
    ChannelRule{.op_type = "BatchNormalization", .keeps_channels = true},
    ChannelRule{.op_type = "Celu", .keeps_channels = true},
    ChannelRule{.op_type = "Clip", .keeps_channels = true},
    ChannelRule{.op_type = "Concat", .recombines = true},
    ChannelRule{.op_type = "DepthToSpace", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Div"},
    ChannelRule{
        .op_type = "Dropout", .keeps_values = true, .keeps_channels = true, .homogeneous = true},
    ChannelRule{.op_type = "Elu", .keeps_channels = true},
    ChannelRule{.op_type = "Erf", .keeps_channels = true},
    ChannelRule{.op_type = "Exp", .keeps_channels = true},
    ChannelRule{.op_type = "Expand", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Flatten", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Gather", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "GatherElements", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "GatherND", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Gelu", .keeps_channels = true},
    ChannelRule{.op_type = "GlobalAveragePool",
                .keeps_channels = true,
                .homogeneous = true,
                .recombines = true},
    ChannelRule{.op_type = "GlobalMaxPool",
                .keeps_values = true,
                .keeps_channels = true,
                .homogeneous = true},
    ChannelRule{.op_type = "HardSigmoid", .keeps_channels = true},
    ChannelRule{.op_type = "HardSwish", .keeps_channels = true},
    ChannelRule{
        .op_type = "Identity", .keeps_values = true, .keeps_channels = true, .homogeneous = true},
    ChannelRule{.op_type = "InstanceNormalization", .keeps_channels = true},
    ChannelRule{.op_type = "LeakyRelu", .keeps_channels = true, .homogeneous = true},
    ChannelRule{
        .op_type = "MaxPool", .keeps_values = true, .keeps_channels = true, .homogeneous = true},
    ChannelRule{.op_type = "Mul"},
    ChannelRule{.op_type = "Neg", .keeps_channels = true, .homogeneous = true},
    ChannelRule{.op_type = "PRelu", .keeps_channels = true, .homogeneous = true},
    ChannelRule{.op_type = "Pad", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "ReduceMax", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "ReduceMean", .homogeneous = true},
    ChannelRule{.op_type = "ReduceMin", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "ReduceSum", .homogeneous = true},
    ChannelRule{.op_type = "Relu", .keeps_channels = true, .homogeneous = true},
    ChannelRule{.op_type = "Reshape", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Resize", .homogeneous = true},
    ChannelRule{.op_type = "Selu", .keeps_channels = true},
    ChannelRule{.op_type = "Sigmoid", .keeps_channels = true},
    ChannelRule{.op_type = "Slice", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Softplus", .keeps_channels = true},
    ChannelRule{.op_type = "SpaceToDepth", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Split", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Squeeze", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Sub"},
    ChannelRule{.op_type = "Tanh", .keeps_channels = true},
    ChannelRule{.op_type = "Tile", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Transpose", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Unsqueeze", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Upsample", .homogeneous = true},
};
static_assert(std::ranges::is_sorted(rules, {}, &ChannelRule::op_type));

// Resize and Upsample that pick values instead of blending them.
constexpr std::array nearest_rules{
    ChannelRule{.op_type = "Resize", .keeps_values = true, .homogeneous = true},
    ChannelRule{.op_type = "Upsample", .keeps_values = true, .homogeneous = true},
};

bool is_given(const onnx::NodeProto& node, int index) {
  return index < node.input_size() && !node.input(index).empty();
}

// Forms of an operator of which the row would not be true.
bool is_exception(const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  // A training_mode is not looked up: models for inference do not give one.
  if (op == "Dropout") return is_given(node, 2);
  if (op == "BatchNormalization") return int_attribute(node, "training_mode", 0) != 0;
  // Filled with a number that need not be one of the input's: zero is on every grid.
  if (op == "Pad") {
    const bool constant = string_attribute(node, "mode", "constant") == "constant";
    return constant && (is_given(node, 2) || float_attribute(node, "value", 0.0F) != 0.0F);
  }
  if (op == "Resize")
    return string_attribute(node, "coordinate_transformation_mode", "half_pixel") ==
           "tf_crop_and_resize";
  return false;
}

const ChannelRule* row_of(std::span<const ChannelRule> table, std::string_view op_type) {
  const auto found = std::ranges::find(table, op_type, &ChannelRule::op_type);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

const ChannelRule* find_channel_rule(const onnx::NodeProto& node) {
  if (!in_default_domain(node) || is_exception(node)) return nullptr;
  if (const ChannelRule* nearest = row_of(nearest_rules, node.op_type());
      nearest != nullptr && string_attribute(node, "mode", "nearest") == "nearest")
    return nearest;
  return row_of(rules, node.op_type());
}

std::vector<std::string> channel_rule_names() {
  std::vector<std::string> names;
  for (const ChannelRule& rule : rules) names.emplace_back(rule.op_type);
  return names;
}

}  // namespace ocs
