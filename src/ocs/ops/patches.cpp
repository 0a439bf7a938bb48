#include "ocs/ops/patches.h"

#include <algorithm>
#include <cmath>
#include <span>
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

constexpr std::int64_t in_padding = -1;

// Offset of every tap from the start of a channel at an output position, or in_padding.
void find_taps(const std::vector<WindowAxis>& axes, std::int64_t position,
               std::span<std::int64_t> offsets) {
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
    offsets[tap] = inside ? offset : in_padding;
  }
}

// Where the rows read: of each the item, and the offsets of its taps from the start of a channel.
struct Reads {
  std::vector<std::int64_t> items{};
  std::vector<std::int64_t> offsets{};  // rows * taps
};

Reads find_reads(const std::vector<WindowAxis>& axes, const std::vector<std::int64_t>& positions,
                 std::int64_t taps) {
  const std::int64_t positions_of_item = spatial_count(axes);
  const auto count = static_cast<std::size_t>(taps);
  Reads reads{.offsets = std::vector<std::int64_t>(positions.size() * count)};
  for (std::size_t row = 0; row < positions.size(); ++row) {
    reads.items.push_back(positions[row] / positions_of_item);
    find_taps(axes, positions[row] % positions_of_item,
              std::span(reads.offsets).subspan(row * count, count));
  }
  return reads;
}

// Channels whose values are copied row by row: enough to fill the cache lines that are written, few enough for the processor to
// follow the places that are read.
constexpr std::int64_t channels_at_once = 16;

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

std::vector<Patches> plain_patches(const ChannelMatrix& weight, int axis, const TensorView& data,
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
  return {patches};
}

std::vector<Patches> window_patches(const onnx::NodeProto& node, const ChannelMatrix& weight,
                                    const TensorView& data, const PositionChoice& choice) {
  const Shape shape(data.shape.begin(), data.shape.end());
  const std::vector<WindowAxis> axes = window_axes(node, shape);
  if (axes.empty() || shape[1] != weight.columns())
    throw_bad_input("has the shape " + to_string(shape) + ", which the window of node '" +
                    node.name() + "' does not fit");
  const std::vector<std::int64_t> positions = chosen(shape[0] * spatial_count(axes), choice);
  const Reads reads = find_reads(axes, positions, weight.taps);
  const std::int64_t size = element_count(std::span(shape).subspan(2));  // of a channel
  const float* values = data.as<float>().data();
  const std::int64_t rows = std::ssize(positions);
  const std::int64_t columns = weight.inputs * weight.taps;
  std::vector<Patches> groups(static_cast<std::size_t>(weight.groups),
                              {.rows = rows, .columns = columns});
  for (std::int64_t group = 0; group < weight.groups; ++group) {
    std::vector<float>& patches = groups[static_cast<std::size_t>(group)].values;
    patches.resize(static_cast<std::size_t>(rows * columns), 0.0F);
    for (std::int64_t first = 0; first < weight.inputs; first += channels_at_once) {
      const std::int64_t last = std::min(first + channels_at_once, weight.inputs);
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t* offsets = reads.offsets.data() + row * weight.taps;
        float* to = patches.data() + row * columns + first * weight.taps;
        const std::int64_t item = reads.items[static_cast<std::size_t>(row)];
        const float* channel = values + (item * shape[1] + group * weight.inputs + first) * size;
        for (std::int64_t c = first; c < last; ++c, channel += size)
          for (std::int64_t tap = 0; tap < weight.taps; ++tap, ++to)
            if (offsets[tap] != in_padding) *to = channel[offsets[tap]];
      }
    }
  }
  return groups;
}

}  // namespace ocs
