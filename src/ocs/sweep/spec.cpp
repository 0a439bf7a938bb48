#include "ocs/sweep/spec.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/recipe/recipe_keys.h"
#include "ocs/sweep/result.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

constexpr std::array cut_keys{"count", "batch", "window"};

std::optional<std::size_t> count_of(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end()) return std::nullopt;
  if (!found->is_number_unsigned())
    throw_bad_input(fmt::format("'{}' is no whole number of at least 0: {}", key, found->dump()));
  return found->get<std::size_t>();
}

fs::path path_of(const Json& object, const std::string& key, const fs::path& folder) {
  const auto text = value_or<std::string>(object, key, "");
  return text.empty() ? fs::path() : (folder / text).lexically_normal();
}

SweepEntry entry_of(const Json& object, bool is_column) {
  std::vector<std::string> known = recipe_key_names();
  known.insert(known.end(), cut_keys.begin(), cut_keys.end());
  known.insert(known.end(), {"name", "base"});
  if (is_column) known.emplace_back("best_of");
  refuse_unknown_keys(object, known);
  SweepEntry entry{.name = value_or<std::string>(object, "name", ""),
                   .count = count_of(object, "count"),
                   .batch = count_of(object, "batch"),
                   .window = count_of(object, "window"),
                   .best_of = value_or<std::vector<std::string>>(object, "best_of", {})};
  if (entry.name.empty()) throw_bad_input("has no 'name'");
  for (const auto& [key, value] : object.items())
    if (key == "base" || find_recipe_key(key) != nullptr) entry.recipe[key] = value;
  return entry;
}

// A file of its own lies beside the sweep's.
std::string preprocess_of(const Json& object, const fs::path& folder) {
  const auto text = value_or<std::string>(object, "preprocess", "");
  return text.ends_with(".json") ? (folder / text).lexically_normal().string() : text;
}

std::vector<SweepEntry> entries_of(const Json& spec, const std::string& key) {
  std::vector<SweepEntry> entries;
  const auto found = spec.find(key);
  if (found == spec.end()) return entries;
  if (!found->is_array() || found->empty())
    throw_bad_input(fmt::format("'{}' is no list of objects: {}", key, found->dump()));
  for (const Json& object : *found) {
    const std::string where = fmt::format("{}[{}]", key, entries.size());
    SweepEntry entry = while_doing(where, [&] { return entry_of(object, key == "columns"); });
    if (std::ranges::find(entries, entry.name, &SweepEntry::name) != entries.end())
      throw_bad_input(fmt::format("{}: the name '{}' is there twice", where, entry.name));
    entries.push_back(std::move(entry));
  }
  return entries;
}

// A name or a file as the object of keys that it stands for.
Json recipe_object(const Json& spec, const fs::path& folder) {
  const auto found = spec.find("recipe");
  if (found == spec.end()) return Json::object();
  if (found->is_object()) return *found;
  const auto name = value_or<std::string>(spec, "recipe", "");
  return while_doing("recipe", [&] {
    return to_json(read_recipe(name.ends_with(".json") ? (folder / name).string() : name));
  });
}

std::optional<PublishedTable> published_of(const Json& spec, const fs::path& folder) {
  const auto found = spec.find("published");
  if (found == spec.end()) return std::nullopt;
  return while_doing("published", [&] {
    refuse_unknown_keys(*found, {"file", "table"});
    PublishedTable published{.file = path_of(*found, "file", folder),
                             .table = value_or<std::string>(*found, "table", "")};
    if (published.file.empty() || published.table.empty()) throw_bad_input("needs file and table");
    return published;
  });
}

void check_figures(const std::vector<std::string>& figures) {
  std::vector<std::string> known;
  for (const Figure& figure : point_figures()) known.emplace_back(figure.key);
  for (const std::string& name : figures) {
    if (find_figure(name) == nullptr)
      throw_bad_input(fmt::format("figures: '{}' is none{}", name, did_you_mean_any(name, known)));
  }
}

void check_best_of(const SweepSpec& spec) {
  for (const SweepEntry& column : spec.columns) {
    for (const std::string& other : column.best_of) {
      while_doing(fmt::format("column '{}', best_of", column.name), [&] {
        if (!spec.columns[column_named(spec, other)].best_of.empty())
          throw_bad_input(fmt::format("'{}' has a best_of itself", other));
      });
    }
  }
}

