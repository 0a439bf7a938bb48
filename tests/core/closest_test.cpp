#include "ocs/core/closest.h"

#include <gtest/gtest.h>

namespace ocs {
namespace {

TEST(DidYouMean, NamesTheNearest) {
  EXPECT_EQ(did_you_mean("vitisse", {"qnn", "vitis"}), " (did you mean 'vitis'?)");
  EXPECT_EQ(did_you_mean("nosuch", {"qnn", "vitis"}), "");
}

TEST(DidYouMean, NamesAllOfAFewWhereNoneIsNear) {
  EXPECT_EQ(did_you_mean_any("vitisse", {"qnn", "vitis"}), " (did you mean 'vitis'?)");
  EXPECT_EQ(did_you_mean_any("nosuch", {"qnn", "vitis"}), "; known: qnn, vitis");
}

}  // namespace
}  // namespace ocs
