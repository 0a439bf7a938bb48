#include "ocs/passes/fold_batchnorm.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/graph.h"
#include "ocs/passes/normalize_gemm.h"
#include "ocs/passes/prune.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Parameters s, b, m, v of n channels: scales of both signs, variances of about 1.
std::string norm(int n) {
  const std::string size = std::to_string(n);
  return " init s float[" + size + "] random 11; init b float[" + size +
         "] random 12; init m float[" + size + "] random 13; init v float[" + size + "] ones; ";
}

// Folds `count` of them; the outputs stay.
FoldResult expect_folds(const std::string& text, std::size_t count) {
  SCOPED_TRACE(text);
  const Model before = text_model(text);
  FoldResult result = fold_batchnorm(before.clone(), true);
  EXPECT_EQ(result.pass.notes.size(), count);
  EXPECT_THAT(op_types(result.pass.model), Not(Contains("BatchNormalization")));
  expect_same_outputs(before, result.pass.model, float_rounding);
  return result;
}

void expect_stays(const std::string& text, const std::string& why) {
  SCOPED_TRACE(text);
  const Model before = text_model(text);
  const FoldResult result = fold_batchnorm(before.clone(), false);
  EXPECT_THAT(op_types(result.pass.model), Contains("BatchNormalization"));
  ASSERT_EQ(result.pass.notes.size(), 1U);
  EXPECT_EQ(result.pass.notes[0].node, "norm");
  EXPECT_THAT(result.pass.notes[0].text, HasSubstr(why));
}

TEST(FoldBatchnorm, ScalesRowsOfConv) {
  const FoldResult result = expect_folds(R"(input x float[1, 1, 2, 2];
      init w float[2, 1, 1, 1] {2, 3}; init c float[2] {1, 1}; init s float[2] {-1, 4};
      init b float[2] {10, 20}; init m float[2] {5, 6}; init v float[2] {3, 15};
      conv: y = Conv(x, w, c); z = BatchNormalization(y, s, b, m, v) {epsilon = 1.0}; output z)",
                                         1);
  const onnx::NodeProto& conv = node_of(result.pass.model, "conv");
  EXPECT_THAT(conv.output(), ElementsAre("z"));
  // g = -1 / 2 and 4 / 4; bias' = g (bias - mean) + b
  EXPECT_EQ(initializer_of(result.pass.model, conv.input(1)),
            (Tensor{.shape = {2, 1, 1, 1}, .values = std::vector<float>{-1, 3}}));
  EXPECT_EQ(initializer_of(result.pass.model, conv.input(2)),
            (Tensor{.shape = {2}, .values = std::vector<float>{12, 15}}));
  EXPECT_EQ(result.absorbed, (std::map<std::string, AbsorbedBatchNorm>{
                                 {"conv", {.unfolded_weight = "w", .multiplier = {-0.5F, 1.0F}}}}));
  // |s| sqrt(v / (v + epsilon))
  ASSERT_EQ(result.normals.at("z").mean, (std::vector<double>{10, 20}));
  EXPECT_NEAR(result.normals.at("z").deviation[0], std::sqrt(0.75), 1e-12);
  EXPECT_NEAR(result.normals.at("z").deviation[1], 4.0 * std::sqrt(15.0 / 16.0), 1e-12);
  EXPECT_THAT(result.pass.notes,
              ElementsAre(Note{.node = "conv", .text = "absorbed BatchNormalization_z"}));
}

TEST(FoldBatchnorm, FoldsIntoConvOfAnyRankAndGroup) {
  expect_folds("input x float[2, 4, 7]; init w float[6, 2, 3] random 1;" + norm(6) +
                   "y = Conv(x, w) {group = 2}; z = BatchNormalization(y, s, b, m, v); output z",
               1);
  expect_folds("input x float[1, 4, 5, 5]; init w float[4, 1, 3, 3] random 1;" + norm(4) +
                   "y = Conv(x, w) {group = 4}; z = BatchNormalization(y, s, b, m, v); output z",
               1);
  expect_folds("input x float[1, 2, 3, 4, 5]; init w float[3, 2, 1, 2, 2] random 1;" + norm(3) +
                   "y = Conv(x, w); z = BatchNormalization(y, s, b, m, v); output z",
               1);
}

TEST(FoldBatchnorm, FindsTheChannelsOfConvTransposeInEveryGroup) {
  for (const std::string group : {"1", "2", "4"}) {
    const int channels = 3 * std::stoi(group);
    expect_folds("input x float[1, 4, 3, 3]; init w float[4, 3, 2, 2] random 1; init c float[" +
                     std::to_string(channels) + "] random 2;" + norm(channels) +
                     "y = ConvTranspose(x, w, c) {strides = [2, 2], group = " + group +
                     "}; z = BatchNormalization(y, s, b, m, v); output z",
                 1);
  }
}

