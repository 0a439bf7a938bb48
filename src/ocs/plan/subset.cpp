#include "ocs/plan/subset.h"

#include "ocs/plan/find_layers.h"
#include "ocs/plan/recurrent_form.h"
#include "ocs/plan/regions.h"
#include "ocs/plan/split_form.h"

namespace ocs {

Plan with_layers(const Model& model, const Recipe& recipe, const Plan& plan,
                 const std::set<LayerId>& layers) {
  const Graph graph(model);
  Plan part{.embeddings = plan.embeddings, .skipped = plan.skipped, .target = plan.target};
  std::set<LayerId> integer_ids;
  for (const LayerPlan& layer : plan.layers) {
    if (!layers.contains(layer.id())) continue;
    part.layers.push_back(layer);
    if (layer.act_bits) integer_ids.insert(layer.id());
  }
  std::vector<Layer> integer_layers;
  for (const Layer& layer : find_all_layers(graph).layers)
    if (integer_ids.contains(layer.id())) integer_layers.push_back(layer);
  if (!integer_layers.empty()) {
    const Regions regions =
        find_regions(graph, integer_layers, recipe.act_scope, plan.target.quantizes_results);
    part.notes = regions.notes;
    part.float_values = regions.float_values;
    part.integer_steps = regions.integer_steps;
    // Fewer layers, fewer quantized values: each has its plan already.
    for (const std::string& value : regions.quantized)
      part.activations[value] = plan.activations.at(value);
  }
  choose_recurrent_forms(recipe, part);
  choose_split_forms(graph, recipe, part);
  return part;
}

}  // namespace ocs
