// What is known of one point of a sweep once it is finished, and the figures that tables show of it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ocs/core/json.h"

namespace ocs {

struct PointResult {
  std::string key{};  // what names the point: a hash of its recipe and data (identity.h)
  std::string row{};  // as the sweep file called it when it was computed; for readers only
  std::string column{};
  std::string build{};                 // of the program that computed it (running_build)
  Json recipe = Json::object();        // keys that differ from the default recipe; for readers only
  std::optional<double> items{};       // samples or tokens that were evaluated
  std::optional<double> top1{};        // percent
  std::optional<double> top5{};        // percent
  std::optional<double> perplexity{};  // none where it was not measured or is not finite
  std::optional<double> sqnr_db{};     // of the first output, on the recipe's measured samples
  std::optional<double> agreement{};   // percent with the same top-1 as float, on the same
  std::optional<double> weights{};     // of the quantized layers, copies counted, against unsplit
  std::optional<double> activations{};       // the same for the numbers in the data that they read
  std::optional<double> macs{};              // the same for multiply-accumulates
  std::optional<double> megabytes{};         // of the written model
  std::optional<double> quantize_seconds{};  // without the calibration
  std::optional<double> evaluate_seconds{};
  bool operator==(const PointResult&) const = default;
};

struct Figure {
  std::string_view key{};  // in journals, CSV and sweep files
  std::string_view heading{};
  std::optional<double> PointResult::*value = nullptr;
  int decimals = 2;
  bool smaller_is_better = false;
};

[[nodiscard]] std::span<const Figure> point_figures();
[[nodiscard]] const Figure* find_figure(std::string_view key);  // nullptr: none of that name

// "91.70"; "-" where there is none.
[[nodiscard]] std::string figure_text(const Figure& figure, const PointResult& result);

// A line of the journal. Reading throws Error(bad_input) naming the key that is missing, unknown or
// of the wrong type.
[[nodiscard]] Json to_json(const PointResult& result);
[[nodiscard]] PointResult point_from_json(const Json& json);

}  // namespace ocs
