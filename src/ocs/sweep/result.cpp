#include "ocs/sweep/result.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::array figures{
    Figure{.key = "top1", .heading = "top-1", .value = &PointResult::top1},
    Figure{.key = "top5", .heading = "top-5", .value = &PointResult::top5},
    Figure{.key = "perplexity",
           .heading = "perplexity",
           .value = &PointResult::perplexity,
           .smaller_is_better = true},
    Figure{.key = "sqnr_db", .heading = "SQNR (dB)", .value = &PointResult::sqnr_db},
    Figure{.key = "agreement", .heading = "agreement (%)", .value = &PointResult::agreement},
    Figure{.key = "weights",
           .heading = "weights, relative",
           .value = &PointResult::weights,
           .decimals = 3,
           .smaller_is_better = true},
    Figure{.key = "activations",
           .heading = "activations, relative",
           .value = &PointResult::activations,
           .decimals = 3,
           .smaller_is_better = true},
    Figure{.key = "macs",
           .heading = "MACs, relative",
           .value = &PointResult::macs,
           .decimals = 3,
           .smaller_is_better = true},
    Figure{.key = "megabytes",
           .heading = "size (MB)",
           .value = &PointResult::megabytes,
           .smaller_is_better = true},
    Figure{.key = "items", .heading = "evaluated", .value = &PointResult::items, .decimals = 0},
    Figure{.key = "quantize_seconds",
           .heading = "quantize (s)",
           .value = &PointResult::quantize_seconds,
           .smaller_is_better = true},
    Figure{.key = "evaluate_seconds",
           .heading = "evaluate (s)",
           .value = &PointResult::evaluate_seconds,
           .smaller_is_better = true},
};

}  // namespace

std::span<const Figure> point_figures() { return figures; }

const Figure* find_figure(std::string_view key) {
  const auto found = std::ranges::find(figures, key, &Figure::key);
  return found == figures.end() ? nullptr : &*found;
}

std::string figure_text(const Figure& figure, const PointResult& result) {
  const std::optional<double> value = result.*figure.value;
  return value ? fmt::format("{:.{}f}", *value, figure.decimals) : "-";
}

Json to_json(const PointResult& result) {
  Json json{{"key", result.key},
            {"row", result.row},
            {"column", result.column},
            {"build", result.build},
            {"recipe", result.recipe}};
  for (const Figure& figure : figures) {
    const std::optional<double> value = result.*figure.value;
    json[std::string(figure.key)] = value ? number(*value) : Json(nullptr);
  }
  return json;
}

PointResult point_from_json(const Json& json) {
  std::vector<std::string> known{"key", "row", "column", "build", "recipe"};
  for (const Figure& figure : figures) known.emplace_back(figure.key);
  refuse_unknown_keys(json, known);
  PointResult result{.key = value_or<std::string>(json, "key", ""),
                     .row = value_or<std::string>(json, "row", ""),
                     .column = value_or<std::string>(json, "column", ""),
                     .build = value_or<std::string>(json, "build", ""),
                     .recipe = value_or<Json>(json, "recipe", Json::object())};
  if (result.key.empty()) throw_bad_input("has no 'key'");
  for (const Figure& figure : figures) {
    const std::string key(figure.key);
    if (const auto found = json.find(key); found != json.end() && !found->is_null())
      result.*figure.value = value_or<double>(json, key, 0.0);
  }
  return result;
}

}  // namespace ocs
