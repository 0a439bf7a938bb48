// Which form copies get where the recipe leaves it to the tool.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Of the layer named "reader", with 8-bit weights, so that nothing fits as virtual copies.
std::string form_in(const std::string& text, const Shape& input) {
  const Samples data{.count = 2, .load = [input](std::size_t i) {
                       return Sample{.name = "s", .inputs = {{"x", random_tensor(input, i + 1)}}};
                     }};
  Recipe recipe = built_in_recipe("paper");
  recipe.first_float = false;
  recipe.expand_ratio = 0.1;
  const Quantized quantized = quantize(text_model(text), &data, recipe, onnx_runtime(), {});
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
  EXPECT_EQ(form_in(R"(
      input x float[1,150000]; init a float[150000,40] random 1; init b float[40,4] random 2;
      maker: p = MatMul(x, a); relu: q = Relu(p); reader: y = MatMul(q, b); output y float)",
                    {1, 150000}),
            "slice");
}

}  // namespace
}  // namespace ocs
