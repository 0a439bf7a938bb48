#include "ocs/costs/micro_model.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ocs/core/random.h"
#include "ocs/graph/edit.h"

namespace ocs {
namespace {

constexpr float activation_scale = 0.05F;
constexpr std::int64_t opset = 17;

void set_shape(onnx::ValueInfoProto& value, const std::string& name, const Shape& shape) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : shape) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

Tensor integers(const Shape& shape, std::uint64_t seed) {
  std::vector<std::int8_t> values;
  Random random(seed);
  for (const float value : random.normals(static_cast<std::size_t>(element_count(shape))))
    values.push_back(static_cast<std::int8_t>(std::clamp(std::lround(40.0F * value), -127L, 127L)));
  return {.shape = shape, .values = std::move(values)};
}

// Builds a chain of layers, value by value.
class Chain {
 public:
  explicit Chain(const MicroModel& micro) : micro_(micro) {
    onnx::ModelProto& proto = model_.proto();
    proto.set_ir_version(8);
    model_.set_opset(opset);
    model_.graph().set_name("micro");
    set_shape(*model_.graph().add_input(), "x", shape_of(micro.narrow));
    scale_ = add_initializer(model_, "scale",
                             Tensor{.shape = {}, .values = std::vector{activation_scale}});
    zero_ = add_initializer(model_, "zero",
                            Tensor{.shape = {}, .values = std::vector<std::uint8_t>{128}});
    value_ = rounded("x");
  }

  Model build() {
    for (int i = 0; i < micro_.pairs; ++i) {
      layer(micro_.narrow, micro_.wide, 1);
      if (micro_.move) copy_channels();
      layer(micro_.wide + (micro_.move ? micro_.copies : 0), micro_.narrow, 2);
    }
    set_shape(*model_.graph().add_output(), value_, shape_of(micro_.narrow));
    return std::move(model_);
  }

 private:
  [[nodiscard]] Shape shape_of(std::int64_t channels) const {
    if (micro_.kernel == Kernel::matmul) return {micro_.extent, channels};
    return {1, channels, micro_.extent, micro_.extent};
  }

  std::string node(const std::string& op, const std::vector<std::string>& inputs) {
    const std::string result = model_.unique_name("v");
    add_node(model_, op, op, inputs, {result});
    return result;
  }

  std::string rounded(const std::string& value) {
    return node("DequantizeLinear",
                {node("QuantizeLinear", {value, scale_, zero_}), scale_, zero_});
  }

  void layer(std::int64_t inputs, std::int64_t outputs, std::uint64_t seed) {
    const bool is_matmul = micro_.kernel == Kernel::matmul;
    const bool is_depthwise = micro_.kernel == Kernel::depthwise;
    const Shape shape = is_matmul
                            ? Shape{inputs, outputs}
                            : Shape{outputs, is_depthwise ? 1 : inputs, micro_.taps, micro_.taps};
    const double terms =
        static_cast<double>((is_depthwise ? 1 : inputs) * micro_.taps * micro_.taps);
    // So that sums neither vanish nor leave the range, whatever the layer.
    const auto scale = static_cast<float>(1.0 / (40.0 * std::sqrt(terms)));
    const std::string weight = node(
        "DequantizeLinear",
        {add_initializer(model_, "w", integers(shape, seed)),
         add_initializer(model_, "s", Tensor{.shape = {}, .values = std::vector{scale}}),
         add_initializer(model_, "z", Tensor{.shape = {}, .values = std::vector<std::int8_t>{0}})});
    const std::string result = model_.unique_name("v");
    onnx::NodeProto& made =
        add_node(model_, is_matmul ? "MatMul" : "Conv", "layer", {value_, weight}, {result});
    if (!is_matmul) {
      set_attribute(made, "pads", std::vector<std::int64_t>(4, micro_.taps / 2));
      if (is_depthwise) set_attribute(made, "group", outputs);
    }
    value_ = rounded(result);
  }

  // On the integers, as the program writes it: between two pairs of Q and DQ of one scale.
  void copy_channels() {
    const std::int64_t axis = 1;
    const std::string integer = node("QuantizeLinear", {value_, scale_, zero_});
    std::string wider;
    if (*micro_.move == Move::gather) {
      std::vector<std::int64_t> indices;
      for (std::int64_t c = 0; c < micro_.wide; ++c) indices.push_back(c);
      // Copies of channels that do not lie side by side.
      for (std::int64_t c = 0; c < micro_.copies; ++c)
        indices.push_back(c * micro_.wide / micro_.copies);
      wider = model_.unique_name("v");
      const auto count = static_cast<std::int64_t>(indices.size());
      onnx::NodeProto& made = add_node(
          model_, "Gather", "gather",
          {integer, add_initializer(model_, "indices",
                                    Tensor{.shape = {count}, .values = std::move(indices)})},
          {wider});
      set_attribute(made, "axis", axis);
    } else {
      const auto one = [&](std::int64_t value) {
        return add_initializer(model_, "i",
                               Tensor{.shape = {1}, .values = std::vector<std::int64_t>{value}});
      };
      const std::string some = node("Slice", {integer, one(0), one(micro_.copies), one(axis)});
      wider = model_.unique_name("v");
      set_attribute(add_node(model_, "Concat", "concat", {integer, some}, {wider}), "axis", axis);
    }
    value_ = node("DequantizeLinear", {wider, scale_, zero_});
  }

