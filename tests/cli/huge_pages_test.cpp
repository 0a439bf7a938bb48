#include "cli/huge_pages.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace ocs::cli {
namespace {

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The first start is not tested here: it would run the tests anew. Every test that runs the program makes one.
class HugePages : public testing::Test {
 protected:
  void TearDown() override {
    unsetenv("GLIBC_TUNABLES");
    unsetenv("OCS_TUNABLES_BEFORE");
  }
};

TEST_F(HugePages, LeaveTheEnvironmentAsItWasBehindTheSecondStart) {
  for (const std::string set : {"", "glibc.malloc.arena_max=1"}) {
    setenv("OCS_TUNABLES_BEFORE", set.c_str(), 1);
    setenv("GLIBC_TUNABLES", (set + ":glibc.malloc.hugetlb=1").c_str(), 1);
    ask_for_huge_pages(nullptr);
    EXPECT_EQ(std::getenv("OCS_TUNABLES_BEFORE"), nullptr);
    EXPECT_EQ(value_of("GLIBC_TUNABLES"), set);
  }
}

TEST_F(HugePages, AreNotAskedForWhereSomebodyDecidedAlready) {
  setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0", 1);
  ask_for_huge_pages(nullptr);
  EXPECT_EQ(std::getenv("OCS_TUNABLES_BEFORE"), nullptr);
  EXPECT_EQ(value_of("GLIBC_TUNABLES"), "glibc.malloc.hugetlb=0");
}

}  // namespace
}  // namespace ocs::cli
