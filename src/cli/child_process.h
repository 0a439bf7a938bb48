#pragma once

#include <string>
#include <vector>

namespace ocs::cli {

// Runs this program again with these words and returns what it wrote to stdout; its stderr is ours. Throws Error(engine) where it
// cannot be started, is killed or ends with another code than 0.
[[nodiscard]] std::string output_of_self(const std::vector<std::string>& words);

// The largest resident set of this process so far, in bytes; 0 where the system does not tell.
[[nodiscard]] long peak_memory_of_self();

}  // namespace ocs::cli
