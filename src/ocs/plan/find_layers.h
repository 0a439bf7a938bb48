// Which nodes are quantized, and why not the others.
#pragma once

#include <string>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/ops/op.h"
#include "ocs/plan/plan.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// One weight of a node that can be quantized, by names only.
struct Layer {
  std::string node{};
  const LinearOp* op = nullptr;
  Operand operand{};
  std::string data{};    // value that it reads, "" where the node makes it itself
  std::string weight{};  // initializer
  std::string bias{};    // initializer, "" for none
  std::string result{};  // value that it writes
  NodePosition position{};
  bool is_in_recurrent_model = false;
  bool is_in_body = false;  // of an If, Loop or Scan: nobody sees its data

  [[nodiscard]] LayerId id() const { return {.node = node, .part = std::string(operand.part)}; }
};

struct FoundLayers {
  std::vector<Layer> layers{};     // in graph order
  std::vector<Skipped> skipped{};  // nodes with weights or recurrent nodes that stay float
};

// Whether the model has LSTM, GRU or RNN nodes, in bodies too.
[[nodiscard]] bool is_recurrent_model(const Model& model);

// Whether the layer's data are quantized under these settings, with a scale that is planned. Those of recurrent nodes only where
// `recurrent_inputs` asks for it, since no engine has integer kernels for them in the standard
// operators, and hidden states never; nor those of layers in bodies, whose values the engine does not
// show; under `recurrent_float` those of no layer of a recurrent model (paper, Table 6).
[[nodiscard]] inline bool quantizes_data(const Recipe& settings, const Layer& layer) {
  const bool is_wanted =
      !layer.op->is_recurrent || (settings.recurrent_inputs && !layer.operand.is_hidden());
  return settings.act_bits.has_value() && settings.act_scales == ActScales::calibrated &&
         is_wanted && !layer.is_in_body &&
         !(settings.recurrent_float && layer.is_in_recurrent_model);
}
// Whether some layer's data may be quantized, so that calibration data are needed.
[[nodiscard]] inline bool quantizes_data(const Recipe& recipe, const Model& model) {
  return recipe.act_bits.has_value() && recipe.act_scales == ActScales::calibrated &&
         !(recipe.recurrent_float && is_recurrent_model(model));
}

// Every linear node with a constant float weight, whatever a recipe says. Those of bodies stand at
// the place of the node that holds the body.
[[nodiscard]] FoundLayers find_all_layers(const Graph& graph);

// Those that `recipe` quantizes: without keep_float patterns and, where asked, the first (in a recurrent model none:
// paper, Table 6). Throws
// Error(bad_input) naming a keep_float or override pattern that matches no layer.
[[nodiscard]] FoundLayers find_layers(const Graph& graph, const Recipe& recipe);

}  // namespace ocs
