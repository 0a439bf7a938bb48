// Lines of Markdown tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ocs {

// A name as it may stand in a cell.
[[nodiscard]] std::string escaped_cell(std::string_view text);
// "| a | b |" and a line break.
[[nodiscard]] std::string markdown_line(const std::vector<std::string>& cells);
// The heading and the rule below it: the first column to the left, the others to the right.
[[nodiscard]] std::string markdown_head(const std::vector<std::string>& cells);

}  // namespace ocs
