// Figures that others published, beside those of a sweep.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "ocs/sweep/spec.h"
#include "ocs/sweep/sweep.h"

namespace ocs {

struct Published {
  std::string source{};
  std::optional<double> reference{};  // of the float model, where it was published
  // By row and column; in a sweep without columns the key of a figure stands for the column.
  std::map<std::string, std::map<std::string, double>> values{};
};

// The table that the sweep names, of a file
// {"source", "tables": {NAME: {"float", "columns": [...], "rows": {ROW: [numbers or null]}}}}.
// Rows and columns that the sweep does not have play no part: it may run a part of a table. Throws
// Error(bad_input) naming the file for what is not of this form, and where no row, or no column, is of
// the sweep.
[[nodiscard]] Published read_published(const SweepSpec& spec);

// A table with "here / published" in each cell that has both: what is lost against float where both
// float figures are known, else the figures themselves.
[[nodiscard]] std::string published_markdown(const SweepSpec& spec, const SweepResult& result,
                                             const Published& published);

}  // namespace ocs
