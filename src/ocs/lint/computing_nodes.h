// Which nodes a forecast lists, and which values are integers.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "ocs/lint/working_graph.h"

namespace ocs {

// Names of values that depend on shapes and constants alone, or are indices and truth values.
[[nodiscard]] std::set<std::string, std::less<>> shape_values(const WorkingGraph& graph);

// Whether the node computes or moves values, as LintForecast::nodes says.
[[nodiscard]] bool is_computing(const Step& step,
                                const std::set<std::string, std::less<>>& shape_values);

// Whether the operator only moves or picks values, so that it runs on integers as it stands.
[[nodiscard]] bool moves_values(std::string_view op);

// Names of values that are integers of a quantized tensor: written by QuantizeLinear or by an operator of integers, or moved from there.
[[nodiscard]] std::set<std::string, std::less<>> integer_values(const WorkingGraph& graph);

// Kernels of integers under their own names: QLinearConv, com.microsoft.QLinearAdd, ...
[[nodiscard]] bool is_integer_operator(std::string_view op);

}  // namespace ocs
