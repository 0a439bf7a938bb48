#include "ocs/sweep/table.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "ocs/sweep/markdown.h"
#include "ocs/sweep/published.h"

namespace ocs {
namespace {

std::string cell_text(const Figure& figure, const SweepCell& cell) {
  const std::string text = figure_text(figure, cell.result);
  return cell.best.empty() ? text : fmt::format("{} ({})", text, escaped_cell(cell.best));
}

std::string grid_of(const SweepSpec& spec, const SweepResult& result, const Figure& figure) {
  std::vector<std::string> heads{""};
  for (const SweepEntry& column : spec.columns) heads.push_back(escaped_cell(column.name));
  std::string text = markdown_head(heads);
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    std::vector<std::string> cells{escaped_cell(spec.rows[row].name)};
    for (const SweepCell& cell : result.cells[row]) cells.push_back(cell_text(figure, cell));
    text += markdown_line(cells);
  }
  return text;
}

std::string list_of(const SweepSpec& spec, const SweepResult& result,
                    const std::vector<const Figure*>& figures) {
  std::vector<std::string> heads{""};
  for (const Figure* figure : figures) heads.emplace_back(figure->heading);
  std::string text = markdown_head(heads);
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    std::vector<std::string> cells{escaped_cell(spec.rows[row].name)};
    for (const Figure* figure : figures)
      cells.push_back(figure_text(*figure, result.cells[row].front().result));
    text += markdown_line(cells);
  }
  return text;
}

std::string csv_text(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + "\"";
}

std::string csv_line(const std::string& row, const std::string& column, const std::string& best,
                     const PointResult& result) {
  std::string line = csv_text(row) + "," + csv_text(column) + "," + csv_text(best);
  for (const Figure& figure : point_figures()) {
    const std::optional<double> value = result.*figure.value;
    line += value ? fmt::format(",{}", *value) : ",";
  }
  return line + "\n";
}

}  // namespace

std::vector<const Figure*> shown_figures(const SweepSpec& spec, const SweepResult& result) {
  std::vector<const Figure*> figures;
  for (const std::string& key : spec.figures) figures.push_back(find_figure(key));
  if (!figures.empty()) return figures;
  figures.push_back(result.leading);
  if (spec.has_columns) return figures;
  for (const char* key : {"sqnr_db", "weights", "macs"}) {
    if (find_figure(key) != result.leading) figures.push_back(find_figure(key));
  }
  return figures;
}

std::string to_markdown(const SweepSpec& spec, const SweepResult& result,
                        const Published* published) {
  std::string text = fmt::format("## {}\n\n", spec.title);
  if (!spec.text.empty()) text += spec.text + "\n\n";
  if (result.reference.*result.leading->value) {
    text += fmt::format("Float: {} {} ({:.0f} evaluated).\n\n", result.leading->heading,
                        figure_text(*result.leading, result.reference),
                        result.reference.items.value_or(0.0));
  }
  const std::vector<const Figure*> figures = shown_figures(spec, result);
  if (!spec.has_columns) text += list_of(spec, result, figures);
  for (std::size_t i = 0; spec.has_columns && i < figures.size(); ++i) {
    if (i > 0) text += "\n";
    if (figures.size() > 1) text += fmt::format("{}:\n\n", figures[i]->heading);
    text += grid_of(spec, result, *figures[i]);
  }
  if (published != nullptr) text += "\n" + published_markdown(spec, result, *published);
  return text;
}

std::string to_csv(const SweepSpec& spec, const SweepResult& result) {
  std::string text = "row,column,best";
  for (const Figure& figure : point_figures()) text += fmt::format(",{}", figure.key);
  text += "\n" + csv_line("float", "", "", result.reference);
  for (std::size_t row = 0; row < spec.rows.size(); ++row)
    for (std::size_t column = 0; column < spec.columns.size(); ++column) {
      const SweepCell& cell = result.cells[row][column];
      text += csv_line(spec.rows[row].name, spec.columns[column].name, cell.best, cell.result);
    }
  return text;
}

Json to_json(const SweepSpec& spec, const SweepResult& result) {
  Json points = Json::array();
  for (std::size_t row = 0; row < spec.rows.size(); ++row)
    for (std::size_t column = 0; column < spec.columns.size(); ++column) {
      const SweepCell& cell = result.cells[row][column];
      // A result that cells share has the names of the one that was computed.
      Json point = to_json(cell.result);
      point["row"] = spec.rows[row].name;
      point["column"] = spec.columns[column].name;
      point["best"] = cell.best;
      points.push_back(std::move(point));
    }
  return {{"title", spec.title},
          {"computed", result.computed},
          {"float", to_json(result.reference)},
          {"points", std::move(points)}};
}

}  // namespace ocs
