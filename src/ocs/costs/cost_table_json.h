// The file form of a cost table (docs/costs.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "ocs/core/json.h"
#include "ocs/costs/cost_table.h"

namespace ocs {

[[nodiscard]] Json to_json(const CostTable& costs);
// Throws Error(bad_input) naming the key that is missing, unknown, of the wrong type or negative.
[[nodiscard]] CostTable parse_cost_table(const Json& json);
[[nodiscard]] CostTable read_cost_table(const std::filesystem::path& file);

// The table that comes with the program, measured with AVX512-VNNI, and its text.
[[nodiscard]] std::string_view default_costs_text();
[[nodiscard]] const CostTable& default_costs();

// SHA-256 of the coefficients in hexadecimal digits: what a recipe names its table by. The same for tables that predict the same.
[[nodiscard]] std::string hash_of(const CostTable& costs);

}  // namespace ocs
