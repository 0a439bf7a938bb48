#include "ocs/core/tensor.h"

#include <array>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {

std::int64_t element_count(std::span<const std::int64_t> shape) {
  constexpr std::int64_t limit = std::int64_t{1} << 62;
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0)
      throw_bad_input("shape " + to_string(shape) + " has an extent that is not known");
    if (extent != 0 && count > limit / extent)
      throw_bad_input("shape " + to_string(shape) + " is too large");
    count *= extent;
  }
  return count;
}

std::string to_string(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t extent : shape) {
    if (text.size() > 1) text += ',';
    text += extent < 0 ? "?" : std::to_string(extent);
  }
  return text + "]";
}

std::string_view name_of(ElementType type) {
  static constexpr std::array<std::string_view, 9> names{
      "float", "double", "int64", "int32", "int16", "int8", "uint16", "uint8", "bool"};
  return names.at(static_cast<std::size_t>(type));
}

namespace detail {
void throw_wrong_type(ElementType wanted, ElementType found) {
  throw_bad_input(
      fmt::format("expected a tensor of type {}, found {}", name_of(wanted), name_of(found)));
}
}  // namespace detail

TensorView view(const Tensor& tensor) {
  return {.shape = tensor.shape,
          .type = tensor.type(),
          .data = std::visit([](const auto& held) -> const void* { return held.data(); },
                             tensor.values)};
}

namespace {
// Calls work(std::span<const T>) with the view's own element type.
template <typename Work>
auto with_values(const TensorView& view, Work&& work) {
  switch (view.type) {
    case ElementType::float32:
      return work(view.as<float>());
    case ElementType::float64:
      return work(view.as<double>());
    case ElementType::int64:
      return work(view.as<std::int64_t>());
    case ElementType::int32:
      return work(view.as<std::int32_t>());
    case ElementType::int16:
      return work(view.as<std::int16_t>());
    case ElementType::int8:
      return work(view.as<std::int8_t>());
    case ElementType::uint16:
      return work(view.as<std::uint16_t>());
    case ElementType::uint8:
      return work(view.as<std::uint8_t>());
    case ElementType::boolean:
      return work(view.as<Boolean>());
  }
  throw_internal("tensor view of an unknown element type");
}
}  // namespace

Tensor copy(const TensorView& view) {
  return with_values(view, [&](auto values) {
    using T = typename decltype(values)::value_type;
    return Tensor{.shape = Shape(view.shape.begin(), view.shape.end()),
                  .values = std::vector<T>(values.begin(), values.end())};
  });
}

std::vector<float> to_floats(const TensorView& view) {
  return with_values(view, [](auto values) {
    std::vector<float> floats;
    floats.reserve(values.size());
    for (const auto value : values) floats.push_back(static_cast<float>(value));
    return floats;
  });
}

}  // namespace ocs
