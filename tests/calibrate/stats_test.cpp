#include "ocs/calibrate/stats.h"

#include <gtest/gtest.h>

#include "calibrate/values.h"

namespace ocs {
namespace {

using values::message_of;

TensorStats tensor_of(const Shape& shape, std::uint64_t seed) {
  TensorStats stats;
  const auto count = static_cast<std::size_t>(element_count(shape));
  const std::vector<float> values = values::activations(seed, count, false);
  include_shape(stats, shape);
  stats.histogram.add(values);
  stats.moments[1].add(values, 1, shape[1], element_count(shape) / shape[1]);
  return stats;
}

CalibrationStats stats_of(std::uint64_t seed, const Shape& shape = {1, 3, 4}) {
  CalibrationStats stats;
  stats.samples = 1;
  stats.tensors["a"] = tensor_of(shape, seed);
  stats.tensors["b"] = tensor_of({1, 2}, seed + 100);
  return stats;
}

TEST(MergeStats, IsCommutativeAndAssociative) {
  const CalibrationStats a = stats_of(1);
  const CalibrationStats b = stats_of(2, {1, 3, 5});
  const CalibrationStats c = stats_of(3, {1, 3, 4});
  CalibrationStats left = a;
  merge(left, b);
  merge(left, c);
  CalibrationStats right = c;
  merge(right, b);
  CalibrationStats tail = b;
  merge(tail, c);
  CalibrationStats grouped = a;
  merge(grouped, tail);
  merge(right, a);
  EXPECT_EQ(left, right);
  EXPECT_EQ(left, grouped);
  EXPECT_EQ(left.samples, 3);
  EXPECT_EQ(left.tensors.at("a").shape, (Shape{1, 3, -1}));
}

TEST(MergeStats, KeepsTheStampOfSyntheticData) {
  CalibrationStats real = stats_of(1);
  CalibrationStats made_up = stats_of(2);
  made_up.synthetic = true;
  merge(real, made_up);
  EXPECT_TRUE(real.synthetic);
}

TEST(MergeStats, TakesATensorThatHasSeenNothingAsNeutral) {
  const CalibrationStats expected = stats_of(1);
  CalibrationStats nothing;
  nothing.tensors["a"];
  nothing.tensors["b"];
  CalibrationStats whole = nothing;
  merge(whole, expected);
  EXPECT_EQ(whole, expected);
  merge(whole, nothing);
  EXPECT_EQ(whole, expected);
}

TEST(MergeStats, RefusesPartsThatDoNotFit) {
  CalibrationStats whole = stats_of(1);
  CalibrationStats part = stats_of(2);
  part.tensors.erase("b");
  EXPECT_EQ(message_of([&] { merge(whole, part); }),
            "tensor 'b' is in one part of the statistics only");
  EXPECT_EQ(message_of([&] { merge(part, whole); }),
            "tensor 'b' is in one part of the statistics only");

  part = stats_of(2);
  part.tensors["a"] = tensor_of({1, 3}, 2);
  EXPECT_EQ(message_of([&] { merge(whole, part); }),
            "tensor 'a': has the shape [1,3] here and [1,3,4] before");

  part = stats_of(2, {1, 5, 4});
  EXPECT_EQ(message_of([&] { merge(whole, part); }),
            "tensor 'a': has 5 channels in one part and 3 in another");

  whole = stats_of(1);
  part = stats_of(2);
  part.tensors["a"].moments.clear();
  EXPECT_EQ(message_of([&] { merge(whole, part); }),
            "tensor 'a': only one part has moments along axis 1");
  EXPECT_EQ(message_of([&] { merge(part, whole); }),
            "tensor 'a': only one part has moments along axis 1");

  whole = stats_of(1);
  part = stats_of(2);
  part.tensors["a"].histogram = Histogram::from_range(12, 0, -1.0F, 1.0F);
  EXPECT_EQ(message_of([&] { merge(whole, part); }),
            "tensor 'a': one part has a histogram and the other only a range");
}

}  // namespace
}  // namespace ocs
