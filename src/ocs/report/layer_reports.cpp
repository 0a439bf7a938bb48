#include "ocs/report/layer_reports.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "ocs/core/error.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

std::int64_t added_channels(const LayerPlan& layer) {
  return std::accumulate(layer.copies.begin(), layer.copies.end(), std::int64_t{0}) -
         static_cast<std::int64_t>(layer.copies.size());
}

double added_share(const LayerPlan& layer) {
  if (layer.copies.empty()) return 0.0;
  return static_cast<double>(added_channels(layer)) / static_cast<double>(layer.copies.size());
}

// Copied hidden units of each node, as a share of its units: they are rows of all its weights.
std::map<std::string, double> added_rows(const Plan& plan) {
  std::map<std::string, double> shares;
  for (const LayerPlan& layer : plan.layers)
    if (layer.operand.is_hidden()) shares[layer.node] = added_share(layer);
  return shares;
}

// What copies, of input channels and of rows, for outliers of weights and of activations, add to
// `whole`.
std::int64_t extra_of(std::int64_t whole, const LayerPlan& layer, double row_share) {
  // In double: whole * channels may leave 64 bits, and the figure is for people.
  const double dynamic_growth = layer.dynamic
                                    ? 1.0 + static_cast<double>(layer.dynamic->copies) /
                                                static_cast<double>(layer.dynamic->channels)
                                    : 1.0;
  const double share =
      dynamic_growth * layer.act_growth * (1.0 + added_share(layer)) * (1.0 + row_share) - 1.0;
  return std::llround(static_cast<double>(whole) * share);
}

LayerReport report_of(const LayerPlan& layer, double row_share) {
  const std::int64_t added = added_channels(layer);
  const auto weights = std::llround(static_cast<double>(layer.stored.size()) / layer.act_growth);
  return {.node = layer.node,
          .part = std::string(layer.operand.part),
          .op = layer.op,
          .quantized = true,
          .reason = layer.remark,
          .weight_bits = layer.weight_bits,
          .act_bits = layer.dynamic ? layer.dynamic->bits : layer.act_bits,
          .copies = added,
          .act_copies = layer.act_copies,
          .form = added == 0 ? "" : std::string(name_of(layer.form)),
          .predicted_sqnr_db = layer.predicted_sqnr_db,
          .weights = weights,
          .extra_weights = extra_of(weights, layer, row_share),
          .macs = layer.macs,
          .extra_macs = extra_macs(layer, row_share)};
}

}  // namespace

std::string_view name_of(SplitForm form) {
  switch (form) {
    case SplitForm::gather:
      return "gather";
    case SplitForm::slice:
      return "slice";
    case SplitForm::fold:
      return "fold";
    case SplitForm::virtual_:
      return "virtual";
    case SplitForm::automatic:
      return "auto";
  }
  throw_internal("a split form without a name");
}

std::int64_t extra_macs(const LayerPlan& layer, double row_share) {
  return extra_of(layer.macs, layer, row_share);
}

std::vector<LayerReport> layer_reports(const Plan& plan, const Model& model) {
  std::map<std::string, int, std::less<>> place;
  for (int i = 0; i < model.graph().node_size(); ++i) {
    const onnx::NodeProto& node = model.graph().node(i);
    place.try_emplace(node.name(), i);
    for_each_body(node, [&](const onnx::GraphProto& body) {  // at the place of who holds it
      for_each_graph(body, [&](const onnx::GraphProto& graph) {
        for (const onnx::NodeProto& inner : graph.node()) place.try_emplace(inner.name(), i);
      });
    });
  }
  std::vector<LayerReport> rows;
  std::map<std::string, double> row_shares = added_rows(plan);
  for (const LayerPlan& layer : plan.layers)
    rows.push_back(report_of(layer, row_shares[layer.node]));
  for (const EmbeddingPlan& embedding : plan.embeddings) {
    rows.push_back({.node = embedding.node,
                    .op = "Gather",
                    .quantized = true,
                    .reason = "table of " + std::to_string(embedding.stored.size()) + " values",
                    .weight_bits = embedding.params.grid.bits,
                    .predicted_sqnr_db = embedding.predicted_sqnr_db});
  }
  for (const Skipped& skipped : plan.skipped) {
    rows.push_back({.node = skipped.node,
                    .part = skipped.part,
                    .op = skipped.op,
                    .reason = skipped.reason,
                    .macs = skipped.macs});
  }
  const auto place_of = [&](const LayerReport& row) {
    const auto found = place.find(row.node);
    return found == place.end() ? model.graph().node_size() : found->second;
  };
  std::ranges::stable_sort(rows, {}, place_of);
  return rows;
}

}  // namespace ocs
