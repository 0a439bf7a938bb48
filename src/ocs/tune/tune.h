// The search for the smallest model that is good enough (docs/tuning.md): which recipes are tried, in which order, and which one is
// chosen. What a trial is and how it is measured is the caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ocs/recipe/recipe.h"

namespace ocs {

// At least one of them is set.
struct TuneGoal {
  std::optional<double> max_drop{};        // percent of the samples: top-1 against float
  std::optional<double> min_sqnr_db{};     // of the worst output
  std::optional<double> max_latency_ms{};  // median of a run
};

// Throws Error(bad_input) where none is.
void check(const TuneGoal& goal);

struct TuneFigures {
  double sqnr_db = 0.0;
  std::optional<double> drop{};        // none: the model gives no classes
  std::optional<double> latency_ms{};  // none: nobody asks for it
  std::int64_t weight_bits = 0;        // of all layers together, float ones with 32 a weight
  std::int64_t extra_macs = 0;
};

struct Trial {
  std::string what{};  // what the recipe does, for people
  Recipe recipe{};
  TuneFigures figures{};
  double seconds = 0.0;
  bool passes = false;
};

struct TuneProblem {
  TuneGoal goal{};
  Recipe base{};            // every trial starts from it
  double time_limit = 0.0;  // seconds after which no trial begins; 0: none
  std::function<TuneFigures(const Recipe&)> measure{};
  // Names of layers, those first whose quantization by the recipe changes the outputs most.
  std::function<std::vector<std::string>(const Recipe&)> rank{};
  // After each trial; `is_best`: chosen of those so far.
  std::function<void(const Trial&, bool is_best)> finished{};
  std::function<double()> clock{};  // seconds
};

struct TuneResult {
  std::vector<Trial> trials{};          // in order
  std::optional<std::size_t> chosen{};  // none passes
  bool out_of_time = false;
  std::string reason{};  // why this one, or why none: a sentence
};

// With an accuracy to keep (max_drop, min_sqnr_db): plain 8 bits first; then GPTQ with the best scales and ever fewer bits, where they
// fail with copies (2% more multiply-accumulates), where that fails equalization, the clips of activations and weights and bias correction are turned one by one and
// kept turned where the error falls; then between the fewest bits that pass and the most that fail a mixture, as few
// of the most sensitive layers with more bits as do. Where 8 bits fail, as few layers in float as do. Of what passes, the one with the
// fewest bits of weights is chosen, then with the fewest multiply-accumulates, then the one with less error.
// With a latency alone: 8 bits, more carefully, with ever more copies; the one with the least error is chosen.
// Throws what `measure` and `rank` throw, and what check() throws.
[[nodiscard]] TuneResult tune(const TuneProblem& problem);

}  // namespace ocs
