// Against the figures of the paper authors' published code for six real weight tensors.
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "ocs/split/select.h"
#include "support/reference_layers.h"
#include "support/slow_split.h"

namespace ocs {
namespace {

class SplitReference : public testing::Test {
 protected:
  void SetUp() override {
    layers_ = read_reference_layers(OCS_SOURCE_DIR "/../shared");
    if (layers_.empty()) GTEST_SKIP() << "no reference figures beside the repository (../shared)";
  }
  std::vector<ReferenceLayer> layers_{};
};

struct Sums {
  double relative_error = 0.0;  // sum (w - w_hat)^2 / sum w^2
  std::int64_t absolute = 0;    // sum |integer|
};

// `sum_of(channel, position, w)` is the stored integer of a weight, by output and tap in a channel.
template <typename SumOf>
Sums add_up(const ChannelMatrix& weight, double scale, const SumOf& sum_of) {
  std::vector<std::size_t> position(static_cast<std::size_t>(weight.inputs), 0);
  Sums sums;
  double energy = 0.0;
  for_each_weight(weight, [&](std::int64_t, std::int64_t column, std::size_t index) {
    const auto channel = static_cast<std::size_t>(column);
    const double w = weight.data[index];
    const std::int32_t stored = sum_of(channel, position[channel]++, weight.data[index]);
    sums.relative_error += std::pow(w - stored * scale, 2);
    sums.absolute += std::abs(stored);
    energy += w * w;
  });
  sums.relative_error /= energy;
  return sums;
}

TEST_F(SplitReference, ChannelsAndTheLargestWeightAfterwardsAreTheSame) {
  for (const ReferenceLayer& layer : layers_) {
    for (const auto& [ratio, figures] : layer.figures.at("split").items()) {
      const int splits = split_count(std::stod(ratio), layer.inputs);
      const Split split = select_largest(layer.matrix(), splits, SplitParts::halving);
      EXPECT_EQ(split.order, figures.at("channels").get<std::vector<int>>()) << layer.weight;
      EXPECT_EQ(split.max_abs_after, figures.at("max_abs_after").get<float>()) << layer.weight;
    }
  }
}

TEST_F(SplitReference, TheQuantizationAwareOrderAndIntegersAreTheSame) {
  for (const ReferenceLayer& layer : layers_) {
    for (const auto& [ratio, figures] : layer.figures.at("split").items()) {
      const int splits = split_count(std::stod(ratio), layer.inputs);
      for (const auto& [bits, at] : figures.at("bits").items()) {
        const int highest = (1 << (std::stoi(bits) - 1)) - 1;
        const float levels_per_unit =
            static_cast<float>(highest) / figures.at("max_abs_after").get<float>();
        const SlowSplit slow = halve_largest(layer.matrix(), splits, levels_per_unit);
        EXPECT_EQ(slow.order, at.at("qa_channels").get<std::vector<int>>())
            << layer.weight << ", ratio " << ratio << ", " << bits << " bits";
        // Their integers reach one further down.
        const auto stored =
            rounded_sums(slow, layer.inputs, levels_per_unit, -highest - 1, highest);
        const Sums sums = add_up(layer.matrix(), at.at("scale").get<double>(),
                                 [&](auto channel, auto i, float) { return stored[channel][i]; });
        EXPECT_EQ(sums.absolute, at.at("qa_int_sum").get<std::int64_t>()) << layer.weight;
        EXPECT_NEAR(sums.relative_error / at.at("qa_rel_mse").get<double>(), 1.0, 1e-6);
      }
    }
  }
}

// Ours rounds first and cuts the integer: the same but for ties (a weight that falls between two
// levels to the last bit, frequent in the half-precision weights of SqueezeNet) and but for the
// offset, which can push a half of theirs over the end of the grid.
TEST_F(SplitReference, RoundingFirstGivesTheSameErrors) {
  for (const ReferenceLayer& layer : layers_) {
    for (const auto& [ratio, figures] : layer.figures.at("split").items()) {
      for (const auto& [bits, at] : figures.at("bits").items()) {
        const int highest = (1 << (std::stoi(bits) - 1)) - 1;
        const double scale = at.at("scale").get<double>();
        const auto sums_with = [&](const char* order, SplitKind kind) {
          const Json& channels = kind == SplitKind::naive ? figures.at(order) : at.at(order);
          std::vector<int> copies(static_cast<std::size_t>(layer.inputs), 1);
          for (const int channel : channels.get<std::vector<int>>()) {
            ++copies[static_cast<std::size_t>(channel)];
          }
          return add_up(layer.matrix(), scale, [&](std::size_t channel, std::size_t, float w) {
            return rounded_sum(w, static_cast<float>(scale), highest, copies[channel], kind,
                               SplitParts::halving);
          });
        };
        const Sums aware = sums_with("qa_channels", SplitKind::quantization_aware);
        const Sums naive = sums_with("channels", SplitKind::naive);
        const auto where = layer.weight + ", ratio " + ratio + ", " + bits + " bits";
        EXPECT_NEAR(aware.relative_error / at.at("qa_rel_mse").get<double>(), 1.0, 1e-4) << where;
        EXPECT_NEAR(naive.relative_error / at.at("naive_rel_mse").get<double>(), 1.0, 1e-4)
            << where;
        EXPECT_NEAR(static_cast<double>(aware.absolute) / at.at("qa_int_sum").get<double>(), 1.0,
                    1e-3)
            << where;
      }
    }
  }
}

}  // namespace
}  // namespace ocs
