#pragma once

#include <string>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Data and weight of a layer whose data are quantized while the model runs (layer.dynamic): the
// paper's oracle (section 3.5, Table 4), in standard operators and for any batch size.
//
//   m = max |x| of each channel;  the copies with the largest m are halved;  D = max m' / N with m'
//   behind the halving;  x' = [halves -+ D/4, second halves];  Q and DQ with D;  W' = [W, W of the
//   halved channels]
//
// Without copies only the scale is that of the batch: the control. `node`: with its final weight
// input. `weight`: shape of the float weight. New nodes are appended: sort_topologically afterwards.
void write_oracle(Model& model, onnx::NodeProto& node, const LayerPlan& layer, const Shape& weight);

}  // namespace ocs
