#include "ocs/core/random.h"
#include "ocs/data/open_samples.h"

namespace ocs {
namespace {

// What stands for a free extent; see open_samples.h.
std::int64_t extent_for(const Shape& shape, std::size_t axis) {
  if (shape[axis] >= 0) return shape[axis];
  if (axis == 0) return 1;
  if (shape.size() != 4) return 16;
  const bool channels_last = shape[3] >= 1 && shape[3] <= 4;
  return axis == 1 && !channels_last ? 3 : 224;
}

Shape shape_for(const Port& input) {
  Shape shape;
  for (std::size_t axis = 0; axis < input.shape.size(); ++axis)
    shape.push_back(extent_for(input.shape, axis));
  return shape;
}

template <typename T>
Tensor whole_numbers(const Shape& shape, Random& random) {
  std::vector<T> values(static_cast<std::size_t>(element_count(shape)));
  for (T& value : values) value = static_cast<T>(random.below(2));
  return {.shape = shape, .values = std::move(values)};
}

Tensor made_up(const Port& input, Random& random) {
  const Shape shape = shape_for(input);
  const auto size = static_cast<std::size_t>(element_count(shape));
  switch (input.type) {
    case ElementType::float32:
      return {.shape = shape, .values = random.normals(size)};
    case ElementType::float64: {
      std::vector<double> values(size);
      for (double& value : values) value = random.normal();
      return {.shape = shape, .values = std::move(values)};
    }
    case ElementType::int64:
      return whole_numbers<std::int64_t>(shape, random);
    case ElementType::int32:
      return whole_numbers<std::int32_t>(shape, random);
    case ElementType::int16:
      return whole_numbers<std::int16_t>(shape, random);
    case ElementType::int8:
      return whole_numbers<std::int8_t>(shape, random);
    case ElementType::uint16:
      return whole_numbers<std::uint16_t>(shape, random);
    case ElementType::uint8:
      return whole_numbers<std::uint8_t>(shape, random);
    case ElementType::boolean:
      return whole_numbers<Boolean>(shape, random);
  }
  return {};
}

}  // namespace

Samples synthetic_samples(const std::vector<Port>& inputs, std::size_t count, std::uint64_t seed) {
  Samples samples{.count = count, .synthetic = true, .source = "made-up data"};
  samples.load = [inputs, seed](std::size_t i) {
    // An odd factor spreads neighbouring indices over all seeds (the constant of splitmix64).
    Random random(seed + (i + 1) * 0x9E3779B97F4A7C15ULL);
    Sample sample{.name = "synthetic[" + std::to_string(i) + "]"};
    for (const Port& input : inputs) sample.inputs[input.name] = made_up(input, random);
    return sample;
  };
  return samples;
}

}  // namespace ocs
