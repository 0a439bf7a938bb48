#include "ocs/costs/cost_table_json.h"

#include <array>
#include <cmath>

#include "ocs/core/error.h"
#include "ocs/core/sha256.h"

namespace ocs {
namespace {

constexpr std::string_view format = "ocs-costs";
constexpr int version = 2;

template <typename Cost>
using Member = std::pair<std::string_view, double Cost::*>;

constexpr std::array<Member<KernelCost>, 5> kernel_members{{{"node", &KernelCost::node},
                                                            {"multiply", &KernelCost::multiply},
                                                            {"weight", &KernelCost::weight},
                                                            {"patch", &KernelCost::patch},
                                                            {"result", &KernelCost::result}}};
constexpr std::array<Member<MoveCost>, 2> move_members{
    {{"node", &MoveCost::node}, {"value", &MoveCost::value}}};

template <typename Cost, std::size_t n>
Json row_of(const Cost& cost, const std::array<Member<Cost>, n>& members) {
  Json row = Json::object();
  for (const auto& [name, member] : members) row[std::string(name)] = cost.*member;
  return row;
}

template <typename Cost, std::size_t n, std::size_t m>
Json rows_of(const std::array<Cost, n>& costs, const std::array<std::string_view, n>& names,
             const std::array<Member<Cost>, m>& members) {
  Json rows = Json::object();
  for (std::size_t i = 0; i < n; ++i) rows[std::string(names[i])] = row_of(costs[i], members);
  return rows;
}

const Json& object_at(const Json& json, const std::string& key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_object())
    throw_bad_input("'" + key + "' must be an object");
  return *found;
}

double nanoseconds_at(const Json& json, const std::string& key) {
  if (!json.contains(key)) throw_bad_input("'" + key + "' is missing");
  const auto value = value_or(json, key, 0.0);
  if (!std::isfinite(value) || value < 0.0) throw_bad_input("'" + key + "' is negative");
  return value;
}

std::int64_t multiple_at(const Json& json, const std::string& key) {
  const auto value = value_or<std::int64_t>(json, key, 0);
  if (value < 1) throw_bad_input("'" + key + "' must be 1 or more");
  return value;
}

template <typename Cost, std::size_t n, std::size_t m>
std::array<Cost, n> parse_rows(const Json& json, const std::array<std::string_view, n>& names,
                               const std::array<Member<Cost>, m>& members) {
  refuse_unknown_keys(json, {names.begin(), names.end()});
  std::array<Cost, n> costs{};
  for (std::size_t i = 0; i < n; ++i) {
    const Json& row = object_at(json, std::string(names[i]));
    while_doing(std::string(names[i]), [&] {
      std::vector<std::string> known;
      for (const auto& [name, member] : members) known.emplace_back(name);
      refuse_unknown_keys(row, known);
      for (const auto& [name, member] : members)
        costs[i].*member = nanoseconds_at(row, std::string(name));
    });
  }
  return costs;
}

Json coefficients(const CostTable& costs) {
  return {{"input_multiple", costs.input_multiple},
          {"output_tile", costs.output_tile},
          {"depthwise_tile", costs.depthwise_tile},
          {"kernels", rows_of(costs.kernels, kernel_names, kernel_members)},
          {"moves", rows_of(costs.moves, move_names, move_members)}};
}

}  // namespace

Json to_json(const CostTable& costs) {
  Json json = {{"format", format},
               {"version", version},
               {"machine", costs.machine},
               {"engine", costs.engine},
               {"median_error", costs.median_error}};
  json.update(coefficients(costs));
  return json;
}

CostTable parse_cost_table(const Json& json) {
  if (!json.is_object() || value_or<Json>(json, "format", "") != format)
    throw_bad_input("is no cost table ('format' is not '" + std::string(format) + "')");
  if (value_or(json, "version", 0) != version)
    throw_bad_input("is a cost table of another version than " + std::to_string(version) +
                    ": measure it again with ocs bench --costs FILE");
  refuse_unknown_keys(json,
                      {"format", "version", "machine", "engine", "median_error", "input_multiple",
                       "output_tile", "depthwise_tile", "kernels", "moves"});
  CostTable costs;
  costs.machine = value_or<std::string>(json, "machine", "");
  costs.engine = value_or<std::string>(json, "engine", "");
  costs.median_error = nanoseconds_at(json, "median_error");
  costs.input_multiple = multiple_at(json, "input_multiple");
  costs.output_tile = multiple_at(json, "output_tile");
  costs.depthwise_tile = multiple_at(json, "depthwise_tile");
  costs.kernels = while_doing("kernels", [&] {
    return parse_rows(object_at(json, "kernels"), kernel_names, kernel_members);
  });
  costs.moves = while_doing(
      "moves", [&] { return parse_rows(object_at(json, "moves"), move_names, move_members); });
  return costs;
}

CostTable read_cost_table(const std::filesystem::path& file) {
  const Json json = read_json(file);
  return while_doing(file.string(), [&] { return parse_cost_table(json); });
}

const CostTable& default_costs() {
  static const CostTable costs = while_doing("the cost table of the program", [] {
    return parse_cost_table(parse_json(default_costs_text(), "default_costs.json"));
  });
  return costs;
}

std::string hash_of(const CostTable& costs) { return sha256(coefficients(costs).dump()); }

}  // namespace ocs
