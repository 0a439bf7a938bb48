// The paper's networks without trained weights (examples/networks), small ones: their structure, that
// splits change nothing, and that the engine computes every Conv in integers.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "networks/network.h"
#include "networks/structures.h"
#include "ocs/core/error.h"
#include "ocs/core/random.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "support/optimized.h"

namespace ocs {
namespace {

using networks::build_network;
using testing::HasSubstr;
using testing::ThrowsMessage;

struct Case {
  std::string name{};
  void (*build)(networks::Layers& layers, std::int64_t resolution) = nullptr;
  std::int64_t resolution = 32;  // the least
  double width = 0.125;
  std::int64_t parameters = 0;  // of the true one at this resolution, statistics not counted
  int convs = 0;
  int gemms = 1;

  friend void PrintTo(const Case& network, std::ostream* out) { *out << network.name; }
};

class PaperNetworks : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] static Model small() {
    return build_network(GetParam().name,
                         {.resolution = GetParam().resolution, .width = GetParam().width},
                         onnx_runtime());
  }
  [[nodiscard]] static Samples samples() {
    const std::int64_t side = GetParam().resolution;
    return {.count = 4, .load = [side](std::size_t i) {
              const Shape shape{1, 3, side, side};
              const auto count = static_cast<std::size_t>(element_count(shape));
              return Sample{
                  .name = "s",
                  .inputs = {{"input", {.shape = shape, .values = Random(i + 7).normals(count)}}}};
            }};
  }
  [[nodiscard]] static Quantized quantized(const Recipe& recipe, const RunOptions& options = {}) {
    const Samples data = samples();
    return quantize(small(), &data, recipe, onnx_runtime(), options);
  }
  // Of all samples.
  [[nodiscard]] static std::vector<float> logits(const Model& model) {
    const RunModel run = onnx_runtime()(model, {});
    std::vector<float> all;
    for (std::size_t i = 0; i < samples().count; ++i) {
      const Tensor one = run_once(run, samples().load(i).inputs).at("logits");
      all.insert(all.end(), one.as<float>().begin(), one.as<float>().end());
    }
    return all;
  }
};

std::map<std::string, int> count_operators(const Model& model) {
  std::map<std::string, int> counts;
  for (const onnx::NodeProto& node : model.graph().node()) ++counts[node.op_type()];
  return counts;
}

// As torchvision counts them, without the auxiliary classifier of Inception-V3; at 32 pixels the first
// fully connected layer of VGG16 reads one position instead of 49.
TEST_P(PaperNetworks, HaveTheirTrueStructure) {
  const std::int64_t resolution = GetParam().resolution;
  networks::Layers layers({}, resolution, nullptr);  // the statistics take a run
  GetParam().build(layers, resolution);
  const Model model = std::move(layers).finish();
  std::int64_t parameters = 0;
  for (const onnx::TensorProto& tensor : model.graph().initializer())
    if (!tensor.name().ends_with(".epsilon")) parameters += element_count(tensor);
  EXPECT_EQ(parameters, GetParam().parameters);
  std::map<std::string, int> operators = count_operators(model);
  EXPECT_EQ(operators["Conv"], GetParam().convs);
  EXPECT_EQ(operators["Gemm"], GetParam().gemms);
}

// Neither dead nor exploding.
TEST_P(PaperNetworks, GiveSaneLogits) {
  double energy = 0.0;
  const std::vector<float> all = logits(small());
  for (const float value : all) energy += static_cast<double>(value) * static_cast<double>(value);
  const double root_mean_square = std::sqrt(energy / static_cast<double>(all.size()));
  EXPECT_GT(root_mean_square, 0.1);
  EXPECT_LT(root_mean_square, 30.0);
}

// Virtual copies are the unsplit integers.
TEST_P(PaperNetworks, ComputeTheSameSplitAndUnsplit) {
  Recipe recipe = built_in_recipe("paper");
  recipe.weight_bits = 5;
  recipe.expand_ratio = 0.05;
  recipe.measure_count = 0;
  recipe.split_form = SplitForm::virtual_;
  const std::vector<float> unsplit = logits(quantized(recipe).model);
  for (const SplitForm form : {SplitForm::gather, SplitForm::slice, SplitForm::fold}) {
    recipe.split_form = form;
    const Quantized split = quantized(recipe);
    std::int64_t copies = 0;
    for (const LayerReport& layer : split.report.layers) copies += layer.copies;
    EXPECT_GT(copies, GetParam().convs / 2);
    EXPECT_EQ(logits(split.model), unsplit) << static_cast<int>(form);
  }
}

// The float model with split activations, before anything is rounded.
TEST_P(PaperNetworks, StayEqualInFloatWithSplitActivations) {
  const std::vector<float> unsplit = logits(small());
  Recipe recipe = built_in_recipe("paper");
  recipe.act_expand_ratio = 0.05;
  recipe.split = SplitKind::naive;  // halves of x; others are moved against each other for rounding
  recipe.measure_count = 0;
  std::vector<float> split;
  (void)quantized(recipe, {.observe = [&](std::string_view step, const Model& model) {
                    if (step == "split_activations") split = logits(model);
                  }});
  ASSERT_EQ(split.size(), unsplit.size());
  // Sums in another order, through up to 121 layers.
  constexpr float relative_tolerance = 1e-4F;
  float largest = 0.0F;
  for (const float value : unsplit) largest = std::max(largest, std::fabs(value));
  const float tolerance = relative_tolerance * largest;
  for (std::size_t i = 0; i < unsplit.size(); ++i) EXPECT_NEAR(split[i], unsplit[i], tolerance);
}

// What computes Convs and Gemms in the engine's optimized graph.
std::map<std::string, int> kernels_of(const Model& model) {
  return count_operators(optimized_by_engine(model));
}

TEST_P(PaperNetworks, RunEveryConvOnIntegers) {
  std::map<std::string, int> kernels = kernels_of(quantized(Recipe{.measure_count = 0}).model);
  // All of them: the engine may add Convs that it makes of BatchNormalization.
  EXPECT_EQ(kernels["QLinearConv"], GetParam().convs);
  EXPECT_EQ(kernels["QGemm"], GetParam().gemms);
}

INSTANTIATE_TEST_SUITE_P(All, PaperNetworks,
                         testing::Values(Case{.name = "vgg16_bn",
                                              .build = networks::vgg16_bn,
                                              .parameters = 138365992 - 48 * 512 * 4096,
                                              .convs = 13,
                                              .gemms = 3},
                                         Case{.name = "densenet121",
                                              .build = networks::densenet121,
                                              .width = 0.25,
                                              .parameters = 7978856,
                                              .convs = 120},
                                         Case{.name = "inception_v3",
                                              .build = networks::inception_v3,
                                              .resolution = 75,
                                              .parameters = 23834568,
                                              .convs = 94}),
                         [](const auto& network) { return network.param.name; });

TEST(PaperNetworkNames, AreCheckedWithTheResolution) {
  EXPECT_THAT([] { (void)build_network("vgg16", {}, onnx_runtime()); },
              ThrowsMessage<Error>(HasSubstr("no network named 'vgg16'")));
  EXPECT_THAT([] { (void)build_network("inception_v3", {.resolution = 74}, onnx_runtime()); },
              ThrowsMessage<Error>(HasSubstr("at least 75, not 74")));
}

}  // namespace
}  // namespace ocs
