// Cost tables as the program reads and measures them (docs/costs.md).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/console.h"
#include "ocs/costs/cost_table.h"

namespace ocs::cli {

// The processor and its instruction sets, as a cost table names them.
[[nodiscard]] std::string machine_name();

// --costs FILE and --costs-of-any-machine.
struct CostOptions {
  std::string file{};
  bool of_any_machine = false;
};
void add_cost_options(CLI::App& app, CostOptions& options);

// The table in the file, none where none is given; `hash_in_recipe` (the key cost_table) becomes its hash. Throws Error(bad_input) naming the
// file where it was measured with another version of ONNX Runtime, or, unless they are taken from any machine, on another one, and where
// the recipe names another table.
[[nodiscard]] std::optional<CostTable> read_costs(const CostOptions& options,
                                                  std::string& hash_in_recipe);

// Times small networks for `rounds` rounds and writes their costs to `file`; answers with them.
void measure_costs(const std::string& file, std::size_t rounds, Console& console);

}  // namespace ocs::cli
