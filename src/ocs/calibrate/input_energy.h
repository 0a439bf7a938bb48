// Second moments of the inputs of layers over the calibration data: what roundings that look at the
// data minimise (docs/rounding.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/ops/op.h"

namespace ocs {

struct EnergyRequest {
  std::string node{};            // of the main graph
  const LinearOp* op = nullptr;  // its row, one that knows `patches`
  Operand operand{};
  ChannelMatrix weight{};  // view without values
  bool centred = false;  // about the means: the bias that follows makes up for the mean of an error

  // Columns of a group: input channels times taps.
  [[nodiscard]] std::int64_t side() const { return weight.inputs * weight.taps; }
};

// Of the inputs of one layer. `y` are those in the model that is being rounded, `x` those in the
// float model, at the same output positions; squares of side() are row-major, one for each group.
struct InputEnergy {
  std::vector<float> moments{};  // sum of y y^T, or of (y - mean y) (y - mean y)^T
  std::vector<float> drift{};    // sum of (x - y) y^T, likewise; empty where both models are one
  std::vector<double> mean_drift{};  // mean of x - y: groups * side() columns; or empty
};

// Bytes that collect_input_energies holds for a request while it runs.
[[nodiscard]] std::int64_t working_bytes(const EnergyRequest& request);

// For each request the sums over samples and output positions of the inputs that meet one output. At
// most 512 positions of a sample, evenly spaced, others in the next sample. `rounded`: `model` with
// other weights in some layers, where y is taken from; null: y = x. The same to the bit for any
// number of threads. Throws Error(bad_input) for samples.count == 0, and naming sample and tensor
// for data that do not fit.
[[nodiscard]] std::vector<InputEnergy> collect_input_energies(
    const Model& model, const Model* rounded, const std::vector<EnergyRequest>& requests,
    const Samples& samples, const Engine& engine, const Progress& progress);

}  // namespace ocs
