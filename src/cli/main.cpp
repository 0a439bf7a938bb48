// The table of commands. Each is one file beside this one.
#include <array>
#include <span>
#include <string>
#include <vector>

#include <malloc.h>

#include "cli/command.h"
#include "cli/huge_pages.h"
#include "cli/program.h"

namespace {

using namespace ocs::cli;  // NOLINT(google-build-using-namespace): this file is nothing but names
                           // of that space

constexpr std::array commands{
    &quantize_command, &inspect_command, &evaluate_command,    &compare_command,
    &bench_command,    &lint_command,    &merge_command,       &methods_command,
    &sweep_command,    &tune_command,    &bench_child_command,
};

// Latencies are those of programs that do not ask for huge pages.
bool measures_latency(std::span<const std::string> words) {
  return !words.empty() && (words[0] == bench_command.name || words[0] == bench_child_command.name);
}

}  // namespace

int main(int argc, char** argv) {
#ifdef M_MMAP_THRESHOLD
  // Tensors go back to the system when they are freed. By itself glibc raises this bound to the
  // size of what was freed last, and then keeps a third of a network's memory in holes.
  mallopt(M_MMAP_THRESHOLD, 512 * 1024);
#endif
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  const std::vector<std::string> given(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (!measures_latency(given)) ask_for_huge_pages(argv);
  return run_program(commands, given);
}
