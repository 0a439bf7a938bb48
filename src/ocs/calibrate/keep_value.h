// One value of a model for every sample, so that what lies behind it can be run again without what lies before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"

namespace ocs {

struct KeptValue {
  Port port{};        // -1 where the extents of the samples differ
  Samples samples{};  // the value as the only input of each, with the names of the samples
};

// `samples` hold inputs of the model. None where the value is not float or would take more than `most_bytes` for all samples
// (the first tells). Throws Error(bad_input) naming the sample for data that do not fit.
[[nodiscard]] std::optional<KeptValue> keep_value(const Model& model, const std::string& value,
                                                  const Samples& samples, std::int64_t most_bytes,
                                                  const Engine& engine, const Progress& progress);

}  // namespace ocs
