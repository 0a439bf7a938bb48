// The program as a function: words in, exit code out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "ocs/core/error.h"

namespace ocs::cli {

// Runs the command that the words ask for, `words` without the program's own name. Every error,
// foreign exceptions too, becomes a sentence on stderr and an exit code: 0 done, 1 a check failed,
// 2 wrong input, 3 unsupported model, 4 engine failure, 70 a bug.
[[nodiscard]] int run_program(std::span<const Command* const> commands,
                              const std::vector<std::string>& words);

[[nodiscard]] int exit_code_of(Error::Kind kind);

}  // namespace ocs::cli
