#pragma once

#include <string>
#include <vector>

namespace ocs::cli {

// Writes the versions of the program and its engine and the instruction sets found to stdout.
void answer_version(bool json);

// Those that make a difference to integer kernels, by the names that processors have for them.
[[nodiscard]] std::vector<std::string> instruction_sets();

}  // namespace ocs::cli
