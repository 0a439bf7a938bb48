#include "ocs/plan/subset.h"

#include "ocs/plan/find_layers.h"
#include "ocs/plan/regions.h"
#include "ocs/plan/split_form.h"

namespace ocs {

Plan with_layers(const Model& model, const Recipe& recipe, const Plan& plan,
                 const std::set<std::string>& nodes) {
  const Graph graph(model);
  Plan part{.skipped = plan.skipped};
  std::set<std::string> integer_nodes;
  for (const LayerPlan& layer : plan.layers) {
    if (!nodes.contains(layer.node)) continue;
    part.layers.push_back(layer);
    part.layers.back().rows.clear();
    part.layers.back().inputs.clear();
    part.layers.back().slices.clear();
    if (layer.act_bits) integer_nodes.insert(layer.node);
  }
  std::vector<Layer> integer_layers;
  for (const Layer& layer : find_all_layers(graph).layers)
    if (integer_nodes.contains(layer.node)) integer_layers.push_back(layer);
  if (!integer_layers.empty()) {
    const Regions regions = find_regions(graph, integer_layers, recipe.act_scope);
    part.notes = regions.notes;
    // Fewer layers, fewer quantized values: each has its plan already.
    for (const std::string& value : regions.quantized)
      part.activations[value] = plan.activations.at(value);
  }
  choose_split_forms(graph, recipe, part);
  return part;
}

}  // namespace ocs
