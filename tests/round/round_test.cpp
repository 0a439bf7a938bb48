#include "ocs/round/round.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

TEST(RoundingNames, AreReadBack) {
  EXPECT_THAT(rounding_names(), testing::Contains("nearest"));
  for (const std::string& name : rounding_names()) {
    const Rounding rounding = parse_rounding(name);
    EXPECT_TRUE(to_string(rounding).starts_with(name));
    EXPECT_EQ(parse_rounding(to_string(rounding)), rounding);
  }
  EXPECT_THAT([] { (void)parse_rounding("nearst"); },
              testing::ThrowsMessage<Error>("no rounding method named 'nearst' (did you mean "
                                            "'nearest'?); known: nearest, gptq, adaround"));
}

TEST(CheckRoundProblem, RefusesWhatCannotBeRounded) {
  const std::vector<float> data{1, 2, 3, 4};
  const std::vector<float> scales{1, 2};
  const std::vector<int> copies{1, 2};
  const RoundProblem good{
      .weight = {.data = data, .outputs = 2, .inputs = 2, .output_stride = 2, .input_stride = 1},
      .scales = scales,
      .copies = copies};
  EXPECT_NO_THROW(check(good));

  RoundProblem bad = good;
  const std::vector<float> three_scales{1, 2, 3};
  bad.scales = three_scales;
  EXPECT_THROW(check(bad), Error);

  for (const float scale : {0.0F, -1.0F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> wrong{1.0F, scale};
    bad = good;
    bad.scales = wrong;
    EXPECT_THROW(check(bad), Error) << scale;
  }
  const std::vector<int> none{0, 1};
  bad = good;
  bad.copies = none;
  EXPECT_THROW(check(bad), Error);
  bad.copies = std::span(copies).first(1);
  EXPECT_THROW(check(bad), Error);
}

}  // namespace
}  // namespace ocs
