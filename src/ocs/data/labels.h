// Labels of samples: one `file label` a line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocs {

// The labels of each file, in the order of their lines: a file with several items has a line for
// each.
struct LabelTable {
  struct Line {
    int label = 0;
    std::size_t line = 0;
  };
  std::filesystem::path file{};
  std::map<std::string, std::vector<Line>> by_name{};
  [[nodiscard]] bool empty() const { return by_name.empty(); }
};

// A label: a whole number of at least 0 and nothing else.
[[nodiscard]] std::optional<int> label_from(std::string_view word);

// Names may hold spaces: the label is what follows the last white space. Blank lines are left out.
// Throws Error(bad_input) naming file and line. An empty path gives an empty table.
[[nodiscard]] LabelTable read_labels(const std::filesystem::path& file);

// What has labels: a file and the number of its items.
struct Labelled {
  std::string name{};
  std::optional<std::size_t> items = 1;  // nothing: not known, may have any labels or none
};

// The labels of each, in their order. Throws Error(bad_input) naming file and line for a name that
// is not among `known`, and where one of them has no label, or not one for each of its items. Empty
// for an empty table.
[[nodiscard]] std::vector<std::vector<int>> match_labels(const LabelTable& table,
                                                         const std::vector<Labelled>& known);

}  // namespace ocs
