// --dump-after STEP: the model as it is after a step of the pipeline, as text beside the output.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ocs/pipeline/quantize.h"

namespace ocs::cli {

struct StepDump {
  std::vector<std::string> wanted{};  // names of steps, or `all`
  std::vector<std::string> seen{};    // steps that came by
  std::vector<std::string> files{};   // written
};

// Writes OUT.<step>.txt for every wanted step (two steps of a name: the last). `dump` must outlive the observer.
[[nodiscard]] Observer dump_observer(StepDump& dump, const std::filesystem::path& output);
// Throws Error(bad_input) for a step that was wanted and never came, naming those that did.
void check_all_dumped(const StepDump& dump);

}  // namespace ocs::cli
