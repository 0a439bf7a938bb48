#include "ocs/ops/patches.h"

#include <cmath>
#include <string>

#include "ocs/core/error.h"
#include "ocs/ops/window.h"

namespace ocs {
namespace {

std::int64_t spatial_count(const std::vector<WindowAxis>& axes) {
  std::int64_t count = 1;
  for (const WindowAxis& axis : axes) count *= axis.outputs();
  return count;
}

// Offset of every tap from the start of a channel at an output position; -1 in the padding.
void find_taps(const std::vector<WindowAxis>& axes, std::int64_t position,
               std::vector<std::int64_t>& offsets) {
  std::vector<std::int64_t> at(axes.size());
  for (std::size_t i = axes.size(); i-- > 0; position /= axes[i].outputs())
    at[i] = position % axes[i].outputs();
  for (std::size_t tap = 0; tap < offsets.size(); ++tap) {
    auto rest = static_cast<std::int64_t>(tap);
    std::int64_t offset = 0;
    std::int64_t extent = 1;
    bool inside = true;
    for (std::size_t i = axes.size(); i-- > 0; rest /= axes[i].kernel) {
      const std::int64_t index = axes[i].index(at[i], rest % axes[i].kernel);
      inside = inside && index >= 0 && index < axes[i].size;
      offset += index * extent;
      extent *= axes[i].size;
    }
    offsets[tap] = inside ? offset : -1;
  }
}

}  // namespace

std::vector<std::int64_t> chosen(std::int64_t positions, const PositionChoice& choice) {
  constexpr double golden = 0.6180339887498949;  // successive turns fall evenly into [0, 1)
  const std::int64_t count = std::min(positions, choice.most);
  const double whole = static_cast<double>(choice.turn) * golden;
  const double phase = count < positions ? whole - std::floor(whole) : 0.0;
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < count; ++i) {
    const double at = (static_cast<double>(i) + phase) * static_cast<double>(positions) /
                      static_cast<double>(count);
    result.push_back(std::min(static_cast<std::int64_t>(at), positions - 1));
  }
  return result;
}

Patches plain_patches(const ChannelMatrix& weight, int axis, const TensorView& data,
                      const PositionChoice& choice) {
  if (weight.taps != 1 || weight.groups != 1) throw_internal("patches of a weight with taps");
  const auto rank = static_cast<int>(data.shape.size());
  const auto at = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  if (at >= data.shape.size() || data.shape[at] != weight.inputs)
    throw_bad_input("has no axis of " + std::to_string(weight.inputs) + " channels in its shape " +
                    to_string(data.shape));
  const std::int64_t inner = element_count(data.shape.subspan(at + 1));
  const std::int64_t outer = element_count(data.shape.first(at));
  const std::vector<std::int64_t> positions = chosen(outer * inner, choice);
  const auto values = data.as<float>();
  Patches patches{.rows = std::ssize(positions), .columns = weight.inputs};
  patches.values.reserve(static_cast<std::size_t>(patches.rows * patches.columns));
  for (const std::int64_t position : positions) {
    const std::int64_t first = position / inner * weight.inputs * inner + position % inner;
    for (std::int64_t c = 0; c < weight.inputs; ++c)
      patches.values.push_back(values[static_cast<std::size_t>(first + c * inner)]);
  }
  return patches;
}

Patches window_patches(const onnx::NodeProto& node, const ChannelMatrix& weight,
                       const TensorView& data, std::int64_t group, const PositionChoice& choice) {
  const Shape shape(data.shape.begin(), data.shape.end());
  const std::vector<WindowAxis> axes = window_axes(node, shape);
  if (axes.empty() || shape[1] != weight.columns())
    throw_bad_input("has the shape " + to_string(shape) + ", which the window of node '" +
                    node.name() + "' does not fit");
  const std::int64_t positions_of_item = spatial_count(axes);
  const std::vector<std::int64_t> positions = chosen(shape[0] * positions_of_item, choice);
  const std::int64_t size = element_count(std::span(shape).subspan(2));  // of a channel
  const auto values = data.as<float>();
  Patches patches{.rows = std::ssize(positions), .columns = weight.inputs * weight.taps};
  patches.values.resize(static_cast<std::size_t>(patches.rows * patches.columns), 0.0F);
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(weight.taps));
  float* to = patches.values.data();
  for (const std::int64_t position : positions) {
    find_taps(axes, position % positions_of_item, offsets);
    const std::int64_t channel = position / positions_of_item * shape[1] + group * weight.inputs;
    for (std::int64_t c = 0; c < weight.inputs; ++c)
      for (const std::int64_t offset : offsets) {
        if (offset >= 0) *to = values[static_cast<std::size_t>((channel + c) * size + offset)];
        ++to;
      }
  }
  return patches;
}

}  // namespace ocs
