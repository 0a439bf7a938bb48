// What is done to the words of the command line before and after CLI11 sees them.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace ocs::cli {

// Switches may be written `--name on`, `--name=on`, `--name` and `--no-name`: all become
// `--name=on` or `--name=off`. Nothing is touched behind `--`. Words after an option that takes a
// value are not looked at closely: no value of ours starts with dashes.
[[nodiscard]] std::vector<std::string> with_switches_joined(const std::vector<std::string>& words);

// Whether an answer in JSON is asked for, however broken the rest is.
[[nodiscard]] bool asks_for_json(const std::vector<std::string>& words);

// A sentence for an error of CLI11, with the nearest option for one that does not exist.
[[nodiscard]] std::string usage_message(const CLI::App& command, const CLI::ParseError& error);

}  // namespace ocs::cli
