// The result of a sweep as tables.
#pragma once

#include <string>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/sweep/spec.h"
#include "ocs/sweep/sweep.h"

namespace ocs {

struct Published;

// The figures that the tables show: those that the sweep file names, else the leading one, followed
// by signal-to-noise and relative size where the sweep has no columns.
[[nodiscard]] std::vector<const Figure*> shown_figures(const SweepSpec& spec,
                                                       const SweepResult& result);

// Markdown: title, text, the float model's figure, and a table for each figure with the rows and
// columns of the sweep; without columns one table with a column for each figure. A cell that took
// the best of other columns names that column. Behind it stands what others published, where that is
// not null.
[[nodiscard]] std::string to_markdown(const SweepSpec& spec, const SweepResult& result,
                                      const Published* published);

// A line for each cell, the float model first: row, column, best, and all figures in full.
[[nodiscard]] std::string to_csv(const SweepSpec& spec, const SweepResult& result);

// {"title", "float", "computed", "points": [{"row", "column", "best", "recipe", figures ...}]}.
[[nodiscard]] Json to_json(const SweepSpec& spec, const SweepResult& result);

}  // namespace ocs
