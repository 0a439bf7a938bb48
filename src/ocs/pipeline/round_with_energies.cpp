#include "ocs/pipeline/round_with_energies.h"

#include <algorithm>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/plan/round_with_data.h"

namespace ocs {
namespace {

// What one group of layers may hold at a time; a layer that needs more is a group of its own.
constexpr std::int64_t bytes_of_a_group = 256LL << 20;

// The end of the group that begins at `begin`.
std::size_t group_end(const std::vector<DataRounding>& roundings, std::size_t begin) {
  std::int64_t bytes = 0;
  std::size_t end = begin;
  while (end < roundings.size()) {
    bytes += working_bytes(roundings[end].request);
    if (end > begin && bytes > bytes_of_a_group) break;
    ++end;
  }
  return end;
}

}  // namespace

void round_with_energies(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
                         const std::map<std::string, UnfoldedRows>& unfolded,
                         const Samples* samples, const Engine& engine, const Progress& progress,
                         Plan& plan) {
  const std::vector<DataRounding> roundings = find_data_roundings(model, recipe, plan);
  if (roundings.empty()) return;
  if (samples == nullptr || samples->count == 0)
    throw_bad_input(
        "rounding " + to_string(recipe.rounding) +
        " looks at the data themselves: pass --calib DATA (saved statistics do not do)");
  Samples first = *samples;
  if (recipe.energy_count > 0) first.count = std::min(recipe.energy_count, first.count);
  for (std::size_t begin = 0; begin < roundings.size();) {
    const std::size_t end = group_end(roundings, begin);
    std::vector<EnergyRequest> requests;
    for (std::size_t i = begin; i < end; ++i) requests.push_back(roundings[i].request);
    const Progress whole = [&](const std::string& what, std::size_t done, std::size_t total) {
      if (progress) progress(what, begin * total + (end - begin) * done, roundings.size() * total);
    };
    const std::vector<std::vector<float>> energies =
        collect_input_energies(model, requests, first, engine, whole);
    parallel_for(energies.size(), [&](std::size_t i) {
      const DataRounding& rounding = roundings[begin + i];
      while_doing("node '" + rounding.request.node + "'", [&] {
        round_with_data(model, stats, recipe, unfolded, rounding, energies[i], plan);
      });
    });
    begin = end;
  }
}

}  // namespace ocs
