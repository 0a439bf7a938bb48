#include "ocs/clip/clip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

TEST(ClipNames, AreReadBack) {
  EXPECT_THAT(clip_names(),
              testing::ElementsAre("max", "mse", "mse-hist", "aciq", "kl", "percentile", "ratio"));
  for (const std::string& name : clip_names())
    EXPECT_EQ(parse_clip(name).index(), parse_clip(to_string(parse_clip(name))).index());
}

TEST(ClipNames, CarryTheirOptions) {
  EXPECT_EQ(parse_clip("mse"), Clip(MseClip{}));
  EXPECT_EQ(parse_clip("aciq"), Clip(AciqClip{}));
  EXPECT_EQ(parse_clip("aciq:std"), Clip(AciqClip{.ordinary_deviation = true}));
  EXPECT_EQ(parse_clip("percentile:99.9"), Clip(PercentileClip{.percent = 99.9}));
  EXPECT_EQ(parse_clip("ratio:0.5"), Clip(RatioClip{.ratio = 0.5}));
  for (const char* text :
       {"max", "mse", "mse-hist", "aciq", "aciq:std", "kl", "percentile:99.9", "ratio:0.5"}) {
    EXPECT_EQ(to_string(parse_clip(text)), text);
  }
}

TEST(ClipNames, AreRefusedWithTheUsersOwnWords) {
  const auto refused = [](const char* text, const char* message) {
    EXPECT_THAT([&] { (void)parse_clip(text); },
                testing::ThrowsMessage<Error>(testing::StartsWith(message)));
  };
  refused("mse_hist", "no clip method named 'mse_hist' (did you mean 'mse-hist'?)");
  refused("", "no clip method named ''");
  refused("percentile:0", "'percentile:0': percent must lie in (0, 100]");
  refused("percentile:101", "'percentile:101': percent must lie in (0, 100]");
  refused("ratio:0", "'ratio:0': ratio must lie in (0, 1]");
  refused("ratio:1.5", "'ratio:1.5': ratio must lie in (0, 1]");
  refused("ratio:half", "'ratio:half': 'half' is not a number");
  refused("max:1", "'max' takes no option '1'");
  refused("aciq:var", "'aciq' takes no option 'var'");
}

TEST(ClipInput, HoldsTheExtremesOfPlainValues) {
  const std::vector<float> values{1, -3, 2};
  const ClipInput input = clip_input(values, {.bits = 4});
  EXPECT_EQ(input.min, -3.0F);
  EXPECT_EQ(input.max, 2.0F);
  EXPECT_EQ(input.max_abs(), 3.0F);
  EXPECT_EQ(input.grid.bits, 4);
  EXPECT_THROW((void)clip_input({}, Grid{}), Error);
}

TEST(RatioClip, IsAShareOfTheLargestMagnitude) {
  const std::vector<float> values{1, -4, 2};
  EXPECT_EQ(threshold(RatioClip{.ratio = 0.25}, clip_input(values, Grid{})), 1.0F);
  EXPECT_EQ(threshold(MaxClip{}, clip_input(values, Grid{})), 4.0F);
}

TEST(ClipRange, OfMaxContainsZero) {
  const std::vector<float> both{-1, 3};
  const std::vector<float> positive{2, 3};
  const std::vector<float> negative{-2, -1};
  EXPECT_EQ(clip_range(MaxClip{}, clip_input(both, Grid{})), (ClipRange{-1, 3}));
  EXPECT_EQ(clip_range(MaxClip{}, clip_input(positive, Grid{})), (ClipRange{0, 3}));
  EXPECT_EQ(clip_range(MaxClip{}, clip_input(negative, Grid{})), (ClipRange{-2, 0}));
}

TEST(ClipRange, OfSymmetricMethodsCutsBothEndsAlike) {
  const std::vector<float> both{-1, 3, 0.5F};
  EXPECT_EQ(clip_range(RatioClip{.ratio = 0.5}, clip_input(both, Grid{})), (ClipRange{-1, 1.5F}));
  EXPECT_EQ(clip_range(RatioClip{.ratio = 0.25}, clip_input(both, Grid{})),
            (ClipRange{-0.75F, 0.75F}));
}

TEST(ClipRange, OfOneSignIsTheUnsignedThreshold) {
  const std::vector<float> positive{0, 0.3F, 0.31F, 0.4F, 0.9F, 2.0F};
  std::vector<float> negative;
  for (const float v : positive) negative.push_back(-v);
  for (const Clip& clip : {Clip(MseClip{}), Clip(AciqClip{}), Clip(KlClip{}), Clip(MseHistClip{}),
                           Clip(PercentileClip{.percent = 70})}) {
    const Grid unsigned_grid{.bits = 3, .is_signed = false};
    const float a = threshold(clip, clip_input(positive, unsigned_grid));
    EXPECT_EQ(clip_range(clip, clip_input(positive, {.bits = 3})), (ClipRange{0, a}));
    EXPECT_EQ(clip_range(clip, clip_input(negative, {.bits = 3})), (ClipRange{-a, 0}));
  }
}

}  // namespace
}  // namespace ocs
