#include "cli/inspect_layers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "ocs/clip/clip.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/data/open_samples.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/plan/find_layers.h"
#include "ocs/split/select.h"

namespace ocs::cli {
namespace {

using Shapes = std::map<std::string, Shape, std::less<>>;  // by value

constexpr std::array paper_ratios{0.01, 0.02, 0.05, 0.1};

InspectedSplit inspect_split(const ChannelMatrix& matrix, float max_abs, double ratio) {
  if (matrix.groups != 1)
    return {.max_abs_after = max_abs, .reason = "grouped: only whole groups could be split"};
  Split split = select_largest(matrix, split_count(ratio, matrix.inputs), SplitParts::halving);
  return {.channels = std::move(split.order), .max_abs_after = split.max_abs_after};
}

// Everything but the MACs.
InspectedLayer inspect_layer(const Layer& layer, const Graph& graph,
                             const InspectOptions& options) {
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  const Tensor weight = read_tensor(graph, layer.weight);
  const auto values = weight.as<float>();
  const ChannelMatrix matrix = layer.op->view(node, layer.operand, weight.shape, values);
  InspectedLayer result{.name = layer_name(layer.id()),
                        .op = std::string(layer.op->op_type),
                        .weight = layer.weight,
                        .shape = weight.shape};
  const ClipInput input = clip_input(values, {.bits = options.bits});
  result.max_abs = input.max_abs();
  for (const Clip& clip :
       {Clip{MaxClip{}}, Clip{MseClip{}}, Clip{MseHistClip{}}, Clip{AciqClip{}}, Clip{KlClip{}}}) {
    result.thresholds.push_back({.clip = to_string(clip), .threshold = threshold(clip, input)});
  }
  result.split = inspect_split(matrix, result.max_abs, options.expand_ratio);
  return result;
}

// Shapes of what the layers read and give, by value name, from one run on made-up input.
Shapes value_shapes(const Model& model, const std::vector<Layer>& layers, const Engine& engine,
                    std::uint64_t seed) {
  const Sample sample = synthetic_samples(model.inputs(), 1, seed).load(0);
  Shapes shapes;
  for (const auto& [name, tensor] : sample.inputs) shapes.emplace(name, tensor.shape);
  std::set<std::string> names;
  for (const Layer& layer : layers)
    for (const std::string& name : {layer.data, layer.result})
      if (!layer.is_in_body && !name.empty() && !shapes.contains(name)) names.insert(name);
  // Not optimized: opening takes longer than the one run.
  const RunModel run = engine(
      model, {.optimize = false, .outputs = {names.begin(), names.end()}, .borrow_weights = true});
  run.run(sample.inputs, [&](std::span<const OutputView> views) {
    for (const OutputView& view : views)
      shapes.emplace(view.name, Shape(view.tensor.shape.begin(), view.tensor.shape.end()));
  });
  return shapes;
}

void fill_macs(const Graph& graph, const std::vector<Layer>& layers, const Shapes& shapes,
               Inspection& inspection) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    const auto shape = shapes.find(layer.result);
    if (layer.is_in_body || shape == shapes.end()) continue;
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    const ChannelMatrix sizes = layer.op->view(node, layer.operand, inspection.layers[i].shape, {});
    inspection.layers[i].macs = layer.op->macs(node, sizes, shape->second);
  }
}

// A layer's numbers without copies, as the report of a quantized model has them.
struct SizedLayer {
  LayerReport plain{};
  std::int64_t channels = 0;  // that may be copied; 0: none, the layer is grouped
  bool is_hidden = false;
};

