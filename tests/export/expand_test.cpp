#include "ocs/export/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;

Model conv_model(const std::string& attributes = "") {
  return text_model(
      "input x float[1, 2, 4, 4]; init w float[2, 2, 1, 1] zeros; c: y = Conv(x, w) {" +
      attributes + "}; output y;");
}

TEST(PhysicalWeight, CutsTheIntegersOfASplitChannelIntoPartsThatAddUp) {
  const Model model = conv_model();
  const LayerPlan plan{
      .node = "c", .stored = {9, -3, -10, 4}, .copies = {2, 1}, .inputs = {0, 1, 0}};
  const PhysicalWeight weight = physical_weight(model.graph().node(0), plan, {2, 2, 1, 1});
  EXPECT_EQ(weight.tensor.shape, (Shape{2, 3, 1, 1}));
  EXPECT_THAT(weight.tensor.as<std::int8_t>(), ElementsAre(4, -3, 5, -5, 4, -5));
}

TEST(PhysicalWeight, WritesRowsInTheOrderThatIsAskedFor) {
  const Model model = conv_model();
  const LayerPlan plan{.node = "c", .stored = {1, 2, 3, 4}, .rows = {1, 0, 1}};
  const PhysicalWeight weight = physical_weight(model.graph().node(0), plan, {2, 2, 1, 1});
  EXPECT_EQ(weight.tensor.shape, (Shape{3, 2, 1, 1}));
  EXPECT_THAT(weight.tensor.as<std::int8_t>(), ElementsAre(3, 4, 1, 2, 3, 4));
}

TEST(PhysicalWeight, GivesADepthwiseConvAsManyGroupsAsRows) {
  const Model model = conv_model("group = 2");
  const LayerPlan plan{.node = "c", .stored = {1, 2}, .rows = {0, 1, 1}, .inputs = {0, 1, 1}};
  const PhysicalWeight weight = physical_weight(model.graph().node(0), plan, {2, 1, 1, 1});
  EXPECT_EQ(weight.groups, 3);
  EXPECT_EQ(weight.tensor.shape, (Shape{3, 1, 1, 1}));
  EXPECT_THAT(weight.tensor.as<std::int8_t>(), ElementsAre(1, 2, 2));
}

TEST(PhysicalWeight, RefusesAnIntegerThatDoesNotFit) {
  const Model model = conv_model();
  const LayerPlan plan{.node = "c", .stored = {200, 0, 0, 0}};
  EXPECT_THROW((void)physical_weight(model.graph().node(0), plan, {2, 2, 1, 1}), Error);
}

TEST(PhysicalRows, RepeatsARowsValueWhereTheRowIsRepeated) {
  EXPECT_THAT(physical_rows({1, 2, 3}, {2, 0, 2}), ElementsAre(3, 1, 3));
  EXPECT_THAT(physical_rows({7}, {2, 0, 2}), ElementsAre(7));
}

}  // namespace
}  // namespace ocs
