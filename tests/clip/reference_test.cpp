// Against the figures of the paper authors' published code for six real weight tensors; their
// README gives the tolerances.
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "ocs/clip/aciq.h"
#include "ocs/clip/clip.h"
#include "ocs/clip/grid_fit.h"
#include "support/reference_layers.h"
#include "support/slow_clip.h"

namespace ocs {
namespace {

class ClipReference : public testing::Test {
 protected:
  void SetUp() override {
    layers_ = read_reference_layers(OCS_SOURCE_DIR "/../shared");
    if (layers_.empty()) GTEST_SKIP() << "no reference figures beside the repository (../shared)";
  }

  // Calls test(input, their thresholds by method, where) for every tensor and width.
  template <typename Test>
  void for_each_figure(const Test& test) const {
    for (const ReferenceLayer& layer : layers_) {
      for (const auto& [bits, thresholds] : layer.figures.at("clip").items()) {
        test(clip_input(layer.values, {.bits = std::stoi(bits)}), thresholds,
             layer.weight + ", " + bits + " bits");
      }
    }
  }

  std::vector<ReferenceLayer> layers_{};
};

TEST_F(ClipReference, MseHistIsTheSamePerCentOfTheMaximum) {
  for_each_figure([](const ClipInput& input, const Json& theirs, const std::string& where) {
    EXPECT_NEAR(threshold(MseHistClip{}, input), theirs.at("mse").get<double>(),
                1e-6 * static_cast<double>(input.max_abs()))
        << where;
  });
}

TEST_F(ClipReference, AciqIsTheirsForEveryTensorAndWidth) {
  for_each_figure([](const ClipInput& input, const Json& theirs, const std::string& where) {
    const double expected = theirs.at("aciq").get<double>();
    EXPECT_NEAR(threshold(AciqClip{}, input), expected, 1e-5 * expected) << where;
  });
}

TEST_F(ClipReference, KlIsTheSameBinOrItsNeighbour) {
  int neighbours = 0;
  for_each_figure([&](const ClipInput& input, const Json& theirs, const std::string& where) {
    const double expected = theirs.at("kl").get<double>();
    const double ours = threshold(KlClip{}, input);
    EXPECT_NEAR(ours / expected, 1.0, 0.015) << where;
    if (std::abs(ours / expected - 1.0) > 1e-6) ++neighbours;
  });
  EXPECT_LE(neighbours, 1);
}

TEST_F(ClipReference, MseErrsLessThanAllOfTheirs) {
  for_each_figure([](const ClipInput& input, const Json& theirs, const std::string& where) {
    const double ours = rounding_error(input, threshold(MseClip{}, input));
    for (const auto& [method, value] : theirs.items()) {
      EXPECT_LE(ours, rounding_error(input, value.template get<float>())) << where << ' ' << method;
    }
  });
}

}  // namespace
}  // namespace ocs
