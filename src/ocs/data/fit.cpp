#include "ocs/data/fit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

bool extents_fit(std::span<const std::int64_t> found, std::span<const std::int64_t> wanted) {
  return std::ranges::equal(found, wanted,
                            [](std::int64_t f, std::int64_t w) { return w < 0 || f == w; });
}

std::span<const std::int64_t> behind_first(const Shape& shape) {
  return std::span(shape).subspan(1);
}

// The array as one sample.
std::optional<Cut> as_one(const Shape& array, const Port& input) {
  if (fits(array, input)) return Cut{.samples = 1, .rows = 0, .shape = array};
  if (input.shape.empty() && array == Shape{1}) return Cut{.samples = 1, .rows = 0, .shape = {}};
  if (!input.shape.empty() && (input.shape[0] < 0 || input.shape[0] == 1) &&
      extents_fit(array, behind_first(input.shape))) {
    Shape shape = array;
    shape.insert(shape.begin(), 1);
    return Cut{.samples = 1, .rows = 0, .shape = shape};
  }
  return std::nullopt;
}

// The array cut along its first axis; one sample where that has the input's own extent.
std::optional<Cut> as_many(const Shape& array, const Port& input) {
  if (array.empty() || array[0] == 0) return std::nullopt;
  if (array.size() == input.shape.size() &&
      extents_fit(behind_first(array), behind_first(input.shape))) {
    const std::int64_t rows = input.shape[0] < 0 ? 1 : input.shape[0];
    if (rows == 0 || array[0] % rows != 0) return std::nullopt;
    Shape shape = array;
    shape[0] = rows;
    return Cut{.samples = array[0] / rows, .rows = rows, .shape = shape};
  }
  if (array.size() == input.shape.size() + 1 && extents_fit(behind_first(array), input.shape)) {
    return Cut{.samples = array[0], .rows = 1, .shape = Shape(array.begin() + 1, array.end())};
  }
  return std::nullopt;
}

struct Choice {
  const Port* input = nullptr;
  const Shape* array = nullptr;
  std::optional<Cut> one{};
  std::optional<Cut> many{};

  [[nodiscard]] bool is_shared() const {
    return one.has_value() &&
           std::ranges::none_of(input->shape, [](std::int64_t extent) { return extent < 0; });
  }
};

std::vector<Choice> choices_for(const std::map<std::string, Shape>& arrays,
                                const std::vector<Port>& inputs) {
  std::vector<std::string> names;
  for (const Port& input : inputs) names.push_back(input.name);
  for (const auto& [name, shape] : arrays) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw_bad_input(fmt::format("the model has no input '{}'{}; it has {}", name,
                                did_you_mean(name, names), fmt::join(names, ", ")));
  }
  std::vector<Choice> choices;
  for (const Port& input : inputs) {
    const auto found = arrays.find(input.name);
    if (found == arrays.end())
      throw_bad_input("no data for the model's input '" + input.name + "'");
    const Shape& array = found->second;
    choices.push_back({.input = &input,
                       .array = &array,
                       .one = as_one(array, input),
                       .many = as_many(array, input)});
    const Choice& choice = choices.back();
    if (!choice.one && !choice.many) {
      throw_bad_input(fmt::format("the data for input '{}' has the shape {}, the model takes {}",
                                  input.name, to_string(array), to_string(input.shape)));
    }
  }
  return choices;
}

// The number of samples that all cut arrays agree on; 1 where they do not.
std::int64_t agreed_samples(const std::vector<Choice>& choices) {
  std::int64_t agreed = 1;
  for (const Choice& choice : choices) {
    const std::int64_t samples = choice.many ? choice.many->samples : 1;
    if (samples == 1 && choice.is_shared()) continue;
    if (samples == 1 || (agreed > 1 && samples != agreed)) return 1;
    agreed = samples;
  }
  return agreed;
}

