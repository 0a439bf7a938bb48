#include "ocs/evaluate/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "evaluate/fake_model.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

// Twice the scores choose the same class, their negatives another one unless all are equal.
TEST(MeasureAgreement, CountsItemsWithTheSameBestClass) {
  const Samples samples = samples_of(
      {{.scores = floats({2, 3}, {1, 2, 3, 0, 0, 0})}, {.scores = floats({1, 2}, {1, 0})}});
  EXPECT_EQ(measure_agreement(echo(), echo(2), samples), (Agreement{.items = 3, .same = 3}));
  const auto opposed = measure_agreement(echo(), echo(-1), samples);
  EXPECT_EQ(opposed, (Agreement{.items = 3, .same = 1}));
  EXPECT_DOUBLE_EQ(opposed->percent(), 100.0 / 3);
}

TEST(MeasureAgreement, IsNothingWithoutClasses) {
  EXPECT_EQ(
      measure_agreement(echo(), echo(), samples_of({{.scores = floats({4, 1}, {1, 2, 3, 4})}})),
      std::nullopt);
}

TEST(MeasureAgreement, NamesTheSampleWithDifferentExtents) {
  RunModel narrow;
  narrow.run = [](const NamedTensors&, const Receive& receive) {
    const Tensor scores = floats({1, 2}, {1, 2});
    const OutputView output{.name = "z", .tensor = view(scores)};
    receive({&output, 1});
  };
  const Samples samples = samples_of({{.scores = floats({1, 3}, {1, 2, 3})}});
  EXPECT_THAT(
      [&] { (void)measure_agreement(echo(), narrow, samples); },
      testing::ThrowsMessage<Error>(
          "sample 's0': one model gives scores of 1 items for 3 classes ('y'), the other of "
          "1 for 2 ('z')"));
}

}  // namespace
}  // namespace ocs
