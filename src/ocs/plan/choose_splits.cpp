#include "ocs/plan/choose_splits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/plan_activations.h"
#include "ocs/split/activation_channels.h"
#include "ocs/split/select.h"

namespace ocs {
namespace {

// One reader of a value, with what the choice needs of it.
struct Reader {
  Layer layer{};
  Recipe settings{};
  ChannelMatrix matrix{};  // sizes only
  int axis = 0;            // of the data
};

using Readers = std::map<std::string, std::vector<Reader>>;  // by value

Readers find_readers(const Graph& graph, const Recipe& recipe) {
  Readers readers;
  for (Layer& layer : find_layers(graph, recipe).layers) {
    Recipe settings = recipe_for(recipe, layer.node, layer.position);
    if (!quantizes_data(settings, layer) || layer.op->is_recurrent) continue;
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    const ChannelMatrix matrix =
        layer.op->view(node, layer.operand, shape_of(*graph.initializer(layer.weight)), {});
    const int axis = layer.op->data_axis(node, layer.operand);
    const std::string value = layer.data;
    readers[value].push_back({.layer = std::move(layer),
                              .settings = std::move(settings),
                              .matrix = matrix,
                              .axis = axis});
  }
  return readers;
}

// Why the value is not split, "" where it is.
std::string refusal(const Graph& graph, const std::string& value,
                    const std::vector<Reader>& readers) {
  if (graph.initializer(value) != nullptr) return "it is constant";
  for (const Reader& reader : readers) {
    if (reader.matrix.groups > 1) return fmt::format("'{}' is grouped", reader.layer.node);
    if (reader.axis != readers[0].axis || reader.matrix.columns() != readers[0].matrix.columns())
      return fmt::format("'{}' and '{}' see its channels along different axes",
                         readers[0].layer.node, reader.layer.node);
    if (reader.layer.position.first && reader.matrix.columns() <= 4 && !reader.settings.split_first)
      return "its few channels are the image";
  }
  return "";
}

// Squared norm of the weights that read each channel, over all readers.
std::vector<double> weight_energy(const Graph& graph, const std::vector<Reader>& readers) {
  std::vector<double> energy(static_cast<std::size_t>(readers[0].matrix.columns()), 0.0);
  for (const Reader& reader : readers) {
    const onnx::NodeProto& node = *graph.node_named(reader.layer.node);
    const Tensor weight = read_tensor(graph, reader.layer.weight);
    const ChannelMatrix matrix =
        reader.layer.op->view(node, reader.layer.operand, weight.shape, weight.as<float>());
    for_each_weight(matrix, [&](std::int64_t, std::int64_t column, std::size_t at) {
      energy[static_cast<std::size_t>(column)] +=
          static_cast<double>(matrix.data[at]) * static_cast<double>(matrix.data[at]);
    });
  }
  return energy;
}

// The first reader's share is that of all: one value has one grid.
int highest_level(const std::vector<Reader>& readers, bool not_negative) {
  int bits = 0;
  for (const Reader& reader : readers) bits = std::max(bits, *reader.settings.act_bits);
  const bool has_sign_bit = !not_negative || readers[0].settings.act_range == ActRange::symmetric;
  return (1 << (has_sign_bit ? bits - 1 : bits)) - 1;
}

class Chooser {
 public:
  Chooser(const Graph& graph, const CalibrationStats& magnitudes, const Recipe& recipe)
      : graph_(graph), magnitudes_(magnitudes), recipe_(recipe) {}

  void choose(const std::string& value, const std::vector<Reader>& readers) {
    const TensorStats& stats = stats_of(magnitudes_, value);
    const auto seen = stats.magnitudes.find(stats.axis_key(readers[0].axis));
    if (seen == stats.magnitudes.end())
      throw_internal("no magnitudes of the channels of '" + value + "'");
    const ChannelMagnitudes& channels = seen->second;
    std::string reason = refusal(graph_, value, readers);
    if (reason.empty() && channels.channels() != readers[0].matrix.columns())
      reason = "its channels are not those of the weights";
    double ratio = 0.0;
    for (const Reader& reader : readers) ratio = std::max(ratio, reader.settings.act_expand_ratio);
    const std::vector<float> centres = channels.centres();
    const MagnitudeTable table{
        .magnitudes = centres, .counts = channels.counts(), .total = channels.total()};
    const int splits = reason.empty() ? split_count(ratio, channels.channels()) : 0;
    const bool not_negative = stats.histogram.min() >= 0.0F;
    ChannelSplit split{.value = value, .not_negative = not_negative};
    if (recipe_.act_split == ActSplit::halving) {
      split.copies = select_frequent(table, splits);
    } else {
      // Of a value that is not split the channels may not be those of the weights: all weigh alike.
      std::vector<double> energy(static_cast<std::size_t>(channels.channels()), 1.0);
      if (reason.empty()) energy = weight_energy(graph_, readers);
      SaturatingSplit chosen =
          select_saturating(table, energy, splits, highest_level(readers, not_negative));
      split.copies = std::move(chosen.copies);
      split.threshold = static_cast<float>(chosen.threshold);
      if (chosen.threshold > 0.0) chosen_.thresholds[value] = *split.threshold;
    }
    if (!reason.empty() && ratio > 0.0)
      chosen_.notes.push_back(
          {.node = readers[0].layer.node,
           .text = fmt::format("the channels of '{}' are not split: {}", value, reason)});
    if (std::ranges::all_of(split.copies, [](int copies) { return copies == 1; })) return;
    for (const Reader& reader : readers)
      split.readers.push_back({.node = reader.layer.node, .operand = reader.layer.operand});
    chosen_.splits.push_back(std::move(split));
  }

  ChosenSplits chosen() { return std::move(chosen_); }

 private:
  const Graph& graph_;
  const CalibrationStats& magnitudes_;
  const Recipe& recipe_;
  ChosenSplits chosen_{};
};

}  // namespace

bool splits_activations(const Recipe& recipe) {
  if (recipe.act_split == ActSplit::oracle) return false;
  return recipe.act_expand_ratio > 0.0 ||
         std::ranges::any_of(recipe.overrides, [](const Override& change) {
           return change.key == "act_expand_ratio";
         });
}

std::vector<TensorRequest> split_requests(const Model& model, const Recipe& recipe) {
  std::vector<TensorRequest> requests;
  for (const auto& [value, readers] : find_readers(Graph(model), recipe)) {
    TensorRequest request{.name = value, .histogram = false, .magnitudes = true};
    for (const Reader& reader : readers) request.channel_axes.insert(reader.axis);
    requests.push_back(std::move(request));
  }
  return requests;
}

ChosenSplits choose_splits(const Model& model, const CalibrationStats& magnitudes,
                           const Recipe& recipe) {
  const Graph graph(model);
  Chooser chooser(graph, magnitudes, recipe);
  for (const auto& [value, readers] : find_readers(graph, recipe)) chooser.choose(value, readers);
  return chooser.chosen();
}

}  // namespace ocs
