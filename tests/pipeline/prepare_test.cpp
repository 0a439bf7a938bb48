#include <gtest/gtest.h>

#include "ocs/graph/graph.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Where BatchNormalization is absorbed after rounding, folded row = multiplier * unfolded row has
// to hold for the weight that the plan sees, whatever the layout and factors in the file.
TEST(Prepare, GivesUnfoldedWeightsInTheLayoutOfTheFolded) {
  constexpr auto text = R"(input x float[N, 3]; init w float[2, 3] {1, 2, 3, 4, 5, 6};
      init s float[2] {2, -3}; init b float[2] zeros; init m float[2] ones; init v float[2] ones;
      fc: y = Gemm(x, w) {transB = 1, alpha = 0.5};
      z = BatchNormalization(y, s, b, m, v) {epsilon = 0.0}; output z)";
  const Prepared prepared = prepare(text_model(text), Recipe{.fold_batchnorm = false}, {});
  const UnfoldedRows& unfolded = prepared.unfolded.at("fc");
  const Tensor folded = initializer_of(prepared.model, node_of(prepared.model, "fc").input(1));
  ASSERT_EQ(folded.shape, (Shape{3, 2}));
  ASSERT_EQ(unfolded.weight.shape, folded.shape);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_EQ(unfolded.multiplier[i % 2] * unfolded.weight.as<float>()[i], folded.as<float>()[i]);
}

}  // namespace
}  // namespace ocs
