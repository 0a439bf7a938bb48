// A float model and its quantized form on the same samples: how far apart, at the outputs and layer
// by layer.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"

namespace ocs {

struct LayerQuality {
  std::string node{};
  double sqnr_db = 0.0;  // of the layer's result with everything before it quantized; NaN: not
                         // comparable (different sizes)
  bool operator==(const LayerQuality&) const = default;
};

// One output as a whole; the cosines are those of single samples, the output flattened.
struct OutputQuality {
  std::string name{};
  double sqnr_db = 0.0;      // NaN: not comparable (different sizes); likewise below
  double mean_cosine = 0.0;  // cosine_similarity, mean over the samples
  double min_cosine = 0.0;   // of the sample that lost most
  bool operator==(const OutputQuality&) const = default;
};

struct Comparison {
  std::size_t samples = 0;
  double agreement =
      0.0;  // percent of rows with the same top-1 in the first output; NaN where it has no classes
  std::vector<OutputQuality> outputs{};  // in the order of the float model's outputs
  std::vector<LayerQuality> layers{};    // in the order of `nodes`; those that match_values finds
};

struct CompareOptions {
  std::size_t count = 0;             // samples used, 0: all
  std::vector<std::string> nodes{};  // layers of the float model to look at; empty: outputs only
  Progress progress{};               // may be empty
};

// Runs both models on each sample, thread_count() samples at once, keeps sums only; the sums are
// added in sample order. The outputs are those of the quantized model as it is deployed; the layers
// are read in a second session of it, whose inner values are exposed. Throws Error(bad_input) where
// the models' outputs differ in name or the data has no sample, and what samples and engine throw.
[[nodiscard]] Comparison compare(const Model& reference, const Model& quantized,
                                 const Samples& samples, const Engine& engine,
                                 const CompareOptions& options);

}  // namespace ocs