TEST(FoldBatchnorm, FoldsIntoGemmOfEitherOrientation) {
  for (const std::string form : {"init w float[3, 5] random 1; y = Gemm(x, w, c) {alpha = 0.5, ",
                                 "init w float[5, 3] random 1; y = Gemm(x, w, c) {transB = 1, "})
    for (const std::string bias : {"5", "1, 5", ""})
      expect_folds("input x float[4, 3]; init c float[" + bias + "] random 2;" + norm(5) + form +
                       "beta = 3.0}; z = BatchNormalization(y, s, b, m, v); output z",
                   1);
  expect_folds("input x float[4, 3]; init w float[3, 5] random 1;" + norm(5) +
                   "y = Gemm(x, w); z = BatchNormalization(y, s, b, m, v); output z",
               1);
}

TEST(FoldBatchnorm, AddsTheBiasBehindMatMul) {
  const FoldResult result =
      expect_folds("input x float[4, 3]; init w float[3, 5] random 1;" + norm(5) +
                       "dense: y = MatMul(x, w); z = BatchNormalization(y, s, b, m, v); "
                       "r = Relu(z); output r",
                   1);
  EXPECT_THAT(op_types(result.pass.model), ElementsAre("MatMul", "Add", "Relu"));
  EXPECT_THAT(result.pass.model.graph().node(1).output(), ElementsAre("z"));
  EXPECT_TRUE(result.absorbed.contains("dense"));
}

TEST(FoldBatchnorm, GoesThroughIdentityAndDropout) {
  expect_folds("input x float[1, 2, 5, 5]; init w float[3, 2, 3, 3] random 1;" + norm(3) +
                   "y = Conv(x, w); i = Identity(y); d = Dropout(i); "
                   "z = BatchNormalization(d, s, b, m, v); output z",
               1);
}

TEST(FoldBatchnorm, TakesInABiasThatIsAddedApart) {
  for (const std::string shape : {"3, 1, 1", "1, 3, 1, 1", "1", ""})
    expect_folds(
        "input x float[1, 2, 5, 5]; init w float[3, 2, 3, 3] random 1; init c float[" + shape +
            "] random 2; " + norm(3) +
            "y = Conv(x, w); a = Add(c, y); z = BatchNormalization(a, s, b, m, v); output z",
        1);
  expect_folds("input x float[4, 3]; init w float[3, 5] random 1; init c float[5] random 2;" +
                   norm(5) +
                   "y = MatMul(x, w); a = Add(y, c); "
                   "z = BatchNormalization(a, s, b, m, v); output z",
               1);
}

TEST(FoldBatchnorm, FoldsOneBehindTheOther) {
  const FoldResult result =
      expect_folds("input x float[1, 2, 5, 5]; init w float[3, 2, 3, 3] random 1;" + norm(3) +
                       "conv: y = Conv(x, w); p = BatchNormalization(y, s, b, m, v); "
                       "z = BatchNormalization(p, s, b, m, v); output z",
                   2);
  const auto g = initializer_of(result.pass.model, "s");
  EXPECT_EQ(result.absorbed.at("conv").unfolded_weight, "w");
  EXPECT_NEAR(result.absorbed.at("conv").multiplier[0], g.as<float>()[0] * g.as<float>()[0], 1e-4);
}

TEST(FoldBatchnorm, AcceptsChannelsThatAreSwitchedOff) {
  const FoldResult result = expect_folds(R"(input x float[1, 1, 2, 2];
      init w float[2, 1, 1, 1] {2, 3}; init s float[2] {0, 1}; init b float[2] {7, 0};
      init m float[2] {5, 6}; init v float[2] {0, 0};
      conv: y = Conv(x, w); z = BatchNormalization(y, s, b, m, v) {epsilon = 0.25}; output z)",
                                         1);
  EXPECT_THAT(result.absorbed.at("conv").multiplier, ElementsAre(0.0F, 2.0F));
}

TEST(FoldBatchnorm, LeavesSharedWeightsToTheOthers) {
  const Model before =
      text_model("input x float[1, 2, 5, 5]; init w float[2, 2, 1, 1] random 1;" + norm(2) +
                 "a: y = Conv(x, w); z = BatchNormalization(y, s, b, m, v); "
                 "c: r = Conv(z, w); output r");
  FoldResult result = fold_batchnorm(before.clone(), false);
  EXPECT_EQ(node_of(result.pass.model, "c").input(1), "w");
  EXPECT_EQ(node_of(result.pass.model, "a").input(1), "w_1");
  EXPECT_THAT(result.absorbed, IsEmpty());
  expect_same_outputs(before, result.pass.model, float_rounding);
}

TEST(FoldBatchnorm, KeepsTheUnfoldedWeightWithPrune) {
  FoldResult result = fold_batchnorm(
      text_model("input x float[1, 2, 5, 5]; init w float[2, 2, 1, 1] random 1;" + norm(2) +
                 "a: y = Conv(x, w); z = BatchNormalization(y, s, b, m, v); output z"),
      true);
  const Model kept = prune(result.pass.model.clone(), {"w"}).model;
  EXPECT_THAT(initializer_names(kept), ElementsAre("w", "w_1", "a_bias"));
  EXPECT_THAT(initializer_names(prune(std::move(result.pass.model)).model),
              ElementsAre("w_1", "a_bias"));
}

