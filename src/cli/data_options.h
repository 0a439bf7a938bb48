// The options that say where samples come from, shared by the commands that read any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/console.h"
#include "ocs/core/samples.h"
#include "ocs/data/preprocess.h"
#include "ocs/graph/model.h"

namespace ocs::cli {

struct DataArguments {
  std::string option = "--data";  // what the path's option is called, for messages
  std::string path{};
  std::string labels{};
  std::string format{};
  std::string preprocess{};
  bool skip_bad_samples = false;
  std::size_t count = 0;      // 0: all
  std::size_t synthetic = 0;  // made-up samples instead of a path; 0: none
  std::uint64_t seed = 0;     // of the made-up ones

  [[nodiscard]] bool given() const { return !path.empty() || synthetic > 0; }
};

// `names` of the path's option: "--data", "--calib,--data", ...
void add_data_options(CLI::App& app, const std::string& names, DataArguments& arguments);
void add_labels_option(CLI::App& app, DataArguments& arguments);
// --count, where a recipe does not say how many samples are used.
void add_count_option(CLI::App& app, DataArguments& arguments);

// The option's text, else the metadata `ocs.preprocess` of the first model that has some, else the sidecar file of the first model
// that has one; none of these: nothing.
[[nodiscard]] std::optional<Preprocess> preprocess_for(const DataArguments& arguments,
                                                       const std::vector<const Model*>& models);

// Samples for the inputs of models.front(). Notes what the first sample looks like. Throws Error(bad_input) where neither a path nor
// made-up samples are asked for.
[[nodiscard]] Samples open_data(const DataArguments& arguments,
                                const std::vector<const Model*>& models, Console& console);

// The first sample for a model that is only timed; without a path a made-up one. Throws Error(bad_input) where there is none.
[[nodiscard]] NamedTensors first_inputs(DataArguments arguments, const Model& model,
                                        Console& console);

}  // namespace ocs::cli
