// How long each kernel of a model takes, as the engine's own profiler tells.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/engine/engine.h"

namespace ocs {

struct KernelTime {
  std::string name{};  // of the node in the engine's optimized graph
  std::string op{};    // the operator there, without its domain
  // Of one run: median over the runs. Of a node in a body all its times together; of the node with the body what they leave.
  double milliseconds = 0.0;
};

struct Repeats {
  std::size_t warmup = 2;  // runs ahead of those that count
  std::size_t runs = 10;
};

// In the order in which the kernels run first. `options`: how the model is opened. Throws what opening and running throw, and
// Error(engine) naming folder or file where the engine writes no profile, or no whole one.
[[nodiscard]] std::vector<KernelTime> kernel_times(const Engine& engine, const Model& model,
                                                   EngineOptions options,
                                                   const NamedTensors& inputs,
                                                   const Repeats& repeats);

// The same of a profile as ONNX Runtime writes it: a list of events, one of each kernel and one of each run. The first `warmup` runs are left out.
// Throws Error(engine) where no run is left.
[[nodiscard]] std::vector<KernelTime> kernel_times(const Json& profile, std::size_t warmup);

}  // namespace ocs
