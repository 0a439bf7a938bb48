// Dense tensors as plain values: what samples are made of, what the engine takes and gives, what weights are read into.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ocs {

// Extents, outermost first. -1 stands for an extent that is free (only in the shapes of model inputs and outputs).
using Shape = std::vector<std::int64_t>;

// Product of the extents, 1 for a scalar. Throws Error(bad_input) for a negative extent or a product above 2^62.
[[nodiscard]] std::int64_t element_count(std::span<const std::int64_t> shape);

// "[1,3,224,224]"; a free extent prints as "?".
[[nodiscard]] std::string to_string(std::span<const std::int64_t> shape);

// A tensor of ONNX type bool; a type of its own so that it is not taken for uint8.
enum class Boolean : std::uint8_t { no = 0, yes = 1 };

enum class ElementType { float32, float64, int64, int32, int16, int8, uint16, uint8, boolean };
[[nodiscard]] std::string_view name_of(ElementType type);  // ONNX's words: "float", "int64", ...

// The order of the alternatives is the order of ElementType.
using Values =
    std::variant<std::vector<float>, std::vector<double>, std::vector<std::int64_t>,
                 std::vector<std::int32_t>, std::vector<std::int16_t>, std::vector<std::int8_t>,
                 std::vector<std::uint16_t>, std::vector<std::uint8_t>, std::vector<Boolean>>;

struct Tensor {
  Shape shape{};
  Values values{};

  [[nodiscard]] ElementType type() const { return static_cast<ElementType>(values.index()); }
  // The values as T; throws Error(bad_input) naming both types where the tensor holds another.
  template <typename T>
  [[nodiscard]] std::span<const T> as() const;
  template <typename T>
  [[nodiscard]] std::span<T> as();
  bool operator==(const Tensor&) const = default;
};

// Same by reference: valid as long as what it looks at.
struct TensorView {
  std::span<const std::int64_t> shape{};
  ElementType type = ElementType::float32;
  const void* data = nullptr;

  [[nodiscard]] std::int64_t size() const { return element_count(shape); }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const;
};

[[nodiscard]] TensorView view(const Tensor& tensor);
[[nodiscard]] Tensor copy(const TensorView& view);
// Values converted to float one by one (integers and booleans too).
[[nodiscard]] std::vector<float> to_floats(const TensorView& view);

using NamedTensors = std::map<std::string, Tensor>;

// One input or output of a model. Type float16 of ONNX is shown as float32: the engine converts at the border.
struct Port {
  std::string name{};
  ElementType type = ElementType::float32;
  Shape shape{};  // -1 where an extent is free
  bool operator==(const Port&) const = default;
};

namespace detail {
template <typename T>
constexpr ElementType element_type_of();
[[noreturn]] void throw_wrong_type(ElementType wanted, ElementType found);
}  // namespace detail

template <>
constexpr ElementType detail::element_type_of<float>() {
  return ElementType::float32;
}
template <>
constexpr ElementType detail::element_type_of<double>() {
  return ElementType::float64;
}
template <>
constexpr ElementType detail::element_type_of<std::int64_t>() {
  return ElementType::int64;
}
template <>
constexpr ElementType detail::element_type_of<std::int32_t>() {
  return ElementType::int32;
}
template <>
constexpr ElementType detail::element_type_of<std::int16_t>() {
  return ElementType::int16;
}
template <>
constexpr ElementType detail::element_type_of<std::int8_t>() {
  return ElementType::int8;
}
template <>
constexpr ElementType detail::element_type_of<std::uint16_t>() {
  return ElementType::uint16;
}
template <>
constexpr ElementType detail::element_type_of<std::uint8_t>() {
  return ElementType::uint8;
}
template <>
constexpr ElementType detail::element_type_of<Boolean>() {
  return ElementType::boolean;
}

template <typename T>
std::span<const T> Tensor::as() const {
  const auto* held = std::get_if<std::vector<T>>(&values);
  if (held == nullptr) detail::throw_wrong_type(detail::element_type_of<T>(), type());
  return *held;
}

template <typename T>
std::span<T> Tensor::as() {
  auto* held = std::get_if<std::vector<T>>(&values);
  if (held == nullptr) detail::throw_wrong_type(detail::element_type_of<T>(), type());
  return *held;
}

template <typename T>
std::span<const T> TensorView::as() const {
  if (type != detail::element_type_of<T>())
    detail::throw_wrong_type(detail::element_type_of<T>(), type);
  return {static_cast<const T*>(data), static_cast<std::size_t>(size())};
}

}  // namespace ocs
