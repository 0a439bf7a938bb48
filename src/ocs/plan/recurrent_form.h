#pragma once

#include "ocs/plan/plan.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

// Decides for every LSTM whether its weights are written in DynamicQuantizeLSTM (docs/recurrent.md):
// where `recurrent_form` asks for it and both are quantized; a remark where one is not. uint8 for the
// target that fears saturated 16-bit sums, since the engine's kernels for uint8 have none. Throws
// Error(bad_input) naming a node whose weights do not have 8 bits.
void choose_recurrent_forms(const Recipe& recipe, Plan& plan);

}  // namespace ocs
