// Second moments of the inputs of layers over the calibration data: what roundings that look at the
// data minimise (docs/rounding.md).
#pragma once

#include <cstdint>
#include <optional>
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

// Where the inputs of layers are computed from.
struct EnergySource {
  const Model* model = nullptr;    // float: x
  Samples samples{};               // its inputs, or values of `from`
  std::vector<Port> from{};        // what the samples hold in place of the model's inputs (segment)
  const Model* rounded = nullptr;  // `model` with other weights in some layers: y; null: y = x
  std::optional<Samples> rounded_samples{};  // of `rounded`, as many; none: the same as of `model`
};

// For each request the sums over samples and output positions of the inputs that meet one output. At
// most 512 positions of a sample, evenly spaced, others in the next sample. The same to the bit for any
// number of threads. Throws Error(bad_input) where there are no samples, and naming sample and tensor
// for data that do not fit.
[[nodiscard]] std::vector<InputEnergy> collect_input_energies(
    const EnergySource& source, const std::vector<EnergyRequest>& requests, const Engine& engine,
    const Progress& progress);

}  // namespace ocs
