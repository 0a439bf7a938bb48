#include "ocs/sweep/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "ocs/report/figures.h"
#include "ocs/sweep/table.h"

namespace ocs {
namespace {

// Where the plot stands in the picture; the legend is to its right.
constexpr double left = 70.0;
constexpr double top = 50.0;
constexpr double width = 520.0;
constexpr double height = 320.0;
constexpr double legend = 230.0;
constexpr double fewest_ticks = 4.0;

// Told apart by people who see few colours too: every second one is dashed as well.
constexpr std::array colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                             "#56b4e9", "#8c564b", "#000000", "#7f7f7f", "#b2df8a"};

using LineValues = std::vector<std::optional<double>>;

struct Scale {
  double low = 0.0;
  double high = 1.0;
  bool is_logarithmic = false;
  std::vector<double> ticks{};  // low and high are the outer ones

  [[nodiscard]] double place(double value) const {  // 0 at the bottom, 1 at the top
    return is_logarithmic ? std::log(value / low) / std::log(high / low)
                          : (value - low) / (high - low);
  }
};

// The largest of 1, 2 and 5 times a power of ten that is not above `value` > 0.
double round_step(double value) {
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double digit : {5.0, 2.0})
    if (digit * power <= value) return digit * power;
  return power;
}

// Whole multiples of a round step, from the last at or below `least` to the first at or above `most`.
std::vector<double> linear_ticks(double least, double most) {
  if (least == most) return {least - 0.5, least, least + 0.5};
  const double step = round_step((most - least) / fewest_ticks);
  std::vector<double> ticks;
  const double end = std::ceil(most / step);
  for (double i = std::floor(least / step); i <= end; ++i) ticks.push_back(i * step);
  return ticks;
}

// 1, 2 and 5 times the powers of ten.
std::vector<double> logarithmic_ticks(double least, double most) {
  std::vector<double> ticks{round_step(least)};
  for (double power = std::pow(10.0, std::floor(std::log10(least))); ticks.back() < most;
       power *= 10.0)
    for (const double digit : {1.0, 2.0, 5.0})
      if (digit * power > ticks.back() && ticks.back() < most) ticks.push_back(digit * power);
  return ticks;
}

Scale scale_for(const std::vector<double>& values, bool smaller_is_better) {
  if (values.empty()) return {.ticks = {0.0, 1.0}};
  const auto [least, most] = std::ranges::minmax(values);
  Scale scale{.is_logarithmic = smaller_is_better && least > 0.0 && most > 5.0 * least};
  scale.ticks = scale.is_logarithmic ? logarithmic_ticks(least, most) : linear_ticks(least, most);
  scale.low = scale.ticks.front();
  scale.high = scale.ticks.back();
  return scale;
}

double x_of(std::size_t row, std::size_t rows) {
  return left + width * (static_cast<double>(row) + 0.5) / static_cast<double>(rows);
}

double y_of(const Scale& scale, double value) { return top + height * (1.0 - scale.place(value)); }

std::string text_at(double x, double y, const char* anchor, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     html_text(text));
}

std::string line(double x1, double y1, double x2, double y2, const std::string& style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1,
                     x2, y2, style);
}

std::string style_of(std::size_t series) {
  return fmt::format("stroke=\"{}\" stroke-width=\"2\" fill=\"none\"{}",
                     colours[series % colours.size()],
                     series % 2 == 1 ? " stroke-dasharray=\"6 3\"" : "");
}

std::string axes(const SweepSpec& spec, const Scale& scale) {
  std::string text;
  for (const double value : scale.ticks) {
    const double y = y_of(scale, value);
    text += line(left, y, left + width, y, "stroke=\"#ddd\"");
    text += text_at(left - 8.0, y + 4.0, "end", fmt::format("{:.6g}", value));
  }
  for (std::size_t row = 0; row < spec.rows.size(); ++row)
    text +=
        text_at(x_of(row, spec.rows.size()), top + height + 20.0, "middle", spec.rows[row].name);
  return text;
}

std::string series(const LineValues& values, const Scale& scale, std::size_t number) {
  std::string points;
  std::string marks;
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (!values[row]) continue;
    const double x = x_of(row, values.size());
    const double y = y_of(scale, *values[row]);
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x, y);
    marks += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x, y,
                         colours[number % colours.size()]);
  }
  return fmt::format("<polyline points=\"{}\" {}/>\n", points, style_of(number)) + marks;
}

std::string legend_entry(std::size_t place, const std::string& style, std::string_view name) {
  const double y = top + 10.0 + 20.0 * static_cast<double>(place);
  const double x = left + width + 20.0;
  return line(x, y, x + 30.0, y, style) + text_at(x + 38.0, y + 4.0, "start", name);
}

}  // namespace

std::string to_svg(const SweepSpec& spec, const SweepResult& result) {
  const Figure& figure = *shown_figures(spec, result).front();
  std::vector<LineValues> lines(spec.columns.size(), LineValues(spec.rows.size()));
  std::vector<double> all;
  for (std::size_t row = 0; row < spec.rows.size(); ++row)
    for (std::size_t column = 0; column < spec.columns.size(); ++column) {
      lines[column][row] = result.cells[row][column].result.*figure.value;
      if (lines[column][row]) all.push_back(*lines[column][row]);
    }
  const std::optional<double> reference = result.reference.*figure.value;
  if (reference) all.push_back(*reference);
  const Scale scale = scale_for(all, figure.smaller_is_better);

  const double entries = 20.0 * static_cast<double>(spec.columns.size() + 1);
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"white\"/>\n",
      left + width + (spec.has_columns || reference ? legend : 20.0),
      top + std::max(height, entries) + 40.0);
  text += text_at(left, 20.0, "start", spec.title);
  text += text_at(left, 38.0, "start", figure.heading);
  text += axes(spec, scale);
  const std::string dashed = "stroke=\"#444\" stroke-dasharray=\"2 3\"";
  std::size_t place = 0;
  if (reference) {
    const double y = y_of(scale, *reference);
    text += line(left, y, left + width, y, dashed) + legend_entry(place++, dashed, "float");
  }
  for (std::size_t column = 0; column < lines.size(); ++column) {
    text += series(lines[column], scale, column);
    if (spec.has_columns)
      text += legend_entry(place++, style_of(column), spec.columns[column].name);
  }
  return text + "</svg>\n";
}

}  // namespace ocs
