#include "support/models.h"

#include <algorithm>

#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

template <typename T>
std::vector<T> draw(Random& random, std::size_t count) {
  std::vector<T> values(count);
  for (T& value : values) {
    if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<T>(random.normal());
    } else {
      value = static_cast<T>(random.below(std::is_same_v<T, Boolean> ? 2 : 4));
    }
  }
  return values;
}

Values draw(Random& random, ElementType type, std::size_t count) {
  switch (type) {
    case ElementType::float32:
      return draw<float>(random, count);
    case ElementType::float64:
      return draw<double>(random, count);
    case ElementType::int64:
      return draw<std::int64_t>(random, count);
    case ElementType::int32:
      return draw<std::int32_t>(random, count);
    case ElementType::int16:
      return draw<std::int16_t>(random, count);
    case ElementType::int8:
      return draw<std::int8_t>(random, count);
    case ElementType::uint16:
      return draw<std::uint16_t>(random, count);
    case ElementType::uint8:
      return draw<std::uint8_t>(random, count);
    case ElementType::boolean:
      return draw<Boolean>(random, count);
  }
  throw_internal("unknown element type");
}

}  // namespace

std::vector<std::string> op_types(const Model& model) {
  std::vector<std::string> types;
  for (const auto& node : model.graph().node()) types.push_back(node.op_type());
  return types;
}

std::vector<std::string> node_names(const Model& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().node()) names.push_back(node.name());
  return names;
}

std::vector<std::string> initializer_names(const Model& model) {
  std::vector<std::string> names;
  for (const auto& tensor : model.graph().initializer()) names.push_back(tensor.name());
  return names;
}

const onnx::NodeProto& node_of(const Model& model, std::string_view name) {
  for (const auto& node : model.graph().node())
    if (node.name() == name) return node;
  throw_bad_input("no node is named '" + std::string(name) + "'");
}

Tensor initializer_of(const Model& model, std::string_view name) {
  for (const auto& tensor : model.graph().initializer())
    if (tensor.name() == name) return to_tensor(tensor);
  throw_bad_input("no initializer is named '" + std::string(name) + "'");
}

NamedTensors random_inputs(const Model& model, std::uint64_t seed, std::int64_t free_extent) {
  Random random(seed);
  NamedTensors inputs;
  for (const Port& port : model.inputs()) {
    Tensor tensor{.shape = port.shape};
    std::ranges::replace(tensor.shape, -1, free_extent);
    tensor.values = draw(random, port.type, static_cast<std::size_t>(element_count(tensor.shape)));
    inputs.emplace(port.name, std::move(tensor));
  }
  return inputs;
}

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  return {.shape = shape,
          .values = Random(seed).normals(static_cast<std::size_t>(element_count(shape)))};
}

Samples random_samples(const std::string& input, const Shape& shape, std::size_t count) {
  return {.count = count,
          .load =
              [input, shape](std::size_t i) {
                return Sample{.name = "sample " + std::to_string(i),
                              .inputs = {{input, random_tensor(shape, i + 1)}}};
              },
          .source = "random"};
}

}  // namespace ocs
