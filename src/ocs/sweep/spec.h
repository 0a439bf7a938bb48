// A sweep file: one model, one data set and a grid of settings (docs/sweep.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// How much is evaluated, and how it is cut.
struct EvaluationCut {
  std::size_t count = 0;   // first samples, of a text first tokens; 0: all
  std::size_t batch = 0;   // samples in a run, or streams of a text; 0: what ocs evaluate takes
  std::size_t window = 0;  // tokens of a stream in a run; 0: what ocs evaluate takes
  bool operator==(const EvaluationCut&) const = default;
};

// One row or column: what it changes.
struct SweepEntry {
  std::string name{};
  Json recipe = Json::object();  // recipe keys, and the base that those of the sweep change
  std::optional<std::size_t> count{};
  std::optional<std::size_t> batch{};
  std::optional<std::size_t> window{};
  // Columns only. The settings of that of these columns which came out best in the same row hold
  // first, then those of this column; empty: no such columns.
  std::vector<std::string> best_of{};
};

// What others published, to stand beside our figures.
struct PublishedTable {
  std::filesystem::path file{};
  std::string table{};  // key of the file
};

struct SweepSpec {
  std::string name{};  // of the file, for messages
  std::string title{};
  std::string text{};
  std::filesystem::path model{};
  std::filesystem::path calib{};  // "": no calibration
  std::string calib_format{};
  std::filesystem::path data{};  // "": nothing is evaluated
  std::string format{};
  std::filesystem::path labels{};
  std::filesystem::path vocab{};  // not "": `data` is a text, and perplexity is measured
  std::string preprocess{};
  Json recipe = Json::object();  // that all cells begin with
  EvaluationCut cut{};
  std::vector<SweepEntry> rows{};
  std::vector<SweepEntry> columns{};   // never empty: without columns one that changes nothing
  bool has_columns = false;            // as opposed to that one
  std::vector<std::string> figures{};  // that the tables show, as written; empty: the metric
  std::optional<PublishedTable> published{};
};

// Reads and checks the whole file, the recipe of every cell included. Paths that are not absolute
// are meant from `root`, or where that is empty from the folder of the file; that of what was
// published, and a recipe or preprocessing in a file, always from the latter. Throws Error(bad_input) naming file and key for what is
// not JSON, unknown keys, values of the wrong type, names given twice, a column that `best_of`
// names and that is not there or has a `best_of` itself, and recipes that check() refuses.
[[nodiscard]] SweepSpec read_sweep_spec(const std::filesystem::path& file,
                                        const std::filesystem::path& root = {});

// The recipe of a cell: the sweep's, changed by the row, by `best` where the column has best_of,
// and by the column. `best` may be null where it has none.
[[nodiscard]] Recipe recipe_of_cell(const SweepSpec& spec, const SweepEntry& row,
                                    const SweepEntry& column, const SweepEntry* best);
[[nodiscard]] EvaluationCut cut_of_cell(const SweepSpec& spec, const SweepEntry& row,
                                        const SweepEntry& column);

// Index of the column with this name. Throws Error(bad_input) where there is none.
[[nodiscard]] std::size_t column_named(const SweepSpec& spec, const std::string& name);

// "row, column"; the row alone where the sweep has no columns.
[[nodiscard]] std::string cell_name(const SweepEntry& row, const SweepEntry& column);

}  // namespace ocs
