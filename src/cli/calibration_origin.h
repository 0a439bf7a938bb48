// What the statistics of a run are of, for the file that keeps them.
#pragma once

#include <string>

#include "cli/data_options.h"
#include "ocs/calibrate/stats_origin.h"
#include "ocs/core/samples.h"
#include "ocs/core/shard.h"
#include "ocs/graph/model.h"

namespace ocs::cli {

// SHA-256 of the file that `model` was just read from; with weights in files of their own, those
// count too.
[[nodiscard]] std::string sha256_of_model(const Model& model);

// Of statistics that this program collects from `shard` of `samples`, which open_data() made of
// `data`. Data are named by their content (file or folder; the text of a list file) and by how they
// are read. Reads all of them once. What is collected does not depend on the recipe: BatchNormalization is folded for it in any.
[[nodiscard]] StatsOrigin origin_of(const Model& model, const DataArguments& data,
                                    const Samples& samples, const Shard& shard);

}  // namespace ocs::cli
