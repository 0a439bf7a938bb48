#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/pipeline/rounding_journal.h"
#include "ocs/plan/make_plan.h"

namespace ocs {

// Memory for the values that a sequential rounding goes on from, of both models together.
constexpr std::int64_t default_kept_bytes = 768LL << 20;

// Rounds the weights again where the recipe's rounding looks at the data: the layers in groups of
// bounded memory, each group with one pass over recipe.energy_count samples of the float model, those
// behind the ones that the result is measured on (all of them where that leaves fewer than are measured);
// a sequential one layer by layer, from values kept in at most `kept_bytes` where the graph allows it, else from the
// samples. Does nothing for other roundings. `samples` may be null; then, and without samples,
// Error(bad_input) says that such a rounding needs them. Layers that `journal` knows are taken from it, the others are kept there;
// the result is the same to the bit. Other arguments as make_plan got them.
void round_with_energies(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
                         const std::map<std::string, UnfoldedRows>& unfolded,
                         const Samples* samples, const Engine& engine, const Progress& progress,
                         Plan& plan, const RoundingJournal* journal = nullptr,
                         std::int64_t kept_bytes = default_kept_bytes);

}  // namespace ocs
