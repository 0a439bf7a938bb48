#include "cli/inspect_sensitivity.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "cli/text_table.h"
#include "ocs/report/figures.h"
#include "ocs/report/signal_to_noise.h"

namespace ocs::cli {
namespace {

Json decibels(double db) {
  return number(std::clamp(db, -SignalToNoise::limit_db, SignalToNoise::limit_db));
}

void put(const OutputChange& change, Json& json) {
  json["sqnr_db"] = decibels(change.sqnr_db);
  json["squared_error"] = number(change.squared_error);
  json["relative_error"] = number(change.relative_error);
  json["kl"] = change.kl ? number(*change.kl) : Json(nullptr);
}

std::string kl_text(const OutputChange& change) {
  return change.kl ? fmt::format("{:.3g}", *change.kl) : "-";
}

std::string bits_text(int weight_bits, std::optional<int> act_bits) {
  return act_bits ? fmt::format("W{}A{}", weight_bits, *act_bits) : fmt::format("W{}", weight_bits);
}

}  // namespace

Json sensitivity_json(const Sensitivity& sensitivity) {
  Json json = {{"samples", sensitivity.samples}, {"together", nullptr}};
  if (sensitivity.together) {
    json["together"] = Json::object();
    put(*sensitivity.together, json["together"]);
  }
  json["layers"] = Json::array();
  for (const LayerSensitivity& row : sensitivity.layers) {
    Json layer = {{"name", layer_name(row.layer)},
                  {"op", row.op},
                  {"weight_bits", row.weight_bits},
                  {"act_bits", row.act_bits ? Json(*row.act_bits) : Json(nullptr)}};
    put(row.change, layer);
    layer["own_sqnr_db"] = row.own_sqnr_db ? decibels(*row.own_sqnr_db) : Json(nullptr);
    json["layers"].push_back(std::move(layer));
  }
  return json;
}

std::string sensitivity_text(const Sensitivity& sensitivity) {
  if (sensitivity.layers.empty()) return "sensitivity: the recipe quantizes no layer\n";
  std::string text = fmt::format(
      "what a layer alone does to the outputs, the others float, on {} samples; worst first\n\n",
      sensitivity.samples);
  const bool has_classes = std::ranges::any_of(
      sensitivity.layers, [](const LayerSensitivity& row) { return row.change.kl.has_value(); });
  std::vector<Column> columns{
      {"layer"}, {"operator"}, {"bits"}, {"at the outputs", true}, {"its own", true}};
  if (has_classes) columns.push_back({"KL in nats", true});
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](std::vector<std::string> cells, const OutputChange& change) {
    if (has_classes) cells.push_back(kl_text(change));
    rows.push_back(std::move(cells));
  };
  for (const LayerSensitivity& row : sensitivity.layers)
    add({layer_name(row.layer), row.op, bits_text(row.weight_bits, row.act_bits),
         db_text(row.change.sqnr_db), db_text(row.own_sqnr_db)},
        row.change);
  if (sensitivity.together)
    add({"all together", "", "", db_text(sensitivity.together->sqnr_db), ""},
        *sensitivity.together);
  return text + text_table(columns, rows, 60);
}

}  // namespace ocs::cli
