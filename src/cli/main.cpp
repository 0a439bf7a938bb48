// The table of commands. Each is one file beside this one.
#include <algorithm>
#include <array>
#include <csignal>
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

// Weights that stream through memory come and go in huge pages. What stays, as sessions do, is memory that the process did not have before,
// and in huge pages a virtual machine may have to get it from its host first (docs/adr/0024-huge-pages.md).
bool streams_weights(std::span<const std::string> words) {
  if (words.empty() || words[0] != quantize_command.name) return false;
  return std::ranges::none_of(words, [](const std::string& word) {
    return word.starts_with("--calib") || word.starts_with("--data") ||
           word.starts_with("--synthetic");
  });
}

}  // namespace

int main(int argc, char** argv) {
  // A file beyond a limit (ulimit -f) is an error like a full disk, that names the file, and not the end of the program.
  (void)std::signal(SIGXFSZ, SIG_IGN);
#ifdef M_MMAP_THRESHOLD
  // Large tensors go back to the system when they are freed. By itself glibc raises this bound to the
  // size of what was freed last, and then keeps a third of a network's memory in holes. Smaller ones are worth keeping: pages that are
  // given back and taken anew cost more than what stays in holes so (docs/adr/0024-huge-pages.md).
  mallopt(M_MMAP_THRESHOLD, 8 * 1024 * 1024);
#endif
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  const std::vector<std::string> given(words.begin() + (words.empty() ? 0 : 1), words.end());
  if (streams_weights(given)) ask_for_huge_pages(argv);
  return run_program(commands, given);
}
