// The text form of a method chosen from a variant of option structs (docs/adr/0003), derived from
// the structs themselves: `name`, `help`, `fields()` and, where numbers have limits, `problem()`.
//
//   "mse"              a name alone: every option at its default
//   "percentile:99.9"  a number option is its value, in the order of fields()
//   "aciq:std"         a switch is its name
//   "x:1,2,fast"       several options
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "ocs/core/fields.h"

namespace ocs {

struct OptionText {
  std::string name{};
  std::string help{};
  bool is_switch = false;
};
struct MethodText {
  std::string name{};
  std::string help{};
  std::vector<OptionText> options{};
};

namespace detail {

struct MethodWords {
  std::string name{};
  std::vector<std::string> options{};
};
[[nodiscard]] MethodWords method_words(std::string_view text);
[[nodiscard]] double option_number(std::string_view word, std::string_view text);
[[nodiscard]] std::string option_text(double value);
[[nodiscard]] std::string joined(std::string_view name, const std::vector<std::string>& options);
[[noreturn]] void throw_unknown_method(std::string_view what, std::string_view name,
                                       const std::vector<std::string>& known);
[[noreturn]] void throw_unknown_option(std::string_view name, std::string_view word);
[[noreturn]] void throw_out_of_range(std::string_view text, std::string_view problem);

template <typename Option>
constexpr bool is_switch = std::is_same_v<Option, bool>;

// Calls visit(Field) for every option of the method, in order.
template <typename Method, typename Visit>
void for_each_field(Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, Method::fields());
}

// Gives one word of the text to the option that it means; `numbers` counts the number options set
// so far. Switches come first: their names are no numbers.
template <typename Method>
void set_option_word(Method& method, const std::string& word, std::string_view text, int& numbers) {
  bool taken = false;
  int number = 0;
  for_each_field<Method>([&](const auto& field) {
    if constexpr (is_switch<std::remove_reference_t<decltype(method.*field.member)>>) {
      if (word == field.name) method.*field.member = taken = true;
    } else {
      ++number;
    }
  });
  if (taken) return;
  if (numbers == number) throw_unknown_option(Method::name, word);
  const double value = option_number(word, text);
  number = 0;
  for_each_field<Method>([&](const auto& field) {
    using Option = std::remove_reference_t<decltype(method.*field.member)>;
    if constexpr (!is_switch<Option>) {
      static_assert(std::is_same_v<Option, double>, "an option is a bool or a double");
      if (number++ == numbers) method.*field.member = value;
    }
  });
  ++numbers;
}

template <typename Method>
Method method_from_words(const MethodWords& words, std::string_view text) {
  Method method{};
  int numbers = 0;
  for (const std::string& word : words.options) {
    set_option_word(method, word, text, numbers);
  }
  if constexpr (requires { method.problem(); }) {
    if (!method.problem().empty()) {
      throw_out_of_range(text, method.problem());
    }
  }
  return method;
}

template <typename Choice>
struct Alternatives;
template <typename... Method>
struct Alternatives<std::variant<Method...>> {
  template <typename Visit>
  static void for_each(Visit&& visit) {
    (visit(std::type_identity<Method>{}), ...);
  }
};

}  // namespace detail

// The names of all methods, without options, in the order of the variant.
template <typename Choice>
[[nodiscard]] std::vector<std::string> method_names() {
  std::vector<std::string> names;
  detail::Alternatives<Choice>::for_each(
      [&]<typename Method>(std::type_identity<Method>) { names.emplace_back(Method::name); });
  return names;
}

// Names, options and help of all methods: for --help, `ocs methods` and the tables of the docs.
template <typename Choice>
[[nodiscard]] std::vector<MethodText> describe_methods() {
  std::vector<MethodText> texts;
  detail::Alternatives<Choice>::for_each([&]<typename Method>(std::type_identity<Method>) {
    MethodText text{.name = std::string(Method::name), .help = std::string(Method::help)};
    detail::for_each_field<Method>([&](const auto& field) {
      using Option = std::remove_cvref_t<decltype(std::declval<Method>().*field.member)>;
      text.options.push_back({.name = std::string(field.name),
                              .help = std::string(field.help),
                              .is_switch = detail::is_switch<Option>});
    });
    texts.push_back(std::move(text));
  });
  return texts;
}

// The method that `text` names; `what` is the word for messages ("clip method"). Throws
// Error(bad_input) for an unknown name or option, a number that is none, and one out of range.
template <typename Choice>
[[nodiscard]] Choice parse_method(std::string_view text, std::string_view what) {
  const detail::MethodWords words = detail::method_words(text);
  Choice choice{};
  bool found = false;
  detail::Alternatives<Choice>::for_each([&]<typename Method>(std::type_identity<Method>) {
    if (!found && words.name == Method::name) {
      choice = detail::method_from_words<Method>(words, text);
      found = true;
    }
  });
  if (!found) {
    detail::throw_unknown_method(what, words.name, method_names<Choice>());
  }
  return choice;
}

// The text that parse_method takes: numbers in their shortest form that reads back to the same.
template <typename Choice>
[[nodiscard]] std::string method_text(const Choice& choice) {
  return std::visit(
      []<typename Method>(const Method& method) {
        std::vector<std::string> options;
        detail::for_each_field<Method>([&](const auto& field) {
          const auto& value = method.*field.member;
          if constexpr (detail::is_switch<std::remove_cvref_t<decltype(value)>>) {
            if (value) {
              options.emplace_back(field.name);
            }
          } else {
            options.push_back(detail::option_text(value));
          }
        });
        return detail::joined(Method::name, options);
      },
      choice);
}

}  // namespace ocs
