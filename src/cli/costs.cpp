#include "cli/costs.h"

#include <array>
#include <chrono>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/options.h"
#include "cli/output_file.h"
#include "cli/text_table.h"
#include "cli/version_answer.h"
#include "ocs/core/error.h"
#include "ocs/core/write_file.h"
#include "ocs/costs/cost_table_json.h"
#include "ocs/costs/measure_costs.h"
#include "ocs/engine/onnx_runtime.h"

namespace ocs::cli {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// As the kernel names it; "unknown processor" elsewhere.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::string as_text(const CostTable& costs, const std::string& file) {
  std::vector<std::vector<std::string>> cells;
  const auto number = [](double value) { return fmt::format("{:.4g}", value); };
  for (std::size_t i = 0; i < kernel_names.size(); ++i) {
    const KernelCost& cost = costs.kernels[i];
    cells.push_back({std::string(kernel_names[i]), number(cost.node), number(cost.multiply),
                     number(cost.weight), number(cost.patch), number(cost.result)});
  }
  for (std::size_t i = 0; i < move_names.size(); ++i)
    cells.push_back({std::string(move_names[i]), number(costs.moves[i].node), "", "", "",
                     number(costs.moves[i].value)});
  return fmt::format(
             "{}: {}, ONNX Runtime {}; half of the timed networks are predicted within {:.0f}%\n",
             file, costs.machine, costs.engine, 100.0 * costs.median_error) +
         text_table({{"nanoseconds"},
                     {"a node", true},
                     {"a product", true},
                     {"a weight", true},
                     {"a patch value", true},
                     {"a result", true}},
                    cells, 60);
}

}  // namespace

std::string machine_name() {
  return fmt::format("{} ({})", processor_name(), fmt::join(instruction_sets(), " "));
}

void add_cost_options(CLI::App& app, CostOptions& options) {
  add_text(
      app, "--costs", "FILE",
      "what kernels cost, by ocs bench --costs, for --latency-budget (default: a table measured "
      "with AVX512-VNNI)",
      options.file);
  app.add_flag("--costs-of-any-machine", options.of_any_machine,
               "take a cost table of another machine: that for which the model is made");
}

std::optional<CostTable> read_costs(const CostOptions& options, std::string& hash_in_recipe) {
  const std::string& file = options.file;
  if (file.empty()) return std::nullopt;
  CostTable costs = while_doing("--costs", [&] { return read_cost_table(file); });
  if (costs.engine != onnx_runtime_version())
    throw_bad_input(
        fmt::format("--costs {}: measured with ONNX Runtime {}, this is {}: measure again with ocs "
                    "bench --costs FILE",
                    file, costs.engine, onnx_runtime_version()));
  if (!options.of_any_machine && costs.machine != machine_name())
    throw_bad_input(
        fmt::format("--costs {}: measured on another machine, '{}', this is '{}': pass "
                    "--costs-of-any-machine if the "
                    "model is for that one",
                    file, costs.machine, machine_name()));
  const std::string hash = hash_of(costs);
  if (!hash_in_recipe.empty() && hash_in_recipe != hash)
    throw_bad_input(
        fmt::format("--costs {}: the recipe was made with another table, whose hash is {}", file,
                    hash_in_recipe));
  hash_in_recipe = hash;
  return costs;
}

void measure_costs(const std::string& file, std::size_t rounds, Console& console) {
  check_output(file, "--costs");
  CostTable costs = fit_costs(
      time_pairs(micro_models(), onnx_runtime(), rounds, seconds_now, console.progress()));
  costs.machine = machine_name();
  costs.engine = onnx_runtime_version();
  write_file(file, to_text(to_json(costs)) + "\n");
  if (console.options().json) {
    console.answer_json(to_json(costs));
  } else {
    console.answer(as_text(costs, file));
  }
}

}  // namespace ocs::cli