template <typename To, typename From>
std::optional<To> converted(From value) {
  if constexpr (std::is_floating_point_v<From>) {
    if constexpr (std::is_floating_point_v<To>) return static_cast<To>(value);
    return std::nullopt;
  } else if constexpr (std::is_same_v<From, Boolean>) {
    return converted<To>(static_cast<int>(value));
  } else if constexpr (std::is_same_v<To, Boolean>) {
    if (value != 0 && value != 1) return std::nullopt;
    return value == 0 ? Boolean::no : Boolean::yes;
  } else if constexpr (std::is_floating_point_v<To>) {
    // 2^24 and 2^53: up to there every whole number is a value of the type.
    constexpr auto limit = std::int64_t{1} << (std::is_same_v<To, float> ? 24 : 53);
    const auto wide = static_cast<std::int64_t>(value);
    if (wide < -limit || wide > limit) return std::nullopt;
    return static_cast<To>(value);
  } else {
    if (!std::in_range<To>(value)) return std::nullopt;
    return static_cast<To>(value);
  }
}

template <typename From>
[[noreturn]] void throw_not_convertible(From value, ElementType from, ElementType to) {
  if constexpr (std::is_floating_point_v<From>) {
    throw_bad_input(
        fmt::format("the data is of type {}, the model takes {}", name_of(from), name_of(to)));
  } else {
    throw_bad_input(
        fmt::format("the value {} of type {} is no value of type {}, which the model takes",
                    static_cast<std::int64_t>(value), name_of(from), name_of(to)));
  }
}

template <typename To>
Tensor converted_to(const Tensor& tensor, ElementType type) {
  std::vector<To> values;
  std::visit(
      [&](const auto& held) {
        values.reserve(held.size());
        for (const auto value : held) {
          const std::optional<To> one = converted<To>(value);
          if (!one) throw_not_convertible(value, tensor.type(), type);
          values.push_back(*one);
        }
      },
      tensor.values);
  return {.shape = tensor.shape, .values = std::move(values)};
}

}  // namespace

bool fits(const Shape& shape, const Port& input) { return extents_fit(shape, input.shape); }

std::map<std::string, Cut> cut_arrays(const std::map<std::string, Shape>& arrays,
                                      const std::vector<Port>& inputs) {
  const std::vector<Choice> choices = choices_for(arrays, inputs);
  const std::int64_t samples = agreed_samples(choices);
  std::map<std::string, Cut> cuts;
  for (const Choice& choice : choices) {
    const bool is_cut = samples > 1 && choice.many && choice.many->samples == samples;
    const std::optional<Cut>& cut = is_cut || !choice.one ? choice.many : choice.one;
    if (!is_cut && cut->samples != 1) {
      throw_bad_input(
          fmt::format("the data for input '{}' holds {} samples (shape {}, the model takes {}), "
                      "that of other inputs another number",
                      choice.input->name, cut->samples, to_string(*choice.array),
                      to_string(choice.input->shape)));
    }
    cuts.emplace(choice.input->name, *cut);
  }
  return cuts;
}

Tensor convert(Tensor tensor, ElementType type) {
  if (tensor.type() == type) return tensor;
  switch (type) {
    case ElementType::float32:
      return converted_to<float>(tensor, type);
    case ElementType::float64:
      return converted_to<double>(tensor, type);
    case ElementType::int64:
      return converted_to<std::int64_t>(tensor, type);
    case ElementType::int32:
      return converted_to<std::int32_t>(tensor, type);
    case ElementType::int16:
      return converted_to<std::int16_t>(tensor, type);
    case ElementType::int8:
      return converted_to<std::int8_t>(tensor, type);
    case ElementType::uint16:
      return converted_to<std::uint16_t>(tensor, type);
    case ElementType::uint8:
      return converted_to<std::uint8_t>(tensor, type);
    case ElementType::boolean:
      return converted_to<Boolean>(tensor, type);
  }
  throw_internal("a model input of an unknown type");
}

}  // namespace ocs
