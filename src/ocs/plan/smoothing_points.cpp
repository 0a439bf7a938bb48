#include "ocs/plan/smoothing_points.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/plan/dynamic_form.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/regions.h"

namespace ocs {
namespace {

// Channels on the last axis of the data: x W, without a transposed x.
bool reads_last_axis(const Graph& graph, const Layer& layer) {
  if (layer.operand.weight_input != 1 || layer.is_in_body) return false;
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  return node.op_type() == "MatMul" ||
         (node.op_type() == "Gemm" && int_attribute(node, "transA", 0) == 0);
}

// Whether a step takes the factors of its result by itself, and no one else minds.
bool is_absorbed(const Graph& graph, const GainPoint& point) {
  const onnx::NodeProto* producer = graph.producer(point.value);
  return producer != nullptr && takes_any_scale(graph, *producer) &&
         !graph.is_graph_output(point.value) &&
         graph.uses(point.value).size() == point.readers.size();
}

// Relu and Clip: the engine drops them before a QuantizeLinear, and joins them to the product before them where anything else
// reads them. Equalization scales through them.
bool is_bounded(const Graph& graph, const GainPoint& point) {
  const onnx::NodeProto* producer = graph.producer(point.value);
  return producer != nullptr && in_default_domain(*producer) &&
         (producer->op_type() == "Relu" || producer->op_type() == "Clip");
}

// Layers whose data are rounded.
struct RoundedLayers {
  std::vector<Layer> with_planned_scales{};
  std::vector<Layer> to_bytes{};  // to at most 8 bits, with scales of either kind
};
RoundedLayers rounded_layers(const Graph& graph, const Recipe& recipe) {
  RoundedLayers rounded;
  for (const Layer& layer : find_layers(graph, recipe).layers) {
    const Recipe settings = recipe_for(recipe, layer.node, layer.position);
    const bool is_planned = quantizes_data(settings, layer);
    if (is_planned) rounded.with_planned_scales.push_back(layer);
    if ((is_planned || rounds_as_it_runs(settings, layer, graph)) &&
        settings.act_bits.value_or(16) <= 8)
      rounded.to_bytes.push_back(layer);
  }
  return rounded;
}

}  // namespace

std::vector<GainPoint> smoothing_points(const Model& model, const Recipe& recipe) {
  const Graph graph(model);
  const RoundedLayers layers = rounded_layers(graph, recipe);
  const Regions regions = find_regions(graph, layers.with_planned_scales, recipe.act_scope,
                                       target_form(recipe.target).quantizes_results);
  std::map<std::string, std::size_t> places;
  std::set<std::string> refused;
  std::vector<GainPoint> points;
  for (const Layer& layer : layers.to_bytes) {
    if (!reads_last_axis(graph, layer)) {
      refused.insert(layer.data);
      continue;
    }
    const auto [place, is_new] = places.try_emplace(layer.data, points.size());
    if (is_new) {
      const ChannelMatrix weight = layer.op->view(*graph.node_named(layer.node), layer.operand,
                                                  shape_of(*graph.initializer(layer.weight)), {});
      points.push_back({.value = layer.data, .channels = weight.columns()});
    }
    points[place->second].readers.push_back(
        {.node = layer.node, .input = *layer.operand.data_input});
  }
  std::erase_if(points, [&](const GainPoint& point) {
    const bool is_made_by_integers =
        regions.quantized.contains(point.value) && !regions.float_values.contains(point.value);
    return refused.contains(point.value) || is_made_by_integers || point.channels < 2 ||
           is_absorbed(graph, point) || is_bounded(graph, point);
  });
  return points;
}

ScalableChannels only_smoothing(ScalableChannels channels) {
  std::vector<bool> is_made(channels.reasons.size(), false);
  for (const ScalableLayer& layer : channels.layers)
    for (const int row : layer.rows) is_made[static_cast<std::size_t>(row)] = true;
  for (std::size_t i = 0; i < is_made.size(); ++i)
    if (is_made[i] && channels.reasons[i].empty())
      channels.reasons[i] = "only data of layers are smoothed";
  const auto is_fixed = [&](const ChannelClasses& classes) {
    return std::ranges::none_of(classes, [&](int number) {
      return channels.reasons[static_cast<std::size_t>(number)].empty();
    });
  };
  std::erase_if(channels.layers,
                [&](const ScalableLayer& layer) { return is_fixed(layer.columns); });
  std::erase_if(channels.constants,
                [&](const ScalableConstant& constant) { return is_fixed(constant.channels); });
  std::erase_if(channels.bounds, [&](const BoundedValue& bounded) {
    return is_fixed(channels.values.at(bounded.value));
  });
  std::erase_if(channels.values, [&](const auto& value) { return is_fixed(value.second); });
  std::erase_if(channels.axes,
                [&](const auto& axis) { return !channels.values.contains(axis.first); });
  return channels;
}

bool can_smooth(const Model& model, const Recipe& recipe) {
  if (!smoothing_points(model, recipe).empty()) return true;
  const Graph graph(model);
  const std::vector<Layer> rounded = rounded_layers(graph, recipe).to_bytes;
  return std::ranges::any_of(
      only_smoothing(find_scalable_channels(model)).layers, [&](const ScalableLayer& layer) {
        return std::ranges::find(rounded, layer.node, &Layer::node) != rounded.end();
      });
}

}  // namespace ocs
