// What quantization costs, measured by running float and quantized models on the first samples.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ocs/calibrate/collect.h"
#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/pipeline/output_parts.h"
#include "ocs/plan/plan.h"
#include "ocs/recipe/target_form.h"
#include "ocs/report/report.h"
#include "ocs/report/signal_to_noise.h"

namespace ocs {

struct FloatMeasurement {
  std::vector<OutputPart> parts{};            // of joined outputs
  std::vector<NamedTensors> outputs{};        // float outputs and parts of each measured sample
  std::map<LayerId, double> layer_sqnr_db{};  // the layer's own error with exact
                                              // inputs, on the first few samples
  // What the planned layers read and give, in the first sample; by value.
  std::map<std::string, Shape> shapes{};
};

// What measure_outputs compares: the model's outputs, and the values that joined ones are made of.
[[nodiscard]] std::set<std::string> compared_values(const Model& model);

// Runs `model` on the first `count` samples with every layer's input and result exposed, and the
// planned layers one by one beside it. `kept`: float outputs of the first of these samples that are known already (they may differ from those of a run of their own by
// roundings); used where they are of all compared values.
[[nodiscard]] FloatMeasurement measure_layers(const Model& model, const Plan& plan,
                                              const Samples& samples, std::size_t count,
                                              const Engine& engine, const Progress& progress,
                                              KeptOutputs kept = {});

// Opens what is written for `target` to measure it: what its engine computes, not what this processor would make of it.
[[nodiscard]] RunModel open_for_target(const TargetForm& target, const Model& model,
                                       const Engine& engine, const EngineOptions& options);

struct OutputMeasurement {
  std::vector<OutputReport> outputs{};  // in the order of the model's outputs, then their parts
  double worst_sqnr_db = SignalToNoise::limit_db;  // of the model's outputs, without parts
  double agreement_percent = 0.0;                  // same largest value of the first output
};
// On the first `count` of the samples that were measured in float.
[[nodiscard]] OutputMeasurement measure_outputs(const Model& quantized, const TargetForm& target,
                                                const FloatMeasurement& reference,
                                                const Samples& samples, std::size_t count,
                                                const Engine& engine, const Progress& progress);

}  // namespace ocs
