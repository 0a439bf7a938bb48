#include "ocs/sweep/published.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/sweep/markdown.h"
#include "ocs/sweep/table.h"

namespace ocs {
namespace {

// The sweep may run a part of the table, but not none of it: then the names do not fit.
void check_columns(const std::vector<std::string>& columns, const std::vector<std::string>& known) {
  const bool fits = std::ranges::any_of(columns, [&](const std::string& name) {
    return std::ranges::find(known, name) != known.end();
  });
  if (!columns.empty() && !fits)
    throw_bad_input(fmt::format("has no column with the name of one of the sweep: '{}'{}",
                                columns.front(), did_you_mean_any(columns.front(), known)));
}

std::vector<std::string> column_names(const SweepSpec& spec) {
  std::vector<std::string> names;
  if (spec.has_columns) {
    for (const SweepEntry& column : spec.columns) names.push_back(column.name);
  } else {
    for (const Figure& figure : point_figures()) names.emplace_back(figure.key);
  }
  return names;
}

std::optional<double> number_of(const Json& value) {
  if (value.is_null()) return std::nullopt;
  if (!value.is_number())
    throw_bad_input(fmt::format("has a value that is no number: {}", value.dump()));
  return value.get<double>();
}

std::map<std::string, double> row_of(const Json& values, const std::vector<std::string>& columns) {
  if (!values.is_array() || values.size() != columns.size())
    throw_bad_input(fmt::format("is no list of {} numbers", columns.size()));
  std::map<std::string, double> row;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (const auto value = number_of(values[i])) row[columns[i]] = *value;
  return row;
}

Published table_of(const Json& table, const SweepSpec& spec) {
  refuse_unknown_keys(table, {"float", "columns", "rows"});
  Published published;
  if (const auto found = table.find("float"); found != table.end())
    published.reference = while_doing("float", [&] { return number_of(*found); });
  const auto columns = value_or<std::vector<std::string>>(table, "columns", {});
  check_columns(columns, column_names(spec));
  std::vector<std::string> known;
  for (const SweepEntry& row : spec.rows) known.push_back(row.name);
  const Json rows = value_or<Json>(table, "rows", Json::object());
  for (const auto& [name, values] : rows.items()) {
    if (std::ranges::find(known, name) == known.end()) continue;
    published.values[name] =
        while_doing("row '" + name + "'", [&, &cells = values] { return row_of(cells, columns); });
  }
  if (!rows.empty() && published.values.empty())
    throw_bad_input("has no row with the name of one of the sweep");
  return published;
}

// What a cell of the comparison says of ours and theirs.
class CellText {
 public:
  CellText(const Figure& figure, std::optional<double> ours, std::optional<double> theirs)
      : sign_(figure.smaller_is_better ? -1.0 : 1.0),
        ours_(ours),
        theirs_(theirs),
        decimals_(figure.decimals > 2 ? 3 : 1) {}

  [[nodiscard]] bool is_loss() const { return ours_ && theirs_; }
  [[nodiscard]] std::string operator()(std::optional<double> ours,
                                       std::optional<double> theirs) const {
    return text(ours, ours_) + " / " + text(theirs, theirs_);
  }

 private:
  [[nodiscard]] std::string text(std::optional<double> value,
                                 std::optional<double> reference) const {
    if (!value) return "-";
    // + 0: no "-0.0".
    const double shown = is_loss() ? sign_ * (*reference - *value) : *value;
    const std::string digits = fmt::format("{:.{}f}", shown, decimals_);
    return digits.find_first_not_of("-0.") == std::string::npos && digits.front() == '-'
               ? digits.substr(1)
               : digits;
  }

  double sign_;
  std::optional<double> ours_;
  std::optional<double> theirs_;
  int decimals_;
};

std::optional<double> published_value(const Published& published, const std::string& row,
                                      const std::string& column) {
  const auto found = published.values.find(row);
  if (found == published.values.end()) return std::nullopt;
  const auto cell = found->second.find(column);
  if (cell == found->second.end()) return std::nullopt;
  return cell->second;
}

struct Column {
  std::string heading{};
  std::string name{};  // in the published table
  std::size_t index = 0;
  const Figure* figure = nullptr;
};

// Those of which something was published.
std::vector<Column> shared_columns(const SweepSpec& spec, const SweepResult& result,
                                   const Published& published) {
  std::vector<Column> columns;
  const std::vector<const Figure*> figures = shown_figures(spec, result);
  const auto add = [&](Column column) {
    if (std::ranges::any_of(published.values,
                            [&](const auto& row) { return row.second.contains(column.name); }))
      columns.push_back(std::move(column));
  };
  if (spec.has_columns) {
    for (std::size_t i = 0; i < spec.columns.size(); ++i)
      add({escaped_cell(spec.columns[i].name), spec.columns[i].name, i, figures.front()});
  } else {
    for (const Figure* figure : figures)
      add({std::string(figure->heading), std::string(figure->key), 0, figure});
  }
  return columns;
}

}  // namespace

Published read_published(const SweepSpec& spec) {
  const PublishedTable& wanted = spec.published.value();
  const Json json = read_json(wanted.file);
  return while_doing(wanted.file.string(), [&] {
    refuse_unknown_keys(json, {"source", "tables"});
    const Json tables = value_or<Json>(json, "tables", Json::object());
    const auto found = tables.find(wanted.table);
    if (found == tables.end()) throw_bad_input(fmt::format("has no table '{}'", wanted.table));
    Published published = while_doing(wanted.table, [&] { return table_of(*found, spec); });
    published.source = value_or<std::string>(json, "source", "");
    return published;
  });
}

std::string published_markdown(const SweepSpec& spec, const SweepResult& result,
                               const Published& published) {
  const std::vector<Column> columns = shared_columns(spec, result, published);
  const CellText cell_text(*result.leading, result.reference.*result.leading->value,
                           published.reference);
  std::string text =
      cell_text.is_loss()
          ? fmt::format("Loss of {} against float, here / published (float there {:.1f}):\n\n",
                        result.leading->heading, *published.reference)
          : std::string("Here / published:\n\n");
  std::vector<std::string> heads{""};
  for (const Column& column : columns) heads.push_back(column.heading);
  text += markdown_head(heads);
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    const std::string& name = spec.rows[row].name;
    if (!published.values.contains(name)) continue;
    std::vector<std::string> cells{escaped_cell(name)};
    for (const Column& column : columns) {
      const CellText plain(*column.figure, std::nullopt, std::nullopt);
      const CellText& how = column.figure == result.leading ? cell_text : plain;
      cells.push_back(how(result.cells[row][column.index].result.*column.figure->value,
                          published_value(published, name, column.name)));
    }
    text += markdown_line(cells);
  }
  return text;
}

}  // namespace ocs
