// The built program as a user runs it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ocs {

struct ProgramRun {
  int code = -1;  // exit code; 128 + number of the signal that ended it
  std::string out{};
  std::string err{};
};

// Runs `program` with these words in `folder`, stdin closed. `out_file`: where stdout goes instead of into the result.
[[nodiscard]] ProgramRun run_program(const std::filesystem::path& program,
                                     const std::vector<std::string>& words,
                                     const std::filesystem::path& folder,
                                     const std::filesystem::path& out_file = {});

// The words of a line as a shell would cut it: blanks between, '...' and "..." around; nothing else is special.
[[nodiscard]] std::vector<std::string> shell_words(const std::string& line);

}  // namespace ocs
