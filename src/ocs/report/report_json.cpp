#include "ocs/report/report_json.h"

#include <algorithm>

#include "ocs/recipe/recipe_json.h"
#include "ocs/report/signal_to_noise.h"

namespace ocs {
namespace {

// No difference at all is the upper limit, not null.
Json decibels(const std::optional<double>& db) {
  return db ? number(std::clamp(*db, -SignalToNoise::limit_db, SignalToNoise::limit_db))
            : Json(nullptr);
}

Json to_json(const LayerReport& layer) {
  Json json = Json::object();
  json["name"] = layer.name();
  json["op"] = layer.op;
  json["quantized"] = layer.quantized;
  json["reason"] = layer.reason;
  json["weight_bits"] = layer.quantized ? Json(layer.weight_bits) : Json(nullptr);
  json["act_bits"] = layer.act_bits ? Json(*layer.act_bits) : Json(nullptr);
  json["copies"] = layer.copies;
  if (layer.act_copies > 0) json["act_copies"] = layer.act_copies;
  json["form"] = layer.form;
  json["sqnr_db"] = decibels(layer.sqnr_db);
  json["predicted_sqnr_db"] = decibels(layer.predicted_sqnr_db);
  json["weights"] = layer.weights;
  json["extra_weights"] = layer.extra_weights;
  json["activations"] = layer.activations;
  json["extra_activations"] = layer.extra_activations;
  json["macs"] = layer.macs;
  json["extra_macs"] = layer.extra_macs;
  return json;
}

Json quality_of(const Report& report) {
  Json json = Json::object();
  json["samples"] = report.measured_samples;
  const bool measured = !report.outputs.empty();
  json["sqnr_db"] = measured ? decibels(report.outputs.front().sqnr_db) : Json(nullptr);
  json["agreement"] = report.agreement_percent ? number(*report.agreement_percent) : Json(nullptr);
  json["outputs"] = Json::array();
  for (const OutputReport& output : report.outputs) {
    json["outputs"].push_back({{"name", output.name}, {"sqnr_db", decibels(output.sqnr_db)}});
  }
  return json;
}

Json proofs_of(const Report& report) {
  if (!report.proofs) return nullptr;
  const ProofSummary& proofs = *report.proofs;
  return {{"layers", proofs.layers},
          {"largest_sum", number(proofs.largest_sum)},
          {"largest_bias", number(proofs.largest_bias)},
          {"bias_error", proofs.bias_error ? number(*proofs.bias_error) : Json(nullptr)},
          {"raised_rows", proofs.raised_rows},
          {"dead_rows", proofs.dead_rows}};
}

}  // namespace

Json to_json(const RelativeCost& cost) {
  const auto value = [](const std::optional<double>& figure) {
    return figure ? number(*figure) : Json(nullptr);
  };
  return {{"weights", value(cost.weights)},
          {"activations", value(cost.activations)},
          {"macs", value(cost.macs)}};
}

Json to_json(const Report& report) {
  Json json = Json::object();
  json["model"] = report.model;
  json["output"] = report.output;
  json["sha256"] = report.output_sha256;
  json["seconds"] = number(report.seconds);
  json["calibration"] = {{"samples", report.calibration_samples},
                         {"seconds", number(report.calibration_seconds)},
                         {"synthetic", report.synthetic}};
  json["size"] = {{"before", report.size_before}, {"after", report.size_after}};
  json["macs"] = {{"before", report.macs_before}, {"after", report.macs_after}};
  json["relative"] = to_json(relative_cost(report.layers));
  json["measured"] = quality_of(report);
  json["proofs"] = proofs_of(report);
  json["layers"] = Json::array();
  for (const LayerReport& layer : report.layers) json["layers"].push_back(to_json(layer));
  json["notes"] = Json::array();
  for (const Note& note : report.notes)
    json["notes"].push_back({{"node", note.node}, {"text", note.text}});
  json["recipe"] = to_json(report.recipe);
  json["versions"] = {{"ocs", report.ocs_version}, {"engine", report.engine_version}};
  return json;
}

}  // namespace ocs
