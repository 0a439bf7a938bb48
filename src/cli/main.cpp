// The table of commands. Each is one file beside this one.
#include <array>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/program.h"

namespace {

using namespace ocs::cli;  // NOLINT(google-build-using-namespace): this file is nothing but names
                           // of that space

constexpr std::array commands{
    &quantize_command, &inspect_command, &evaluate_command, &compare_command,
    &bench_command,    &merge_command,   &methods_command,  &bench_child_command,
};

}  // namespace

int main(int argc, char** argv) {
  return run_program(commands, std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
