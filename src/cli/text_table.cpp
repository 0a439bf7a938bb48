#include "cli/text_table.h"

#include <algorithm>

#include <fmt/format.h>

namespace ocs::cli {
namespace {

std::string cut(const std::string& text, std::size_t widest) {
  return text.size() <= widest ? text : ".." + text.substr(text.size() - widest + 2);
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<Column>& columns,
                    const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) line += "  ";
    line += columns[i].to_the_right ? fmt::format("{:>{}}", cells[i], widths[i])
                                    : fmt::format("{:<{}}", cells[i], widths[i]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string text_table(const std::vector<Column>& columns,
                       const std::vector<std::vector<std::string>>& rows, std::size_t widest) {
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : columns) lines[0].push_back(column.head);
  for (const auto& row : rows) {
    lines.emplace_back();
    for (const std::string& text : row) lines.back().push_back(cut(text, widest));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < columns.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) text += line_of(line, columns, widths);
  return text;
}

}  // namespace ocs::cli
