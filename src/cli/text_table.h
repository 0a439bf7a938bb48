// Columns for people: as wide as their widest cell.
#pragma once

#include <string>
#include <vector>

namespace ocs::cli {

struct Column {
  std::string head{};
  bool to_the_right = false;  // numbers
};

// Rows have a cell for each column. Cells are cut at `widest` characters with a dot dot at the front: names differ at their ends.
[[nodiscard]] std::string text_table(const std::vector<Column>& columns,
                                     const std::vector<std::vector<std::string>>& rows,
                                     std::size_t widest = 40);

}  // namespace ocs::cli
