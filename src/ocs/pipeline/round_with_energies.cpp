#include "ocs/pipeline/round_with_energies.h"

#include <algorithm>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/graph.h"
#include "ocs/passes/prune.h"
#include "ocs/plan/round_with_data.h"
#include "ocs/plan/rounded_model.h"
#include "ocs/plan/split_form.h"

namespace ocs {
namespace {

// What one group of layers may hold at a time; a layer that needs more is a group of its own.
constexpr std::int64_t bytes_of_a_group = 256LL << 20;

// The end of the group that begins at `begin`. A sequential rounding takes layers one by one: two
// that see the same drift would both make up for it.
std::size_t group_end(const std::vector<DataRounding>& roundings, std::size_t begin,
                      bool one_by_one) {
  if (one_by_one) return begin + 1;
  std::int64_t bytes = 0;
  std::size_t end = begin;
  while (end < roundings.size()) {
    bytes += working_bytes(roundings[end].request);
    if (end > begin && bytes > bytes_of_a_group) break;
    ++end;
  }
  return end;
}

// The first samples behind those that the result is measured on, so that the measured figures are of
// data that no rounding has seen; where few are left, all of them.
Samples samples_for_energies(const Samples& samples, const Recipe& recipe) {
  Samples seen = samples;
  if (recipe.calib_count > 0) seen.count = std::min(recipe.calib_count, seen.count);
  const std::size_t measured = std::min(recipe.measure_count, seen.count);
  if (const std::size_t others = seen.count - measured; others >= measured) {
    seen.count = others;
    seen.load = [load = samples.load, measured](std::size_t i) { return load(measured + i); };
  }
  if (recipe.energy_count > 0) seen.count = std::min(recipe.energy_count, seen.count);
  return seen;
}

// The float model with the weights of all layers that are not to be rounded again.
Model partly_rounded(const Model& model, const std::vector<DataRounding>& roundings,
                     const Plan& plan) {
  Model rounded = model.clone();
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (std::ranges::find(roundings, i, &DataRounding::layer) == roundings.end())
      replace_by_rounded(rounded, plan.layers[i]);
  return prune(std::move(rounded)).model;
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
  const Samples seen = samples_for_energies(*samples, recipe);
  const bool sequential = is_sequential(recipe.rounding);
  Model rounded = sequential ? partly_rounded(model, roundings, plan) : Model();
  for (std::size_t begin = 0; begin < roundings.size();) {
    const std::size_t end = group_end(roundings, begin, sequential);
    std::vector<EnergyRequest> requests;
    for (std::size_t i = begin; i < end; ++i) requests.push_back(roundings[i].request);
    const Progress whole = [&](const std::string& what, std::size_t done, std::size_t total) {
      if (progress) progress(what, begin * total + (end - begin) * done, roundings.size() * total);
    };
    const std::vector<InputEnergy> energies = collect_input_energies(
        model, sequential ? &rounded : nullptr, requests, seen, engine, whole);
    parallel_for(energies.size(), [&](std::size_t i) {
      const DataRounding& rounding = roundings[begin + i];
      while_doing("node '" + rounding.request.node + "'", [&] {
        round_with_data(model, stats, recipe, unfolded, rounding, energies[i], plan);
      });
    });
    if (sequential) {
      replace_by_rounded(rounded, plan.layers[roundings[begin].layer]);
      rounded = prune(std::move(rounded)).model;
    }
    begin = end;
  }
  choose_split_forms(Graph(model), recipe, plan);  // other integers may need another container
}

}  // namespace ocs