std::vector<SizedLayer> sizes_of(const Graph& graph, const std::vector<Layer>& layers,
                                 const std::vector<InspectedLayer>& inspected,
                                 const Shapes& shapes) {
  std::set<LayerId> quantized;
  for (const Layer& layer : find_layers(graph, built_in_recipe("paper")).layers)
    quantized.insert(layer.id());
  std::vector<SizedLayer> sizes;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    const auto data = shapes.find(layer.operand.is_hidden() ? layer.result : layer.data);
    const bool is_known = !layer.is_in_body && data != shapes.end();
    const ChannelMatrix matrix =
        layer.op->view(*graph.node_named(layer.node), layer.operand, inspected[i].shape, {});
    sizes.push_back({.plain = {.node = layer.node,
                               .quantized = quantized.contains(layer.id()),
                               .weights = element_count(inspected[i].shape),
                               .activations = is_known ? element_count(data->second) : 0,
                               .macs = inspected[i].macs.value_or(0)},
                     .channels = matrix.groups == 1 ? matrix.columns() : 0,
                     .is_hidden = layer.operand.is_hidden()});
  }
  return sizes;
}

// With ceil(ratio * channels) copies in every layer that can have them. A copied hidden unit is a row
// of all weights of its node too.
RelativeCost cost_at(double ratio, const std::vector<SizedLayer>& sizes) {
  const auto growth_of = [&](const SizedLayer& layer) {
    if (layer.channels == 0) return 1.0;
    return 1.0 + static_cast<double>(split_count(ratio, layer.channels)) /
                     static_cast<double>(layer.channels);
  };
  const auto extra_of = [](std::int64_t whole, double growth) {
    return std::llround(static_cast<double>(whole) * (growth - 1.0));
  };
  std::map<std::string, double> growth_of_rows;
  for (const SizedLayer& layer : sizes)
    if (layer.is_hidden) growth_of_rows[layer.plain.node] = growth_of(layer);
  std::vector<LayerReport> layers;
  for (const SizedLayer& layer : sizes) {
    const double growth = growth_of(layer);
    const auto rows = growth_of_rows.find(layer.plain.node);
    const double weight_growth = rows == growth_of_rows.end() ? growth : growth * rows->second;
    LayerReport with_copies = layer.plain;
    with_copies.extra_weights = extra_of(layer.plain.weights, weight_growth);
    with_copies.extra_activations = extra_of(layer.plain.activations, growth);
    with_copies.extra_macs = extra_of(layer.plain.macs, weight_growth);
    layers.push_back(std::move(with_copies));
  }
  return relative_cost(layers);
}

void fill_costs(const Graph& graph, const std::vector<Layer>& layers, const Engine& engine,
                const InspectOptions& options, Inspection& inspection) {
  if (layers.empty()) return;
  Shapes shapes;
  if (!std::ranges::all_of(layers, &Layer::is_in_body)) {
    try {
      shapes = value_shapes(graph.model(), layers, engine, options.seed);
    } catch (const Error& error) {
      inspection.why_no_macs = error.what();
    }
  }
  fill_macs(graph, layers, shapes, inspection);
  const std::vector<SizedLayer> sizes = sizes_of(graph, layers, inspection.layers, shapes);
  std::set<double> ratios(paper_ratios.begin(), paper_ratios.end());
  ratios.insert(options.expand_ratio);
  for (const double ratio : ratios)
    inspection.relative.push_back({.expand_ratio = ratio, .cost = cost_at(ratio, sizes)});
}

}  // namespace

Inspection inspect_layers(const Model& model, const Engine& engine, const InspectOptions& options) {
  const Graph graph(model);
  const FoundLayers found = find_all_layers(graph);
  Inspection inspection{.layers = std::vector<InspectedLayer>(found.layers.size())};
  for (const Skipped& skipped : found.skipped)
    inspection.skipped.push_back({.name = layer_name({.node = skipped.node, .part = skipped.part}),
                                  .op = skipped.op,
                                  .reason = skipped.reason});
  std::mutex mutex;
  std::size_t ready = 0;
  parallel_for(found.layers.size(), [&](std::size_t i) {
    const Layer& layer = found.layers[i];
    inspection.layers[i] = while_doing(fmt::format("node '{}'", layer.node),
                                       [&] { return inspect_layer(layer, graph, options); });
    if (!options.progress) return;
    const std::lock_guard lock(mutex);
    options.progress("inspect layers", ++ready, found.layers.size());
  });
  fill_costs(graph, found.layers, engine, options, inspection);
  return inspection;
}

}  // namespace ocs::cli
