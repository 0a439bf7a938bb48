#include "ocs/plan/recurrent_form.h"

#include <map>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {

void choose_recurrent_forms(const Recipe& recipe, Plan& plan) {
  std::map<std::string, std::vector<LayerPlan*>> nodes;
  for (LayerPlan& layer : plan.layers) {
    layer.dynamic_weights = DynamicWeights::none;
    if (layer.op == "LSTM" && recipe.recurrent_form == RecurrentForm::dynamic)
      nodes[layer.node].push_back(&layer);
  }
  for (auto& [name, layers] : nodes) {
    for (LayerPlan* layer : layers) {
      if (layer->weight_bits != 8)
        throw_bad_input(
            fmt::format("node '{}': recurrent_form dynamic takes weights of 8 bits, not {}", name,
                        layer->weight_bits));
      if (layers.size() == 2)
        layer->dynamic_weights = target_form(recipe.target).guards_16_bits ? DynamicWeights::uint8
                                                                           : DynamicWeights::int8;
      else
        layer->remark += fmt::format("{}written behind DequantizeLinear: W or R stays float",
                                     layer->remark.empty() ? "" : "; ");
    }
  }
}

}  // namespace ocs
