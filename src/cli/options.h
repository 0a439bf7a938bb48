// How commands declare options: every number is checked by our own reader, so that messages name
// option and text.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "ocs/core/error.h"
#include "ocs/core/parse_number.h"

namespace ocs::cli {

// An option that takes one text; given twice, the last one counts. `names` as CLI11 takes them
// ("-o,--output"), `metavar` for help.
CLI::Option* add_text(CLI::App& app, const std::string& names, const std::string& metavar,
                      const std::string& help, const std::function<void(const std::string&)>& set);
CLI::Option* add_text(CLI::App& app, const std::string& names, const std::string& metavar,
                      const std::string& help, std::string& value);

// One that may be given several times, a text each.
CLI::Option* add_list(CLI::App& app, const std::string& names, const std::string& metavar,
                      const std::string& help, const std::function<void(const std::string&)>& add);

// on or off; arguments() has made --name and --no-name of it before.
CLI::Option* add_switch(CLI::App& app, const std::string& names, const std::string& help,
                        const std::function<void(const std::string&)>& set);

template <typename Number>
CLI::Option* add_number(CLI::App& app, const std::string& names, const std::string& metavar,
                        const std::string& help, Number& value) {
  const std::string shown = names.substr(names.rfind(',') + 1);
  return add_text(app, names, metavar, help, [&value, shown](const std::string& text) {
    value = while_doing(shown, [&] { return parse_number<Number>(text); });
  });
}

// The same, empty where the option is not given.
template <typename Number>
CLI::Option* add_number(CLI::App& app, const std::string& names, const std::string& metavar,
                        const std::string& help, std::optional<Number>& value) {
  const std::string shown = names.substr(names.rfind(',') + 1);
  return add_text(app, names, metavar, help, [&value, shown](const std::string& text) {
    value = while_doing(shown, [&] { return parse_number<Number>(text); });
  });
}

// A file that must be given, by position.
CLI::Option* add_file(CLI::App& app, const std::string& name, const std::string& help,
                      std::string& value);
CLI::Option* add_files(CLI::App& app, const std::string& name, const std::string& help,
                       std::vector<std::string>& values);

// --json, --quiet, --verbose, --threads.
void add_common(CLI::App& app, CommonOptions& options);

// Runs `work`; an Error that leaves it without naming the file gets "FILE: " in front: the pipeline knows nodes and values, not always
// the file.
template <std::invocable Work>
auto naming_file(const std::string& file, Work&& work) -> decltype(std::forward<Work>(work)()) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    const std::string message = error.what();
    if (message.find(file) != std::string::npos) throw;
    throw Error(error.kind(), file + ": " + message);
  }
}

}  // namespace ocs::cli
