#pragma once

#include <map>
#include <string>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/plan/make_plan.h"

namespace ocs {

// Rounds the weights again where the recipe's rounding looks at the data: the layers in groups of
// bounded memory, each group with one pass over recipe.energy_count samples of the float model, those
// behind the ones that the result is measured on (all of them where that leaves fewer than are measured). Does nothing for other roundings. `samples` may be null; then, and without samples,
// Error(bad_input) says that such a rounding needs them. Other arguments as make_plan got them.
void round_with_energies(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
                         const std::map<std::string, UnfoldedRows>& unfolded,
                         const Samples* samples, const Engine& engine, const Progress& progress,
                         Plan& plan);

}  // namespace ocs
