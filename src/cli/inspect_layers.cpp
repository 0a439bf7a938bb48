#include "cli/inspect_layers.h"

#include <map>
#include <mutex>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "ocs/clip/clip.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/data/open_samples.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"
#include "ocs/ops/op.h"
#include "ocs/split/select.h"

namespace ocs::cli {
namespace {

struct Layer {
  const onnx::NodeProto* node = nullptr;
  const LinearOp* op = nullptr;
  Operand operand{};
};

struct Found {
  std::vector<Layer> layers{};
  std::vector<NotInspected> skipped{};
};

void find_in_bodies(const onnx::NodeProto& node, std::vector<NotInspected>& skipped) {
  for_each_body(node, [&](const onnx::GraphProto& body) {
    for_each_graph(body, [&](const onnx::GraphProto& graph) {
      for (const onnx::NodeProto& inner : graph.node()) {
        if (find_linear_op(inner) == nullptr) continue;
        skipped.push_back({.name = inner.name(),
                           .op = inner.op_type(),
                           .reason = fmt::format("lies in a body of '{}'", node.name())});
      }
    });
  });
}

Found find_layers(const Graph& graph) {
  Found found;
  for (std::size_t i = 0; i < graph.node_count(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (has_body(node)) find_in_bodies(node, found.skipped);
    const LinearOp* op = find_linear_op(node);
    if (op == nullptr) continue;
    const Operands operands = op->operands(node, graph);
    if (const auto* reason = std::get_if<std::string>(&operands)) {
      found.skipped.push_back({.name = node.name(), .op = node.op_type(), .reason = *reason});
      continue;
    }
    for (const Operand& operand : std::get<std::vector<Operand>>(operands))
      found.layers.push_back({.node = &node, .op = op, .operand = operand});
  }
  return found;
}

InspectedSplit inspect_split(const ChannelMatrix& matrix, float max_abs, double ratio) {
  if (matrix.groups != 1)
    return {.max_abs_after = max_abs, .reason = "grouped: only whole groups could be split"};
  Split split = select_largest(matrix, split_count(ratio, matrix.inputs), SplitParts::halving);
  return {.channels = std::move(split.order), .max_abs_after = split.max_abs_after};
}

// Everything but the MACs.
InspectedLayer inspect_layer(const Layer& layer, const Graph& graph,
                             const InspectOptions& options) {
  const std::string& name = layer.node->input(layer.operand.weight_input);
  const Tensor weight = to_tensor(*graph.initializer(name), graph.model().file().parent_path());
  const auto values = weight.as<float>();
  const ChannelMatrix matrix = layer.op->view(*layer.node, layer.operand, weight.shape, values);
  InspectedLayer result{
      .name = layer_name({.node = layer.node->name(), .part = std::string(layer.operand.part)}),
      .op = layer.node->op_type(),
      .weight = name,
      .shape = weight.shape};
  if (values.empty()) {
    result.split.reason = "the weight is empty";
    return result;
  }
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
  for (const Layer& layer : layers) names.push_back(result_of(*layer.node));
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
  if (layers.empty()) return;
  std::map<std::string, Shape, std::less<>> shapes;
  try {
    shapes = output_shapes(model, layers, engine, seed);
  } catch (const Error& error) {
    inspection.why_no_macs = error.what();
    return;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto shape = shapes.find(result_of(*layers[i].node));
    if (shape == shapes.end()) continue;
    const ChannelMatrix sizes =
        layers[i].op->view(*layers[i].node, layers[i].operand, inspection.layers[i].shape, {});
    inspection.layers[i].macs = layers[i].op->macs(*layers[i].node, sizes, shape->second);
  }
}

}  // namespace

Inspection inspect_layers(const Model& model, const Engine& engine, const InspectOptions& options) {
  const Graph graph(model);
  Found found = find_layers(graph);
  Inspection inspection{.layers = std::vector<InspectedLayer>(found.layers.size()),
                        .skipped = std::move(found.skipped)};
  std::mutex mutex;
  std::size_t ready = 0;
  parallel_for(found.layers.size(), [&](std::size_t i) {
    const Layer& layer = found.layers[i];
    inspection.layers[i] = while_doing(fmt::format("node '{}'", layer.node->name()),
                                       [&] { return inspect_layer(layer, graph, options); });
    if (!options.progress) return;
    const std::lock_guard lock(mutex);
    options.progress("inspect layers", ++ready, found.layers.size());
  });
  fill_macs(inspection, found.layers, model, engine, options.seed);
  return inspection;
}

}  // namespace ocs::cli
