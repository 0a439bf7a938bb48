// What each layer's quantization does to the outputs of the network, all other layers float: which layers are worth bits, copies, or
// staying float. The error of the weights, or of the layer's own result, does not tell: a network may drown it or blow it up.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/pipeline/measure.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/plan/plan.h"

namespace ocs {

// How far outputs moved from those of the float model, over all samples. Outputs that are not float in the float model are left out.
struct OutputChange {
  double sqnr_db = 0.0;         // of the output that lost most, as SignalToNoise::db
  double squared_error = 0.0;   // mean of (float - quantized)^2 over the values of all outputs
  double relative_error = 0.0;  // squared error over energy, sum over the outputs
  // Mean over the rows of the first output (ClassDivergence), in nats; none where that has no classes.
  std::optional<double> kl{};
};

struct LayerSensitivity {
  LayerId layer{};
  std::string op{};
  int weight_bits = 8;
  std::optional<int> act_bits{};        // none: float
  OutputChange change{};                // with this layer alone quantized
  std::optional<double> own_sqnr_db{};  // of its own result, inputs exact (FloatMeasurement)
};

// What is tried, on the first `count` of the measured samples. `model` is the float model that plans are made for.
struct SensitivityProblem {
  const Model* model = nullptr;
  const Recipe* recipe = nullptr;
  const FloatMeasurement* measured = nullptr;  // the float outputs: the reference
  const Samples* samples = nullptr;
  std::size_t count = 0;
  const Engine* engine = nullptr;
  Progress progress{};
};

// The outputs with this plan. One model, thread_count() samples at once, each on one thread; sums are added in the order of the samples, so that no figure depends on the number of threads.
// Throws what engine and samples throw.
[[nodiscard]] OutputChange output_change(const SensitivityProblem& problem, const Plan& plan);

// The same with only these layers of the plan quantized (with_layers), embeddings float.
[[nodiscard]] OutputChange output_change_by(const SensitivityProblem& problem, const Plan& plan,
                                            const std::set<LayerId>& layers);

// Each layer of the plan by itself (output_change_by), worst first by sqnr_db, equals in graph order.
[[nodiscard]] std::vector<LayerSensitivity> rank_layers(const SensitivityProblem& problem,
                                                        const Plan& plan);

struct Sensitivity {
  std::size_t samples = 0;                 // that outputs were compared on
  std::vector<LayerSensitivity> layers{};  // worst first
  std::optional<OutputChange> together{};  // all of them quantized; none without layers
  std::vector<Skipped> skipped{};          // layers that the recipe leaves float
};

// The whole way: plan_network, then rank_layers on recipe.measure_count samples. Inputs are kept between the layers, up to 256 MB.
// `samples` as in quantize; without any, Error(bad_input).
[[nodiscard]] Sensitivity measure_sensitivity(Model model, const Samples& samples,
                                              const Recipe& recipe, const Engine& engine,
                                              const RunOptions& options);

}  // namespace ocs
