// The layers that do most to the outputs, without trying all of them.
#pragma once

#include <cstddef>
#include <queue>
#include <span>
#include <vector>

#include "ocs/pipeline/sensitivity.h"

namespace ocs {

// Neighbours in the plan.
struct LayerGroup {
  std::span<const LayerPlan> layers{};
  OutputChange change{};  // with these alone quantized (output_change_by)
};

// Layers of a plan by what they do to the outputs, worst first. Errors of layers add up, so that a group which does little holds no layer that
// does much: groups are measured, and only the worst one is halved. The first of n layers takes about 2 log2(n) measurements, each
// of them by itself at most 2 n, where rank_layers takes n.
class WorstLayers {
 public:
  // `problem` and `plan` must outlive this.
  WorstLayers(const SensitivityProblem& problem, const Plan& plan);

  // The next group of at most so many layers; each layer comes once. Error(internal) behind the last. Throws what engine and samples
  // throw.
  [[nodiscard]] LayerGroup next(std::size_t most_layers = 1);
  [[nodiscard]] std::size_t measurements() const { return measurements_; }

 private:
  struct LessBad {
    bool operator()(const LayerGroup& a, const LayerGroup& b) const;
  };
  void measure(std::span<const LayerPlan> layers);

  const SensitivityProblem* problem_;
  const Plan* plan_;
  std::priority_queue<LayerGroup, std::vector<LayerGroup>, LessBad> groups_{};
  std::size_t measurements_ = 0;
};

}  // namespace ocs