  MicroModel micro_;
  Model model_{};
  std::string scale_{};
  std::string zero_{};
  std::string value_{};
};

}  // namespace

Model build(const MicroModel& micro) { return Chain(micro).build(); }

std::vector<KernelWork> work_of_pair(const MicroModel& micro) {
  const bool is_depthwise = micro.kernel == Kernel::depthwise;
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  const double positions =
      number(micro.kernel == Kernel::matmul ? micro.extent : micro.extent * micro.extent);
  KernelWork there{.kernel = micro.kernel,
                   .inputs = is_depthwise ? 1.0 : number(micro.narrow),
                   .outputs = number(micro.wide),
                   .taps = number(micro.taps * micro.taps),
                   .positions = positions};
  KernelWork back = there;
  if (!is_depthwise) {
    back.inputs = number(micro.wide + (micro.move ? micro.copies : 0));
    back.outputs = number(micro.narrow);
  }
  return {there, back};
}

double moved_values(const MicroModel& micro) {
  if (!micro.move) return 0.0;
  return static_cast<double>((micro.wide + micro.copies) * micro.extent * micro.extent);
}

std::string name_of(const MicroModel& micro) {
  return fmt::format(
      "{}{} {}-{} at {}{}", kernel_names[static_cast<std::size_t>(micro.kernel)],
      micro.taps > 1 ? fmt::format(" {0}x{0}", micro.taps) : "", micro.narrow, micro.wide,
      micro.extent,
      micro.move ? fmt::format(", {} of {}", move_names[static_cast<std::size_t>(*micro.move)],
                               micro.copies)
                 : "");
}

std::vector<MicroModel> micro_models() {
  struct Size {
    std::int64_t narrow, wide, extent;
  };
  std::vector<MicroModel> models;
  const auto add = [&](Kernel kernel, std::int64_t taps, const std::vector<Size>& sizes) {
    for (const Size& size : sizes)
      models.push_back({.kernel = kernel,
                        .narrow = size.narrow,
                        .wide = size.wide,
                        .extent = size.extent,
                        .taps = taps});
  };
  add(Kernel::pointwise, 1,
      {{16, 32, 56},
       {32, 64, 28},
       {64, 64, 56},
       {64, 80, 56},
       {64, 256, 28},
       {128, 512, 14},
       {256, 256, 14},
       {256, 1024, 14},
       {512, 512, 7},
       {512, 2048, 7}});
  add(Kernel::spatial, 3,
      {{16, 16, 32},
       {32, 32, 28},
       {32, 64, 56},
       {64, 64, 28},
       {64, 80, 28},
       {128, 128, 14},
       {128, 128, 28},
       {256, 256, 14},
       {512, 512, 7}});
  add(Kernel::depthwise, 3,
      {{32, 32, 56}, {96, 96, 56}, {192, 192, 28}, {384, 384, 14}, {960, 960, 7}});
  // Off the tile of 16 channels, by 8 and by other numbers.
  add(Kernel::depthwise, 3,
      {{24, 24, 56}, {100, 100, 56}, {200, 200, 28}, {396, 396, 14}, {968, 968, 7}});
  add(Kernel::matmul, 1,
      {{128, 256, 1},
       {512, 1024, 1},
       {2048, 4096, 1},  // weights that no cache next to a core holds
       {384, 384, 32},
       {384, 1536, 64},
       {256, 256, 128}});
  // Each with the plain pair that it is compared with.
  for (const Size& size : {Size{32, 32, 28}, Size{64, 64, 28}, Size{64, 64, 56}, Size{128, 128, 28},
                           Size{256, 256, 14}, Size{256, 256, 28}, Size{512, 512, 14},
                           Size{512, 512, 7}, Size{1024, 1024, 7}}) {
    MicroModel micro{.kernel = Kernel::pointwise,
                     .narrow = size.narrow,
                     .wide = size.wide,
                     .extent = size.extent};
    const auto is_same = [&](const MicroModel& other) { return name_of(other) == name_of(micro); };
    if (std::ranges::none_of(models, is_same)) models.push_back(micro);
    micro.copies = size.wide / 16;
    for (const Move move : {Move::gather, Move::slice}) {
      micro.move = move;
      models.push_back(micro);
    }
  }
  return models;
}

}  // namespace ocs
