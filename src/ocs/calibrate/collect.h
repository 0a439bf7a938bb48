// Runs the samples through the float model once and folds its activations into statistics.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "ocs/calibrate/stats.h"
#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"

namespace ocs {

struct TensorRequest {
  std::string name{};  // a value of the main graph (graph inputs too)
  std::set<int>
      channel_axes{};     // for which per-channel moments are wanted; negative counts from the end
  bool histogram = true;  // false: minimum, maximum and count only (no bin is made)
  bool operator==(const TensorRequest&) const = default;
};

// Throws Error(bad_input) for samples.count == 0. Values that are not float are refused. One
// session with one intra-op thread, its run called from thread_count() threads at once, decoding
// overlapped; items of a batch count one by one. Throws Error naming sample and tensor for NaN and
// infinity, for a request that the model has not.
[[nodiscard]] CalibrationStats collect(const Model& model,
                                       const std::vector<TensorRequest>& requests,
                                       const Samples& samples, const Engine& engine,
                                       const Progress& progress);

// What collect will hold at most, to be told beforehand. It does not depend on the number of
// samples.
struct MemoryEstimate {
  std::size_t statistics = 0;   // bytes: a set for each thread and one for the result
  std::size_t activations = 0;  // bytes: the requested tensors of one sample for each thread
  std::size_t model = 0;  // bytes: the weights as the engine holds them while it opens the model
  std::size_t unknown_shapes =
      0;  // requested tensors of which the model does not say the shape: not in `activations`
  [[nodiscard]] std::size_t total() const { return statistics + activations + model; }
};
// `batch`: items in a sample. Shapes are those of value_info; a free extent counts as `batch` in
// front, as 1 elsewhere.
[[nodiscard]] MemoryEstimate memory_estimate(const Model& model,
                                             const std::vector<TensorRequest>& requests,
                                             std::size_t threads, std::size_t batch = 1);

}  // namespace ocs
