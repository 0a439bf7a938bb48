#include "cli/huge_pages.h"

#include <cstdlib>  // says whether this is glibc
#include <fstream>
#include <string>

#ifdef __GLIBC__
#include <unistd.h>
#endif

namespace ocs::cli {

#ifdef __GLIBC__
namespace {

constexpr const char* variable = "GLIBC_TUNABLES";
// What that was; says that this is the second start.
constexpr const char* before = "OCS_TUNABLES_BEFORE";
constexpr const char* tunable = "glibc.malloc.hugetlb";

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool are_given_on_request() {
  std::string words;
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::getline(file, words);
  return words.find("[madvise]") != std::string::npos;
}

void set_or_unset(const char* name, const std::string& value) {
  if (value.empty())
    unsetenv(name);
  else
    setenv(name, value.c_str(), 1);
}

}  // namespace

void ask_for_huge_pages(char** argv) {
  if (std::getenv(before) != nullptr) {
    set_or_unset(variable, value_of(before));
    unsetenv(before);
    return;
  }
  const std::string set = value_of(variable);
  if (set.find(tunable) != std::string::npos || !are_given_on_request()) return;
  setenv(before, set.c_str(), 1);
  setenv(variable, ((set.empty() ? "" : set + ":") + tunable + "=1").c_str(), 1);
  execv("/proc/self/exe", argv);
  set_or_unset(variable, set);  // it could not be started: as it was
  unsetenv(before);
}
#else
void ask_for_huge_pages(char** /*argv*/) {}
#endif

}  // namespace ocs::cli
