#include "ocs/data/labels.h"

#include <charconv>
#include <fstream>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

std::optional<int> label_from(std::string_view word) {
  int label = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), label);
  if (error != std::errc{} || end != word.data() + word.size() || label < 0) return std::nullopt;
  return label;
}

LabelTable read_labels(const std::filesystem::path& file) {
  LabelTable table{.file = file};
  if (file.empty()) return table;
  std::ifstream stream(file);
  if (!stream || std::filesystem::is_directory(file))
    throw_bad_input(file.string() + ": the labels cannot be read");
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    const std::string_view text = trimmed(line);
    if (text.empty()) continue;
    const auto space = text.find_last_of(" \t");
    if (space == std::string_view::npos) {
      throw_bad_input(fmt::format("{}, line {}: '{}' is not of the form `file label`",
                                  file.string(), number, text));
    }
    const std::optional<int> label = label_from(text.substr(space + 1));
    if (!label) {
      throw_bad_input(fmt::format("{}, line {}: '{}' is not a label (a whole number from 0 on)",
                                  file.string(), number, text.substr(space + 1)));
    }
    table.by_name[std::string(trimmed(text.substr(0, space)))].push_back(
        {.label = *label, .line = number});
  }
  if (table.empty()) throw_bad_input(file.string() + ": holds no labels");
  return table;
}

std::vector<std::vector<int>> match_labels(const LabelTable& table,
                                           const std::vector<Labelled>& known) {
  if (table.empty()) return {};
  std::map<std::string, std::optional<std::size_t>> items;
  for (const Labelled& entry : known) items.emplace(entry.name, entry.items);
  for (const auto& [name, lines] : table.by_name) {
    const auto found = items.find(name);
    if (found == items.end()) {
      std::vector<std::string> names;
      for (const Labelled& entry : known) names.push_back(entry.name);
      throw_bad_input(fmt::format("{}, line {}: there is no file '{}'{}", table.file.string(),
                                  lines.front().line, name, did_you_mean(name, names)));
    }
    const std::optional<std::size_t> count = found->second;
    if (!count || lines.size() == *count) continue;
    if (*count == 1) {
      throw_bad_input(fmt::format("{}, line {}: '{}' has a label already (line {})",
                                  table.file.string(), lines[1].line, name, lines[0].line));
    }
    throw_bad_input(fmt::format("{}, line {}: '{}' holds {} items and has {} labels",
                                table.file.string(), lines.back().line, name, *count,
                                lines.size()));
  }
  std::vector<std::vector<int>> labels;
  for (const Labelled& entry : known) {
    if (!entry.items) continue;
    const auto found = table.by_name.find(entry.name);
    if (found == table.by_name.end())
      throw_bad_input(fmt::format("{}: no label for '{}'", table.file.string(), entry.name));
    std::vector<int>& own = labels.emplace_back();
    for (const LabelTable::Line& line : found->second) own.push_back(line.label);
  }
  return labels;
}

}  // namespace ocs
