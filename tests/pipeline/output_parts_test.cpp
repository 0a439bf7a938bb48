#include "ocs/pipeline/output_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

TEST(OutputParts, GroupsTheSameKindOverTheLevelsOfADetector) {
  const std::vector<OutputPart> parts = output_parts(text_model(R"(
    input box1 float[1, 4, 9]; input class1 float[1, 8, 9];
    input box2 float[1, 4, 3]; input class2 float[1, 8, 3];
    init shape int64[3] {1, 12, -1};
    c1: l1 = Concat(box1, class1) {axis = 1};
    r1: m1 = Reshape(l1, shape);
    c2: l2 = Concat(box2, class2) {axis = 1};
    r2: m2 = Reshape(l2, shape);
    all: a = Concat(m1, m2) {axis = 2};
    t: y = Transpose(a) {perm = [0, 2, 1]};
    output y;
  )"));
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_THAT(parts[0].values, ElementsAre("box1", "box2"));
  EXPECT_THAT(parts[1].values, ElementsAre("class1", "class2"));
}

TEST(OutputParts, AreTheInputsOfAConcatOfUnlikeThings) {
  const std::vector<OutputPart> parts = output_parts(text_model(
      "input a float[1, 2]; input b float[1, 3]; c: y = Concat(a, b) {axis = 1}; output y;"));
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_THAT(parts[1].values, ElementsAre("b"));
}

TEST(OutputParts, AreNoneForAPlainOutput) {
  EXPECT_TRUE(output_parts(
                  text_model("input a float[1, 2]; r: b = Relu(a); t: y = Transpose(b); output y;"))
                  .empty());
}

}  // namespace
}  // namespace ocs
