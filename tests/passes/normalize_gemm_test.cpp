#include "ocs/passes/normalize_gemm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/graph.h"
#include "ocs/passes/prune.h"
#include "passes/same_outputs.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NormalizeGemm, MovesFactorsAndOrientationIntoTheWeights) {
  const Model before = text_model(R"(input x float[2, 3]; init w float[2, 3] {1, 2, 3, 4, 5, 6};
      init c float[] {8}; gemm: y = Gemm(x, w, c) {transB = 1, alpha = 0.5, beta = 0.25}; output y)");
  const PassResult result = normalize_gemm(before.clone());
  const onnx::NodeProto& gemm = node_of(result.model, "gemm");
  EXPECT_EQ(gemm.attribute_size(), 0);
  EXPECT_EQ(initializer_of(result.model, gemm.input(1)),
            (Tensor{.shape = {3, 2}, .values = std::vector<float>{0.5, 2, 1, 2.5, 1.5, 3}}));
  EXPECT_EQ(initializer_of(result.model, gemm.input(2)),
            (Tensor{.shape = {2}, .values = std::vector<float>{2, 2}}));
  EXPECT_EQ(initializer_of(result.model, "w").shape, (Shape{2, 3}));  // others may read it
  EXPECT_THAT(result.notes, ElementsAre(testing::Field(&Note::node, "gemm")));
  expect_same_outputs(before, result.model, float_rounding);
}

TEST(NormalizeGemm, AcceptsEveryBiasThatIsTheSameInAllRows) {
  for (const std::string shape : {"", "1", "5", "1, 5", "1, 1"}) {
    const Model before =
        text_model("input x float[4, 3]; init w float[5, 3] random 1; init c float[" + shape +
                   "] random 2; gemm: y = Gemm(x, w, c) {transB = 1, beta = -2.0}; output y");
    const PassResult result = normalize_gemm(before.clone());
    EXPECT_EQ(initializer_of(result.model, node_of(result.model, "gemm").input(2)).shape,
              (Shape{5}));
    EXPECT_EQ(attribute(node_of(result.model, "gemm"), "beta"), nullptr);
    expect_same_outputs(before, result.model, float_rounding);
  }
}

TEST(NormalizeGemm, LeavesABiasThatDiffersBetweenRowsOrIsComputed) {
  for (const std::string bias :
       {"init c float[4, 5] random 2", "init c float[4, 1] random 2", "input c float[5]"}) {
    const Model before =
        text_model("input x float[4, 3]; init w float[5, 3] random 1; " + bias +
                   "; gemm: y = Gemm(x, w, c) {transB = 1, alpha = 3.0, beta = -2.0}; output y");
    const PassResult result = normalize_gemm(before.clone());
    const onnx::NodeProto& gemm = node_of(result.model, "gemm");
    EXPECT_EQ(gemm.input(2), "c");
    EXPECT_EQ(float_attribute(gemm, "beta", 1.0F), -2.0F);
    EXPECT_EQ(attribute(gemm, "transB"), nullptr);
    expect_same_outputs(before, result.model, float_rounding);
  }
}

TEST(NormalizeGemm, KeepsTransAAndGoesWithoutABias) {
  const Model before = text_model(R"(input x float[3, 4]; init w float[5, 3] random 1;
      gemm: y = Gemm(x, w) {transA = 1, transB = 1}; output y)");
  const PassResult result = normalize_gemm(before.clone());
  EXPECT_EQ(int_attribute(node_of(result.model, "gemm"), "transA", 0), 1);
  expect_same_outputs(before, result.model, float_rounding);
}

TEST(NormalizeGemm, LeavesWeightsOfOthersAndSharesItsOwn) {
  const Model before = text_model(R"(input i int64[2]; init w float[7, 3] random 1;
      e = Gather(w, i); a: y = Gemm(e, w) {transB = 1}; b: z = Gemm(e, w) {transB = 1};
      output y; output z)");
  PassResult result = normalize_gemm(before.clone());
  expect_same_outputs(before, result.model, float_rounding);
  result = prune(std::move(result.model));
  EXPECT_THAT(initializer_names(result.model), ElementsAre("w", "w_1"));
}

TEST(NormalizeGemm, LeavesNormalAndForeignNodes) {
  const Model before = text_model(R"(input x float[4, 3]; input v float[3, 5]; input d double[4, 3];
      init w float[3, 5] random 1; init c float[5] random 2; init dw double[5, 3] ones;
      a = Gemm(x, w, c); b = Gemm(x, v) {alpha = 2.0}; e = Gemm(d, dw) {transB = 1};
      output a; output b; output e)");
  EXPECT_THAT(normalize_gemm(before.clone()).notes, IsEmpty());
}

}  // namespace
}  // namespace ocs
