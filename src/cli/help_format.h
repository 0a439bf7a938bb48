// How --help looks: options in one column, what they do in another, wrapped.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace ocs::cli {

[[nodiscard]] std::shared_ptr<CLI::Formatter> help_format();

// The words of `text` in lines of at most `width` characters; lines after the first are indented by
// `indent`.
[[nodiscard]] std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace ocs::cli
