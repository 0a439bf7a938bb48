#include "ocs/pipeline/round_with_energies.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ocs/calibrate/keep_value.h"
#include "ocs/core/cached_samples.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/segment.h"
#include "ocs/passes/prune.h"
#include "ocs/pipeline/unmeasured_samples.h"
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

// Memory for decoded samples where they are run again and again.
constexpr std::int64_t bytes_of_samples = 256LL << 20;

// Where the inputs of one layer after the other are computed from: as far into both models as all that follows can go on
// from one value, which is kept for every sample. What lies before is not run again.
class MovingSource {
 public:
  MovingSource(const Model& model, const Samples& samples, std::int64_t most_bytes,
               const Engine& engine)
      : engine_(engine), most_bytes_(most_bytes), cuts_(find_cuts(Graph(model))) {
    source_.model = &model;
    source_.samples = samples;
  }

  // On to a layer that reads `data`. `rounded`: what is final there before that layer.
  const EnergySource& to(const std::string& data, const Model& rounded, const Progress& progress) {
    source_.rounded = &rounded;
    const std::size_t end = nodes_until(data);
    std::size_t last = next_;
    while (last < cuts_.size() && cuts_[last].node < end) ++last;
    for (std::size_t i = last; i > next_; --i)
      if (keep(cuts_[i - 1].value, progress)) break;
    next_ = last;
    return source_;
  }

 private:
  // How many nodes have run when a value is there.
  [[nodiscard]] std::size_t nodes_until(const std::string& value) const {
    const auto& nodes = source_.model->graph().node();
    const auto writer = std::ranges::find_if(nodes, [&](const onnx::NodeProto& node) {
      return std::ranges::find(node.output(), value) != node.output().end();
    });
    return writer == nodes.end() ? 0 : static_cast<std::size_t>(writer - nodes.begin()) + 1;
  }

  bool keep(const std::string& value, const Progress& progress) {
    const Samples& samples = source_.samples;
    const Samples& rounded_samples = source_.rounded_samples ? *source_.rounded_samples : samples;
    const auto kept_of = [&](const Model& model, const Samples& from) {
      return keep_value(segment(model, source_.from, {value}), value, from, most_bytes_ / 2,
                        engine_, progress);
    };
    std::optional<KeptValue> x = kept_of(*source_.model, samples);
    if (!x) return false;
    std::optional<KeptValue> y = kept_of(*source_.rounded, rounded_samples);
    if (!y) return false;
    source_.from = {std::move(x->port)};
    source_.samples = std::move(x->samples);
    source_.rounded_samples = std::move(y->samples);
    return true;
  }

  const Engine& engine_;
  std::int64_t most_bytes_;
  std::vector<Cut> cuts_;
  std::size_t next_ = 0;  // cuts before it have been passed
  EnergySource source_{};
};

// The float model with the weights of all layers that are not to be rounded again.
Model partly_rounded(const Model& model, const std::vector<DataRounding>& roundings,
                     const Plan& plan) {
  Model rounded = model.clone();
  for (std::size_t i = 0; i < plan.layers.size(); ++i)
    if (std::ranges::find(roundings, i, &DataRounding::layer) == roundings.end())
      replace_by_rounded(rounded, plan.layers[i]);
  return prune(std::move(rounded)).model;
}

// Whether the journal has the whole group: a pass over the data finds it all, or is not made.
bool restore_all(const RoundingJournal* journal, std::span<const DataRounding> roundings,
                 Plan& plan) {
  if (journal == nullptr) return false;
  return std::ranges::all_of(roundings, [&](const DataRounding& rounding) {
    return journal->restore(plan.layers[rounding.layer]);
  });
}

}  // namespace

void round_with_energies(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
                         const std::map<std::string, UnfoldedRows>& unfolded,
                         const Samples* samples, const Engine& engine, const Progress& progress,
                         Plan& plan, const RoundingJournal* journal, std::int64_t kept_bytes) {
  const std::vector<DataRounding> roundings = find_data_roundings(model, recipe, plan);
  if (roundings.empty()) return;
  if (samples == nullptr || samples->count == 0)
    throw_bad_input(
        "rounding " + to_string(recipe.rounding) +
        " looks at the data themselves: pass --calib DATA (saved statistics do not do)");
  const Samples seen =
      cached(unmeasured_samples(*samples, recipe, recipe.energy_count), bytes_of_samples);
  const bool sequential = is_sequential(recipe.rounding);
  Model rounded = sequential ? partly_rounded(model, roundings, plan) : Model();
  MovingSource moving(model, seen, kept_bytes, engine);
  for (std::size_t begin = 0; begin < roundings.size();) {
    const std::size_t end = group_end(roundings, begin, sequential);
    std::vector<EnergyRequest> requests;
    for (std::size_t i = begin; i < end; ++i) requests.push_back(roundings[i].request);
    const Progress whole = [&](const std::string& what, std::size_t done, std::size_t total) {
      if (progress) progress(what, begin * total + (end - begin) * done, roundings.size() * total);
    };
    const EnergySource source =
        sequential ? moving.to(data_of(*Graph(model).node_named(requests.front().node),
                                       requests.front().operand),
                               rounded, whole)
                   : EnergySource{.model = &model, .samples = seen};
    if (!restore_all(journal, std::span(roundings).subspan(begin, end - begin), plan)) {
      const std::vector<InputEnergy> energies =
          collect_input_energies(source, requests, engine, whole);
      parallel_for(energies.size(), [&](std::size_t i) {
        const DataRounding& rounding = roundings[begin + i];
        while_doing("node '" + rounding.request.node + "'", [&] {
          round_with_data(model, stats, recipe, unfolded, rounding, energies[i], plan);
        });
        if (journal != nullptr) journal->keep(plan.layers[rounding.layer]);
      });
    }
    if (sequential) {
      replace_by_rounded(rounded, plan.layers[roundings[begin].layer]);
      rounded = prune(std::move(rounded)).model;
    }
    begin = end;
  }
  choose_split_forms(Graph(model), recipe, plan);  // other integers may need another container
}

}  // namespace ocs
