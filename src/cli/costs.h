// Cost tables as the program reads and measures them (docs/costs.md).
#pragma once

#include <cstddef>
#include <string>

#include "cli/console.h"
#include "ocs/costs/cost_table.h"

namespace ocs::cli {

// The processor and its instruction sets, as a cost table names them.
[[nodiscard]] std::string machine_name();

// The table in this file. Throws Error(bad_input) naming the file where it was measured with another version of ONNX Runtime, or, unless
// `of_any_machine`, on another machine.
[[nodiscard]] CostTable read_costs(const std::string& file, bool of_any_machine);

// Times small networks for `rounds` rounds and writes their costs to `file`; answers with them.
void measure_costs(const std::string& file, std::size_t rounds, Console& console);

}  // namespace ocs::cli
