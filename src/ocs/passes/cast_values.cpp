#include "ocs/passes/cast_values.h"

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include <onnx/onnx_pb.h>

namespace ocs {
namespace {

using onnx::TensorProto;

// `value` as To where ONNX defines the result: towards zero, inside the range.
template <typename To, typename From>
std::optional<To> cast_value(From value) {
  if constexpr (std::is_same_v<From, Boolean>) {
    return cast_value<To>(static_cast<std::uint8_t>(value));
  } else if constexpr (std::is_same_v<To, Boolean>) {
    return value != From{} ? Boolean::yes : Boolean::no;
  } else if constexpr (std::is_floating_point_v<To>) {
    if constexpr (std::is_same_v<From, double> && std::is_same_v<To, float>) {
      constexpr auto largest = static_cast<double>(std::numeric_limits<float>::max());
      if (std::isfinite(value) && std::abs(value) > largest) return std::nullopt;
    }
    return static_cast<To>(value);
  } else if constexpr (std::is_floating_point_v<From>) {
    const double whole = std::trunc(static_cast<double>(value));
    const auto low = static_cast<double>(std::numeric_limits<To>::min());
    const double past = std::exp2(std::numeric_limits<To>::digits);
    if (std::isnan(whole) || whole < low || whole >= past) return std::nullopt;
    return static_cast<To>(whole);
  } else {
    if (!std::in_range<To>(value)) return std::nullopt;
    return static_cast<To>(value);
  }
}

template <typename To>
std::optional<Values> cast_all(const Values& values) {
  return std::visit(
      [](const auto& from) -> std::optional<Values> {
        std::vector<To> to;
        to.reserve(from.size());
        for (const auto value : from) {
          const std::optional<To> cast = cast_value<To>(value);
          if (!cast) return std::nullopt;
          to.push_back(*cast);
        }
        return to;
      },
      values);
}

}  // namespace

std::optional<Values> cast_values(const Values& values, std::int64_t to) {
  switch (to) {
    case TensorProto::FLOAT:
      return cast_all<float>(values);
    case TensorProto::DOUBLE:
      return cast_all<double>(values);
    case TensorProto::INT64:
      return cast_all<std::int64_t>(values);
    case TensorProto::INT32:
      return cast_all<std::int32_t>(values);
    case TensorProto::INT16:
      return cast_all<std::int16_t>(values);
    case TensorProto::INT8:
      return cast_all<std::int8_t>(values);
    case TensorProto::UINT16:
      return cast_all<std::uint16_t>(values);
    case TensorProto::UINT8:
      return cast_all<std::uint8_t>(values);
    case TensorProto::BOOL:
      return cast_all<Boolean>(values);
    default:
      return std::nullopt;
  }
}

}  // namespace ocs
