// What the program's table of commands is made of. A command is one file with one Command constant.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace CLI {
class App;
}

namespace ocs::cli {

class Console;

// Options that every command has.
struct CommonOptions {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  std::size_t threads = 0;  // 0: all cores
};

// The exit codes; what an Error is worth is in exit_code_of().
inline constexpr int exit_done = 0;
inline constexpr int exit_check_failed = 1;

// Does the work and returns exit_done or exit_check_failed; errors are thrown.
using Run = std::function<int(Console& console)>;

struct Command {
  std::string_view name{};
  std::string_view summary{};   // one line
  std::string_view examples{};  // shown at the end of --help
  // Adds the options to `app` and returns what runs once they are parsed. The result owns the
  // values.
  Run (*add)(CLI::App& app) = nullptr;
  bool hidden = false;
};

extern const Command bench_command;
extern const Command bench_child_command;
extern const Command compare_command;
extern const Command evaluate_command;
extern const Command inspect_command;
extern const Command lint_command;
extern const Command merge_command;
extern const Command methods_command;
extern const Command quantize_command;
extern const Command sweep_command;
extern const Command tune_command;

}  // namespace ocs::cli
