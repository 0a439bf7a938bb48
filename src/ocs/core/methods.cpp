#include "ocs/core/methods.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/core/parse_number.h"

namespace ocs::detail {

MethodWords method_words(std::string_view text) {
  const std::size_t colon = text.find(':');
  MethodWords words{.name = std::string(text.substr(0, colon))};
  if (colon == std::string_view::npos) {
    return words;
  }
  for (std::string_view rest = text.substr(colon + 1);;) {
    const std::size_t comma = rest.find(',');
    words.options.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) {
      return words;
    }
    rest.remove_prefix(comma + 1);
  }
}

double option_number(std::string_view word, std::string_view text) {
  return while_doing(fmt::format("'{}'", text), [&] { return parse_number<double>(word); });
}

std::string option_text(double value) { return fmt::format("{}", value); }

std::string joined(std::string_view name, const std::vector<std::string>& options) {
  return options.empty() ? std::string(name) : fmt::format("{}:{}", name, fmt::join(options, ","));
}

void throw_unknown_method(std::string_view what, std::string_view name,
                          const std::vector<std::string>& known) {
  throw_bad_input(fmt::format("no {} named '{}'{}; known: {}", what, name,
                              did_you_mean(name, known), fmt::join(known, ", ")));
}

void throw_unknown_option(std::string_view name, std::string_view word) {
  throw_bad_input(fmt::format("'{}' takes no option '{}'", name, word));
}

void throw_out_of_range(std::string_view text, std::string_view problem) {
  throw_bad_input(fmt::format("'{}': {}", text, problem));
}

}  // namespace ocs::detail
