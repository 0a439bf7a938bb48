#include "cli/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs::cli {
namespace {

using testing::ElementsAre;

TEST(SwitchesJoined, TakeEveryFormOfASwitch) {
  EXPECT_THAT(with_switches_joined({"--fold-batchnorm", "off", "x"}),
              ElementsAre("--fold-batchnorm=off", "x"));
  EXPECT_THAT(with_switches_joined({"--bias-correction", "x.onnx"}),
              ElementsAre("--bias-correction=on", "x.onnx"));
  EXPECT_THAT(with_switches_joined({"--no-fallback", "--bias_correction"}),
              ElementsAre("--fallback=off", "--bias-correction=on"));
  EXPECT_THAT(with_switches_joined({"--fallback=off"}), ElementsAre("--fallback=off"));
  EXPECT_THAT(with_switches_joined({"--fallback"}), ElementsAre("--fallback=on"));
}

TEST(SwitchesJoined, LeaveOtherWordsAlone) {
  EXPECT_THAT(with_switches_joined({"--weight-bits", "4", "--no-such", "on", "off"}),
              ElementsAre("--weight-bits", "4", "--no-such", "on", "off"));
  EXPECT_THAT(with_switches_joined({"--", "--fallback", "off"}),
              ElementsAre("--", "--fallback", "off"));
}

TEST(AsksForJson, LooksAtOptionsOnly) {
  EXPECT_TRUE(asks_for_json({"quantize", "--bogus", "--json"}));
  EXPECT_FALSE(asks_for_json({"quantize", "--", "--json"}));
  EXPECT_FALSE(asks_for_json({}));
}

}  // namespace
}  // namespace ocs::cli
