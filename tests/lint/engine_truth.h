// What the engine really does with each node: read off the graph that it optimized itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/lint/forecast.h"

namespace ocs {

// For each node of the forecast whether the engine runs it on integers. Nodes keep their names as long as layouts are not changed, so that
// rewrite is switched off here; it makes no float node of an integer one. A node that only moves values and that the engine could do
// without is left out; any other that cannot be found is a test failure. The model's nodes have names (name_nodes).
[[nodiscard]] std::map<std::string, bool> engine_truth(
    const Model& model, const LintForecast& forecast,
    const std::map<std::string, std::string>& config = {});

// Every difference between forecast and engine as a test failure that names node, operator and reason.
void expect_engine_agrees(const Model& model, const LintTarget& target,
                          const std::map<std::string, std::string>& config = {});

}  // namespace ocs
