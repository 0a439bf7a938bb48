// Runs the samples through the float model once and folds its activations into statistics.
#pragma once

#include <cstddef>
#include <functional>
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
  bool magnitudes = false;  // also the magnitudes of each channel, for the same axes
  bool operator==(const TensorRequest&) const = default;
};

// Values that the same runs give besides: what later steps compare with, without running the model once more.
struct KeptOutputs {
  std::set<std::string>
      names{};  // of the main graph; inputs and what the engine does not give are left out
  std::size_t count = 0;  // of the first samples
  // Made by `collect`: of those that it ran, in order. None where the values take more than a few light nodes behind the requests, since
  // all samples run through the same session.
  std::vector<NamedTensors> samples{};
};

// Throws Error(bad_input) for samples.count == 0. Values that are not float are refused. One
// session with one intra-op thread, its run called from thread_count() threads at once, decoding
// overlapped; items of a batch count one by one. Throws Error naming sample and tensor for NaN and
// infinity, for a request that the model has not.
//
// `settled` is asked after every `settle_round` samples but the last ones, with the statistics so
// far; where it says yes, no more are taken. What it is told does not depend on threads.
using Settled = std::function<bool(const CalibrationStats& so_far)>;
inline constexpr std::size_t settle_round = 64;
[[nodiscard]] CalibrationStats collect(const Model& model,
                                       const std::vector<TensorRequest>& requests,
                                       const Samples& samples, const Engine& engine,
                                       const Progress& progress, const Settled& settled = {},
                                       KeptOutputs* kept = nullptr);

}  // namespace ocs
