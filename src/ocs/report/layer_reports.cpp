#include "ocs/report/layer_reports.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

std::int64_t added_channels(const LayerPlan& layer) {
  if (!layer.residual.channels.empty())
    return static_cast<std::int64_t>(layer.residual.channels.size());
  return std::accumulate(layer.copies.begin(), layer.copies.end(), std::int64_t{0}) -
         static_cast<std::int64_t>(layer.copies.size());
}

double added_share(const LayerPlan& layer) {
  if (!layer.residual.channels.empty())  // of the weights, as many rows on both sides
    return static_cast<double>(layer.residual.stored.size()) /
           static_cast<double>(layer.stored.size());
  if (layer.copies.empty()) return 0.0;
  return static_cast<double>(added_channels(layer)) / static_cast<double>(layer.copies.size());
}

// Entries over different ones, of rows or inputs as they are written.
double grown_by(const std::vector<std::int64_t>& written) {
  if (written.empty()) return 1.0;
  return static_cast<double>(written.size()) /
         static_cast<double>(*std::ranges::max_element(written) + 1);
}

// Copied hidden units of each node, as a share of its units: they are rows of all its weights.
std::map<std::string, double> added_rows(const Plan& plan) {
  std::map<std::string, double> shares;
  for (const LayerPlan& layer : plan.layers)
    if (layer.operand.is_hidden()) shares[layer.node] = added_share(layer);
  return shares;
}

double dynamic_growth(const LayerPlan& layer) {
  if (!layer.dynamic) return 1.0;
  return 1.0 +
         static_cast<double>(layer.dynamic->copies) / static_cast<double>(layer.dynamic->channels);
}

// Weights as written over those without copies: of input channels and of rows, for outliers of
// weights and of activations. Rows are copied where a reader's copies are folded into this layer, and
// with hidden units, in whatever form.
double weight_growth(const LayerPlan& layer, double row_share) {
  const double rows = std::max(1.0 + row_share, grown_by(layer.rows));
  return dynamic_growth(layer) * layer.act_growth * (1.0 + added_share(layer)) * rows;
}

// The same of the data. A depthwise layer has no copies of its own, but reads those that are folded
// into the layer in front of it.
double data_growth(const LayerPlan& layer) {
  const double share = added_share(layer);
  return dynamic_growth(layer) * layer.data_growth *
         (share > 0.0 ? 1.0 + share : grown_by(layer.inputs));
}

// In double: whole * channels may leave 64 bits, and the figure is for people.
std::int64_t extra_of(std::int64_t whole, double growth) {
  return std::llround(static_cast<double>(whole) * (growth - 1.0));
}

std::int64_t weights_of(std::size_t stored, const onnx::TensorProto* kept) {
  return kept != nullptr ? element_count(*kept) : static_cast<std::int64_t>(stored);
}

std::string form_of(const LayerPlan& layer) {
  if (!layer.residual.channels.empty()) return "residual";
  return added_channels(layer) == 0 ? "" : std::string(name_of(layer.form));
}

std::int64_t values_of(const EmbeddingPlan& table) {
  if (table.kept == nullptr) return static_cast<std::int64_t>(table.stored.size());
  return element_count(*table.kept) * (8 / table.storage_bits);  // several in a byte
}

LayerReport report_of(const LayerPlan& layer, double row_share) {
  const std::int64_t added = added_channels(layer);
  const double growth = weight_growth(layer, row_share);
  const auto weights = std::llround(
      static_cast<double>(weights_of(layer.stored.size(), layer.kept.get())) / layer.act_growth);
  return {.node = layer.node,
          .part = std::string(layer.operand.part),
          .op = layer.op,
          .quantized = true,
          .reason = layer.remark,
          .weight_bits = layer.weight_bits,
          .act_bits = layer.data_bits(),
          .copies = added,
          .act_copies = layer.act_copies,
          .form = form_of(layer),
          .predicted_sqnr_db = layer.predicted_sqnr_db,
          .weights = weights,
          .extra_weights = extra_of(weights, growth),
          .activations = layer.activations,
          .extra_activations = extra_of(layer.activations, data_growth(layer)),
          .macs = layer.macs,
          .extra_macs = extra_of(layer.macs, growth)};
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
                    .reason = fmt::format("table of {} values", values_of(embedding)),
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
