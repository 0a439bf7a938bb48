#include "cli/inspect_layers.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "ocs/clip/clip.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/data/open_samples.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/find_layers.h"
#include "ocs/split/select.h"

namespace ocs::cli {
namespace {

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
  const Tensor weight =
      to_tensor(*graph.initializer(layer.weight), graph.model().file().parent_path());
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

// Shapes of the layers' outputs, by value name, from one run on made-up input.
std::map<std::string, Shape, std::less<>> output_shapes(const Model& model,
                                                        const std::vector<Layer>& layers,
                                                        const Engine& engine, std::uint64_t seed) {
  std::vector<std::string> names;
  for (const Layer& layer : layers)
    if (!layer.is_in_body) names.push_back(layer.result);
  // Not optimized: opening takes longer than the one run.
  const RunModel run = engine(model, {.optimize = false, .outputs = names, .borrow_weights = true});
  std::map<std::string, Shape, std::less<>> shapes;
  run.run(synthetic_samples(model.inputs(), 1, seed).load(0).inputs,
          [&](std::span<const OutputView> views) {
            for (const OutputView& view : views)
              shapes.emplace(view.name, Shape(view.tensor.shape.begin(), view.tensor.shape.end()));
          });
  return shapes;
}

void fill_macs(Inspection& inspection, const std::vector<Layer>& layers, const Model& model,
               const Engine& engine, std::uint64_t seed) {
  if (std::ranges::all_of(layers, &Layer::is_in_body)) return;
  const Graph graph(model);
  std::map<std::string, Shape, std::less<>> shapes;
  try {
    shapes = output_shapes(model, layers, engine, seed);
  } catch (const Error& error) {
    inspection.why_no_macs = error.what();
    return;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    const auto shape = shapes.find(layer.result);
    if (layer.is_in_body || shape == shapes.end()) continue;
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    const ChannelMatrix sizes = layer.op->view(node, layer.operand, inspection.layers[i].shape, {});
    inspection.layers[i].macs = layer.op->macs(node, sizes, shape->second);
  }
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
  fill_macs(inspection, found.layers, model, engine, options.seed);
  return inspection;
}

}  // namespace ocs::cli
