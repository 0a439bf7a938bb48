// The second look at the weights, for roundings that look at the data (docs/rounding.md, docs/adr/0012).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/calibrate/input_energy.h"
#include "ocs/plan/make_plan.h"

namespace ocs {

// One layer that is to be rounded again.
struct DataRounding {
  std::size_t layer = 0;  // in plan.layers
  EnergyRequest request{};
};

// The layers of the plan whose rounding looks at the data, in graph order; empty where the recipe's
// does not. A layer that has no second moments of bearable size (an operator without patches, more
// than 8192 columns in a group) stays rounded to nearest, and its remark says so.
[[nodiscard]] std::vector<DataRounding> find_data_roundings(const Model& model,
                                                            const Recipe& recipe, Plan& plan);

// Plans the weights of a layer again, with the second moments of its input (RoundProblem::energy, drift);
// copies and their layout stay. Other arguments as make_plan got them.
void round_with_data(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
                     const std::map<std::string, UnfoldedRows>& unfolded,
                     const DataRounding& rounding, const InputEnergy& energy, Plan& plan);

}  // namespace ocs