// Every recipe that can come up: a mistake in the last row is not found out after hours.
void check_recipes(const SweepSpec& spec) {
  for (const SweepEntry& row : spec.rows) {
    for (const SweepEntry& column : spec.columns) {
      if (column.best_of.empty()) (void)recipe_of_cell(spec, row, column, nullptr);
      for (const std::string& other : column.best_of)
        (void)recipe_of_cell(spec, row, column, &spec.columns[column_named(spec, other)]);
    }
  }
}

SweepSpec spec_from_json(const Json& json, const fs::path& file, const fs::path& root) {
  refuse_unknown_keys(json, {"title", "text", "model", "calib", "calib_format", "data", "format",
                             "labels", "vocab", "preprocess", "recipe", "count", "batch", "window",
                             "rows", "columns", "figures", "published"});
  const fs::path folder = file.parent_path();
  const fs::path& from = root.empty() ? folder : root;
  SweepSpec spec{.name = file.string(),
                 .title = value_or<std::string>(json, "title", file.stem().string()),
                 .text = value_or<std::string>(json, "text", ""),
                 .model = path_of(json, "model", from),
                 .calib = path_of(json, "calib", from),
                 .calib_format = value_or<std::string>(json, "calib_format", ""),
                 .data = path_of(json, "data", from),
                 .format = value_or<std::string>(json, "format", ""),
                 .labels = path_of(json, "labels", from),
                 .vocab = path_of(json, "vocab", from),
                 .preprocess = preprocess_of(json, folder),
                 .recipe = recipe_object(json, folder),
                 .cut = {.count = count_of(json, "count").value_or(0),
                         .batch = count_of(json, "batch").value_or(0),
                         .window = count_of(json, "window").value_or(0)},
                 .rows = entries_of(json, "rows"),
                 .columns = entries_of(json, "columns"),
                 .figures = value_or<std::vector<std::string>>(json, "figures", {}),
                 .published = published_of(json, folder)};
  if (spec.rows.empty()) throw_bad_input("no 'rows'");
  spec.has_columns = !spec.columns.empty();
  if (!spec.has_columns) spec.columns.emplace_back();
  check_figures(spec.figures);
  check_best_of(spec);
  check_recipes(spec);
  return spec;
}

}  // namespace

SweepSpec read_sweep_spec(const fs::path& file, const fs::path& root) {
  const Json json = read_json(file);
  return while_doing(file.string(), [&] { return spec_from_json(json, file, root); });
}

Recipe recipe_of_cell(const SweepSpec& spec, const SweepEntry& row, const SweepEntry& column,
                      const SweepEntry* best) {
  if (!column.best_of.empty() && best == nullptr)
    throw_internal("the recipe of a cell whose best column is not known");
  Json merged = spec.recipe;
  for (const Json* changes :
       {&row.recipe, best == nullptr ? nullptr : &best->recipe, &column.recipe}) {
    if (changes == nullptr) continue;
    for (const auto& [key, value] : changes->items()) merged[key] = value;
  }
  return recipe_from_json(merged, cell_name(row, column));
}

EvaluationCut cut_of_cell(const SweepSpec& spec, const SweepEntry& row, const SweepEntry& column) {
  EvaluationCut cut = spec.cut;
  for (const SweepEntry* entry : {&row, &column}) {
    cut.count = entry->count.value_or(cut.count);
    cut.batch = entry->batch.value_or(cut.batch);
    cut.window = entry->window.value_or(cut.window);
  }
  return cut;
}

std::size_t column_named(const SweepSpec& spec, const std::string& name) {
  const auto found = std::ranges::find(spec.columns, name, &SweepEntry::name);
  if (found == spec.columns.end()) {
    std::vector<std::string> known;
    for (const SweepEntry& column : spec.columns) known.push_back(column.name);
    throw_bad_input(fmt::format("no column named '{}'{}", name, did_you_mean_any(name, known)));
  }
  return static_cast<std::size_t>(found - spec.columns.begin());
}

std::string cell_name(const SweepEntry& row, const SweepEntry& column) {
  return column.name.empty() ? row.name : row.name + ", " + column.name;
}

}  // namespace ocs
