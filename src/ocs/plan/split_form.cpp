#include "ocs/plan/split_form.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/avoid_saturation.h"
#include "ocs/plan/hidden_units.h"
#include "ocs/plan/remark.h"

namespace ocs {
namespace {

// Below this many channels a Gather is as cheap as Slice and Concat (measured in ONNX Runtime: few
// channels on large maps).
constexpr std::int64_t fewest_channels_to_slice = 64;
// More runs than this cost more than one Gather.
constexpr std::size_t most_runs = 4;

using Layers = std::map<LayerId, LayerPlan*>;

// The layer whose output channels are this layer's input channels, and depthwise layers between.
struct Chain {
  LayerPlan* producer = nullptr;
  std::vector<LayerPlan*> depthwise{};
  // A Conv with a kernel of one tap: appended rows cost least.
  bool producer_is_pointwise = false;
};

bool has_channel_parameters(const Graph& graph, const onnx::NodeProto& node) {
  for (int i = 1; i < node.input_size(); ++i) {
    if (node.input(i).empty()) continue;
    const onnx::TensorProto* tensor = graph.initializer(node.input(i));
    if (tensor == nullptr || element_count(*tensor) != 1) return true;
  }
  return false;
}

std::int64_t rows_of(const LayerPlan& layer, const Graph& graph, ChannelMatrix* matrix) {
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  *matrix = find_linear_op(node)->view(node, layer.operand,
                                       shape_of(*graph.initializer(layer.weight)), {});
  return matrix->rows();
}

bool is_elementwise(const onnx::NodeProto& node) {
  return node.op_type() == "Relu" || node.op_type() == "Clip" || node.op_type() == "LeakyRelu" ||
         node.op_type() == "Identity";
}

// The value whose channels a step without weights hands on, each by itself; none where it does something else with them.
std::optional<std::string> value_ahead(const Graph& graph, const onnx::NodeProto& node,
                                       bool reads_maps) {
  const ChannelRule* rule = find_channel_rule(node);
  if (rule == nullptr || !rule->keeps_channels || has_channel_parameters(graph, node))
    return std::nullopt;
  if (!reads_maps && !is_elementwise(node)) return std::nullopt;
  return node.input(0);
}

bool is_depthwise(const LayerPlan& layer, const ChannelMatrix& matrix) {
  return layer.op == "Conv" && matrix.groups > 1 && matrix.inputs == 1 && matrix.outputs == 1;
}

// Whether the rows of the layer are the channels that the consumer reads, on the same axis.
bool makes_channels(const LayerPlan& layer, const ChannelMatrix& matrix, const LayerPlan& consumer,
                    bool reads_maps) {
  const bool same_axis = reads_maps ? layer.op == "Conv" : layer.op == consumer.op;
  return same_axis && matrix.groups == 1 &&
         matrix.rows() == static_cast<std::int64_t>(consumer.copies.size());
}

std::optional<Chain> find_chain(const Graph& graph, const Layers& layers,
                                const LayerPlan& consumer) {
  Chain chain;
  const onnx::NodeProto& reader = *graph.node_named(consumer.node);
  const bool reads_maps = consumer.op == "Conv";
  std::optional<std::string> value = data_of(reader, consumer.operand);
  while (value) {
    const onnx::NodeProto* node = graph.producer(*value);
    if (node == nullptr || graph.only_consumer(*value) == nullptr) return std::nullopt;
    // Never a recurrent node, whose layers have parts: its rows are gates, not channels.
    const auto planned = layers.find(LayerId{.node = node->name()});
    if (planned == layers.end()) {
      value = value_ahead(graph, *node, reads_maps);
      continue;
    }
    LayerPlan& layer = *planned->second;
    // Neither the scales of blocks nor residual columns are written in another order of rows.
    if (!layer.rows.empty() || layer.params.block > 0) return std::nullopt;
    ChannelMatrix matrix;
    (void)rows_of(layer, graph, &matrix);
    if (reads_maps && is_depthwise(layer, matrix)) {
      chain.depthwise.push_back(&layer);
      value = data_of(*node, layer.operand);
      continue;
    }
    if (!makes_channels(layer, matrix, consumer, reads_maps)) return std::nullopt;
    chain.producer = &layer;
    chain.producer_is_pointwise = matrix.taps == 1 && layer.op == "Conv";
    return chain;
  }
  return std::nullopt;
}

bool fits_container(const LayerPlan& layer) {
  return std::ranges::all_of(layer.stored, [](std::int16_t q) {
    return std::abs(q) <= std::numeric_limits<std::int8_t>::max();
  });
}

// Integers were kept from saturating as parts; whole ones may be larger.
bool can_saturate_unsplit(const Graph& graph, const Plan& plan, const LayerPlan& layer) {
  constexpr int byte = 8;
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  if (!plan.target.guards_16_bits || find_linear_op(node)->is_recurrent ||
      layer.data_bits() != byte)
    return false;
  ChannelMatrix matrix;
  rows_of(layer, graph, &matrix);
  SaturationProblem problem{.weight = matrix, .across_taps = layer.op != "MatMul"};
  const auto data = plan.activations.find(data_of(node, layer.operand));
  if (data != plan.activations.end()) problem.highest_level = data->second.level_high;
  return any_pair_saturates(problem, layer.stored);
}

// Why copies cannot be virtual; nullptr: they can.
const char* not_virtual(const Graph& graph, const Plan& plan, const LayerPlan& layer) {
  if (!fits_container(layer)) return "the unsplit integers do not fit into int8";
  if (can_saturate_unsplit(graph, plan, layer))
    return "sums of 16 bits of the unsplit integers could saturate";
  return nullptr;
}

std::vector<std::int64_t> all_channels(const LayerPlan& layer) {
  std::vector<std::int64_t> channels(layer.copies.size());
  std::iota(channels.begin(), channels.end(), 0);
  return channels;
}

// Originals in their order, then the copies of each split channel.
std::vector<std::int64_t> with_copies_behind(const LayerPlan& layer) {
  std::vector<std::int64_t> inputs = all_channels(layer);
  for (std::size_t c = 0; c < layer.copies.size(); ++c)
    inputs.insert(inputs.end(), static_cast<std::size_t>(layer.copies[c] - 1),
                  static_cast<std::int64_t>(c));
  return inputs;
}

void lay_out_fold(LayerPlan& layer, const Chain& chain) {
  layer.form = SplitForm::fold;
  layer.inputs = with_copies_behind(layer);
  chain.producer->rows = layer.inputs;
  for (LayerPlan* between : chain.depthwise) {
    between->rows = layer.inputs;
    between->inputs = layer.inputs;
  }
}

// Channels with most copies first, so that each further copy is one run from the first channel on.
void lay_out_neighbours(LayerPlan& layer, const Chain& chain) {
  layer.form = SplitForm::slice;
  std::vector<std::int64_t> order = all_channels(layer);
  const auto copies = [&](std::int64_t c) { return layer.copies[static_cast<std::size_t>(c)]; };
  std::ranges::stable_sort(order,
                           [&](std::int64_t a, std::int64_t b) { return copies(a) > copies(b); });
  layer.inputs = order;
  for (int copy = 2; copy <= copies(order[0]); ++copy) {
    const std::int64_t end =
        std::ranges::count_if(order, [&](std::int64_t c) { return copies(c) >= copy; });
    layer.slices.push_back({.begin = 0, .end = end});
    layer.inputs.insert(layer.inputs.end(), order.begin(), order.begin() + end);
  }
  chain.producer->rows = order;
  for (LayerPlan* between : chain.depthwise) {
    between->rows = order;
    between->inputs = order;
  }
}

// Runs of neighbouring split channels as they lie; false where these are too many.
bool lay_out_runs(LayerPlan& layer) {
  std::vector<ChannelRun> runs;
  const int most = *std::ranges::max_element(layer.copies);
  for (int copy = 2; copy <= most; ++copy) {
    for (std::size_t c = 0; c < layer.copies.size(); ++c) {
      if (layer.copies[c] < copy) continue;
      const auto channel = static_cast<std::int64_t>(c);
      if (!runs.empty() && runs.back().end == channel) {
        ++runs.back().end;
      } else {
        runs.push_back({.begin = channel, .end = channel + 1});
      }
    }
  }
  if (runs.size() > most_runs) return false;
  layer.form = SplitForm::slice;
  layer.inputs = all_channels(layer);
  for (const ChannelRun& run : runs)
    for (std::int64_t c = run.begin; c < run.end; ++c) layer.inputs.push_back(c);
  layer.slices = std::move(runs);
  return true;
}

void lay_out_gather(LayerPlan& layer, std::string_view remark) {
  layer.form = SplitForm::gather;
  layer.inputs = with_copies_behind(layer);
  add_remark(layer, std::string(remark));
}

// Hidden units are computed by the node itself, so that fold is the one form that they can have:
// every row that makes them is written again, in both weights.
void lay_out_hidden(const Graph& graph, const Layers& layers, LayerPlan& layer) {
  layer.form = SplitForm::fold;
  layer.inputs = with_copies_behind(layer);
  for (const auto& [id, other] : layers) {
    if (id.node != layer.node) continue;
    ChannelMatrix matrix;
    other->rows = repeat_units(rows_of(*other, graph, &matrix), layer.copies.size(), layer.inputs);
  }
}

// Of fold, slice and gather. Without a cost table, because nobody knows how large the data are, by what holds for most layers.
SplitForm cheapest(const LayerPlan& layer, const std::optional<Chain>& chain) {
  if (layer.cheapest_form != SplitForm::automatic &&
      (chain || layer.cheapest_form == SplitForm::gather))
    return layer.cheapest_form;
  if (chain && chain->producer_is_pointwise) return SplitForm::fold;
  const bool is_wide = static_cast<std::int64_t>(layer.copies.size()) >= fewest_channels_to_slice;
  return is_wide ? SplitForm::slice : SplitForm::gather;
}

void lay_out(const Graph& graph, const Layers& layers, SplitForm wanted, const Plan& plan,
             LayerPlan& layer) {
  const bool is_automatic = wanted == SplitForm::automatic;
  if (is_automatic || wanted == SplitForm::virtual_) {
    const char* reason = not_virtual(graph, plan, layer);
    if (reason == nullptr) {
      layer.form = SplitForm::virtual_;
      return;
    }
    if (!is_automatic)
      add_remark(layer, fmt::format("written as {}: {}",
                                    layer.operand.is_hidden() ? "fold" : "gather", reason));
  }
  if (layer.operand.is_hidden()) return lay_out_hidden(graph, layers, layer);
  if (wanted == SplitForm::virtual_) return lay_out_gather(layer, "");
  if (wanted == SplitForm::gather) return lay_out_gather(layer, "");

  const std::optional<Chain> chain = find_chain(graph, layers, layer);
  if (is_automatic) wanted = cheapest(layer, chain);
  if (wanted == SplitForm::fold) {
    if (chain) return lay_out_fold(layer, *chain);
    return lay_out_gather(layer,
                          "written as gather: no layer computes these channels for this one alone");
  }
  if (wanted == SplitForm::slice) {
    if (chain) return lay_out_neighbours(layer, *chain);
    if (lay_out_runs(layer)) return;
    if (!is_automatic)
      return lay_out_gather(
          layer, "written as gather: its channels cannot be permuted and lie in more than 4 runs");
  }
  lay_out_gather(layer, "");
}

}  // namespace

std::map<LayerId, CopyPath> copy_paths(const Graph& graph, const std::vector<Layer>& layers) {
  std::vector<LayerPlan> unsplit;
  for (const Layer& layer : layers) {
    LayerPlan plan{.node = layer.node,
                   .op = std::string(layer.op->op_type),
                   .operand = layer.operand,
                   .weight = layer.weight};
    if (layer.is_in_body) continue;
    ChannelMatrix matrix;
    rows_of(plan, graph, &matrix);
    plan.copies.assign(static_cast<std::size_t>(matrix.columns()), 1);
    unsplit.push_back(std::move(plan));
  }
  Layers by_id;
  for (LayerPlan& plan : unsplit) by_id[plan.id()] = &plan;
  std::map<LayerId, CopyPath> paths;
  for (const LayerPlan& plan : unsplit) {
    if (plan.operand.is_hidden()) continue;
    const std::optional<Chain> chain = find_chain(graph, by_id, plan);
    if (!chain) continue;
    CopyPath& path = paths[plan.id()];
    path.grown.push_back(chain->producer->id());
    for (const LayerPlan* between : chain->depthwise) path.grown.push_back(between->id());
  }
  return paths;
}

void choose_split_forms(const Graph& graph, const Recipe& recipe, Plan& plan) {
  Layers layers;
  for (LayerPlan& layer : plan.layers) {
    layers[layer.id()] = &layer;
    layer.rows.clear();
    layer.inputs.clear();
    layer.slices.clear();
  }
  for (LayerPlan& layer : plan.layers) {
    if (std::ranges::all_of(layer.copies, [](int copies) { return copies == 1; })) continue;
    lay_out(graph, layers, recipe.split_form, plan, layer);
  }
}

}  // namespace ocs
