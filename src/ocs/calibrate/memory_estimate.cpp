#include <map>
#include <optional>

#include "ocs/calibrate/bins.h"
#include "ocs/calibrate/collect.h"

namespace ocs {
namespace {

// Shapes by value name, as far as the model tells them.
std::map<std::string, Shape> shapes_of(const Model& model, std::int64_t batch) {
  std::map<std::string, Shape> shapes;
  const auto read = [&](const onnx::ValueInfoProto& value) {
    if (!value.type().has_tensor_type() || !value.type().tensor_type().has_shape()) return;
    Shape shape;
    for (const auto& extent : value.type().tensor_type().shape().dim()) {
      const std::int64_t free = shape.empty() ? batch : 1;
      shape.push_back(extent.has_dim_value() && extent.dim_value() >= 0 ? extent.dim_value()
                                                                        : free);
    }
    shapes[value.name()] = std::move(shape);
  };
  for (const auto& value : model.graph().input()) read(value);
  for (const auto& value : model.graph().output()) read(value);
  for (const auto& value : model.graph().value_info()) read(value);
  return shapes;
}

std::size_t channels_along(const Shape& shape, int axis) {
  const int from_front = axis < 0 ? axis + static_cast<int>(shape.size()) : axis;
  if (from_front < 0 || from_front >= static_cast<int>(shape.size())) return 0;
  return static_cast<std::size_t>(shape[static_cast<std::size_t>(from_front)]);
}

}  // namespace

MemoryEstimate memory_estimate(const Model& model, const std::vector<TensorRequest>& requests,
                               std::size_t threads, std::size_t batch) {
  // Where the shape is not told, as many channels as wide networks have.
  constexpr std::size_t assumed_channels = 2048;
  constexpr std::size_t channel_bytes = 2 * sizeof(ChannelMoments::Fixed) + sizeof(float);
  const std::map<std::string, Shape> shapes = shapes_of(model, static_cast<std::int64_t>(batch));
  MemoryEstimate estimate;
  std::size_t one_set = 0;
  for (const TensorRequest& request : requests) {
    const auto shape = shapes.find(request.name);
    one_set += sizeof(TensorStats) + (request.histogram ? bins::count * sizeof(std::int64_t) : 0);
    for (const int axis : request.channel_axes)
      one_set += channel_bytes *
                 (shape == shapes.end() ? assumed_channels : channels_along(shape->second, axis));
    if (shape == shapes.end()) {
      ++estimate.unknown_shapes;
    } else {
      estimate.activations +=
          threads * sizeof(float) * static_cast<std::size_t>(element_count(shape->second));
    }
  }
  estimate.statistics = (threads + 1) * one_set;
  // A copy of the model, its serialized form and the engine's own weights, for a moment all at
  // once.
  constexpr std::size_t copies = 3;
  estimate.model = copies * model.proto().ByteSizeLong();
  return estimate;
}

}  // namespace ocs
