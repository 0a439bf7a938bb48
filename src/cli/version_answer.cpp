#include "cli/version_answer.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/console.h"
#include "ocs/core/version.h"
#include "ocs/engine/onnx_runtime.h"

namespace ocs::cli {
namespace {

#if defined(__x86_64__)
// VNNI in 256 bits, of processors without AVX-512; __builtin_cpu_supports of clang does not know it.
bool has_avxvnni() {
  constexpr unsigned bit = 1U << 4;
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & bit) != 0;
}
#endif

}  // namespace

std::vector<std::string> instruction_sets() {
  std::vector<std::string> found;
#if defined(__x86_64__)
  const auto add = [&](const char* name, bool has) {
    if (has) found.emplace_back(name);
  };
  add("sse4.1", static_cast<bool>(__builtin_cpu_supports("sse4.1")));
  add("avx2", static_cast<bool>(__builtin_cpu_supports("avx2")));
  add("fma", static_cast<bool>(__builtin_cpu_supports("fma")));
  add("avx512f", static_cast<bool>(__builtin_cpu_supports("avx512f")));
  add("avx512vnni", static_cast<bool>(__builtin_cpu_supports("avx512vnni")));
  add("avxvnni", has_avxvnni());
#elif defined(__aarch64__) && defined(__linux__)
  found.emplace_back("neon");
  const unsigned long capabilities = getauxval(AT_HWCAP);
  if ((capabilities & HWCAP_ASIMDDP) != 0) found.emplace_back("dotprod");
  if ((getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0) found.emplace_back("i8mm");
#endif
  return found;
}

void answer_version(bool json) {
  const std::vector<std::string> sets = instruction_sets();
  if (json) {
    write_answer(
        to_text(Json{{"version", version()},
                     {"engine", {{"name", "ONNX Runtime"}, {"version", onnx_runtime_version()}}},
                     {"instruction_sets", sets}}) +
        "\n");
    return;
  }
  write_answer(fmt::format(
      "ocs {}\nONNX Runtime {}\ninstruction sets: {}\n", version(), onnx_runtime_version(),
      sets.empty() ? "none that matter" : fmt::format("{}", fmt::join(sets, " "))));
}

}  // namespace ocs::cli