TEST(FoldBatchnorm, GivesOneLayoutBehindNormalizeGemm) {
  Model model = text_model("input x float[4, 3]; init w float[5, 3] random 1;" + norm(5) +
                           "g: y = Gemm(x, w) {transB = 1}; z = BatchNormalization(y, s, b, m, v); "
                           "output z");
  const FoldResult result = fold_batchnorm(normalize_gemm(std::move(model)).model, true);
  const std::string& unfolded = result.absorbed.at("g").unfolded_weight;
  EXPECT_EQ(initializer_of(result.pass.model, unfolded).shape, (Shape{3, 5}));
  EXPECT_EQ(initializer_of(result.pass.model, node_of(result.pass.model, "g").input(1)).shape,
            (Shape{3, 5}));
}

TEST(FoldBatchnorm, StaysWhereOthersReadTheValueBetween) {
  const std::string start =
      "input x float[1, 2, 5, 5]; init w float[3, 2, 3, 3] random 1;" + norm(3);
  const std::string fold =
      "y = Conv(x, w); norm: z = BatchNormalization(y, s, b, m, v); output z; ";
  expect_stays(start + fold + "r = Relu(y); output r", "'y' is read elsewhere");
  expect_stays(start + fold + "output y", "'y' is read elsewhere or is an output");
  expect_stays(start + fold + R"(input c bool[]; r = If(c) {then_branch = graph { t = Neg(y);
      output t; }, else_branch = graph { e = Abs(y); output e; }}; output r)",
               "'y' is read elsewhere");
}

TEST(FoldBatchnorm, StaysWhereSomethingIsNotConstant) {
  const std::string rest =
      "y = Conv(x, w, c); norm: z = BatchNormalization(y, s, b, m, v); output z";
  const std::string w = "init w float[3, 2, 3, 3] random 1; ";
  const std::string x = "input x float[1, 2, 5, 5]; ";
  const std::string c = "init c float[3] ones; ";
  expect_stays(x + "input w float[3, 2, 3, 3]; " + c + norm(3) + rest, "weight");
  expect_stays(x + w + "input c float[3]; " + norm(3) + rest, "bias");
  expect_stays(x + w + c +
                   "input s float[3]; init b float[3] ones; init m float[3] ones; "
                   "init v float[3] ones; " +
                   rest,
               "parameters");
}

TEST(FoldBatchnorm, StaysInTrainingAndBehindOthers) {
  const std::string start =
      "input x float[1, 2, 5, 5]; init w float[3, 2, 3, 3] random 1;" + norm(3);
  expect_stays(start +
                   "opset 15; y = Conv(x, w); norm: z, p, q = BatchNormalization(y, s, b, m, v) "
                   "{training_mode = 1}; output z",
               "inference");
  expect_stays(start +
                   "opset 9; y = Conv(x, w); norm: z, p, q, t, u = "
                   "BatchNormalization(y, s, b, m, v); output z",
               "inference");
  expect_stays(start +
                   "y = Conv(x, w); r = Relu(y); norm: z = BatchNormalization(r, s, b, m, v); "
                   "output z",
               "behind Relu");
  expect_stays("input x float[1, 3, 5, 5];" + norm(3) +
                   "norm: z = BatchNormalization(x, s, b, m, v); output z",
               "no node with a weight");
}

// The channels of a BatchNormalization are axis 1, those of MatMul the last.
TEST(FoldBatchnorm, StaysBehindMatMulOfAnotherRank) {
  expect_stays("input x float[2, 5, 3]; init w float[3, 5] random 1;" + norm(5) +
                   "y = MatMul(x, w); norm: z = BatchNormalization(y, s, b, m, v); output z",
               "rank 2");
}

TEST(FoldBatchnorm, StaysWhereWhatIsAddedDiffersWithinAChannel) {
  expect_stays(
      "input x float[1, 2, 3, 3]; init w float[3, 2, 1, 1] random 1; "
      "init c float[3, 3] random 2;" +
          norm(3) +
          "y = Conv(x, w); a = Add(y, c); norm: z = BatchNormalization(a, s, b, m, v); "
          "output z",
      "'c' is added");
}

TEST(FoldBatchnorm, StaysWhereTheResultIsNotFinite) {
  expect_stays(R"(input x float[1, 1, 2, 2]; init w float[1, 1, 1, 1] {2}; init s float[1] {1};
      init b float[1] {0}; init m float[1] {0}; init v float[1] {-1}; y = Conv(x, w);
      norm: z = BatchNormalization(y, s, b, m, v) {epsilon = 0.0}; output z)",
               "finite");
  expect_stays(
      R"(input x float[1, 1, 2, 2]; init w float[1, 1, 1, 1] {1e30}; init s float[1] {1e30};
      init b float[1] {0}; init m float[1] {0}; init v float[1] {1}; y = Conv(x, w);
      norm: z = BatchNormalization(y, s, b, m, v); output z)",
      "finite");
}

}  // namespace
}  // namespace ocs
