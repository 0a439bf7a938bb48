// Which form copies get where the recipe leaves it to the tool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/costs/cost_table_json.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Of the layer named "reader", with 8-bit weights, so that nothing fits as virtual copies.
std::string form_in(const std::string& text, const Shape& input,
                    const CostTable& costs = default_costs()) {
  const Samples data{.count = 2, .load = [input](std::size_t i) {
                       return Sample{.name = "s", .inputs = {{"x", random_tensor(input, i + 1)}}};
                     }};
  Recipe recipe = built_in_recipe("paper");
  recipe.first_float = false;
  recipe.expand_ratio = 0.1;
  const Quantized quantized =
      quantize(text_model(text), &data, recipe, onnx_runtime(), {.costs = &costs});
  for (const LayerReport& layer : quantized.report.layers)
    if (layer.node == "reader") return layer.form;
  return "";
}

TEST(AutomaticForm, FoldsIntoConvsOfOneTap) {
  EXPECT_EQ(form_in(R"(
      input x float[1,8,6,6]; init a float[80,8,1,1] random 1; init b float[4,80,1,1] random 2;
      maker: p = Conv(x, a); relu: q = Relu(p); reader: y = Conv(q, b); output y float)",
                    {1, 8, 6, 6}),
            "fold");
}

// A few short rows more are nothing beside a node of its own; long ones are weights that are read for one row of data.
TEST(AutomaticForm, FoldsIntoProductsOfShortRows) {
  EXPECT_EQ(form_in(R"(
      input x float[1,300]; init a float[300,80] random 1; init b float[80,4] random 2;
      maker: p = Gemm(x, a); relu: q = Relu(p); reader: y = Gemm(q, b); output y float)",
                    {1, 300}),
            "fold");
  CostTable costs = default_costs();
  costs.kernels[static_cast<std::size_t>(Kernel::matmul)].weight = 10.0;  // from far away
  EXPECT_EQ(form_in(R"(
      input x float[1,3000]; init a float[3000,40] random 1; init b float[40,4] random 2;
      maker: p = MatMul(x, a); relu: q = Relu(p); reader: y = MatMul(q, b); output y float)",
                    {1, 3000}, costs),
            "gather");
}

// A depthwise layer between is slow off its tile of 16 channels: as many copies as fill it.
TEST(AutomaticForm, FillsTheTileOfADepthwiseLayerBetween) {
  const auto copies_in = [](const std::string& between, bool fills) {
    const Samples data{
        .count = 2, .load = [](std::size_t i) {
          return Sample{.name = "s", .inputs = {{"x", random_tensor({1, 8, 6, 6}, i + 1)}}};
        }};
    Recipe recipe = built_in_recipe("paper");
    recipe.first_float = false;
    recipe.expand_ratio = 0.01;
    recipe.fill_multiples = fills;
    const Quantized quantized = quantize(text_model(R"(
          input x float[1,8,6,6]; init a float[48,8,1,1] random 1; init d float[48,1,3,3] random 3; init b float[4,48,1,1] random 2;
          maker: p = Conv(x, a) {kernel_shape = [1, 1]}; )" +
                                                    between + R"(
          reader: y = Conv(q, b) {kernel_shape = [1, 1]}; output y float)"),
                                         &data, recipe, onnx_runtime(), {});
    for (const LayerReport& layer : quantized.report.layers)
      if (layer.node == "reader") return layer.copies;
    return std::int64_t{-1};
  };
  const std::string depthwise =
      "dw: q = Conv(p, d) {kernel_shape = [3, 3], group = 48, pads = [1, 1, 1, 1]};";
  EXPECT_EQ(copies_in(depthwise, true), 16);
  EXPECT_EQ(copies_in(depthwise, false), 1);
  EXPECT_EQ(copies_in("relu: q = Relu(p);", true), 4);
}

}  // namespace
}  // namespace ocs
