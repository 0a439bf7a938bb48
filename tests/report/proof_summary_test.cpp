#include "ocs/report/proof_summary.h"

#include <gtest/gtest.h>

namespace ocs {
namespace {

TEST(ProofSummary, HoldsTheWorstOfAllLayers) {
  Plan plan;
  plan.layers.resize(2);
  plan.layers[0].raised = {.for_bias = 1, .for_sum = 2};
  plan.layers[1].raised = {.for_scale = 4};
  const std::vector<LayerProof> proofs{
      {.largest_bias = 5.0, .largest_sum = 100.0, .dead_rows = 1},
      {.largest_bias = 7.0, .largest_sum = 50.0, .bias_error = 0.5, .dead_rows = 2}};
  EXPECT_EQ(summarize(proofs, plan), (ProofSummary{.layers = 2,
                                                   .largest_sum = 100.0,
                                                   .largest_bias = 7.0,
                                                   .bias_error = 0.5,
                                                   .raised_rows = 7,
                                                   .dead_rows = 3}));
}

TEST(ProofSummary, SaysWhatWasRepaired) {
  EXPECT_EQ(proof_remark({}, 0), "");
  EXPECT_EQ(proof_remark({.for_bias = 3}, 2),
            "3 rows: scale raised so that the bias fits int32; 2 rows rounded to 0");
  EXPECT_EQ(proof_remark({.for_sum = 1, .for_scale = 1}, 0),
            "1 row: scale raised so that int32 sums cannot overflow; 1 row: scale raised above "
            "denormal numbers");
}

}  // namespace
}  // namespace ocs
