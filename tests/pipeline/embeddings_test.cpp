// Tables behind Gather: integers in memory, floats behind the look-up.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Two look-ups in one table that a decoder reads too, and one in the columns of another.
constexpr auto network = R"(
  input ids int64[3]; input others int64[2];
  init table float[9, 4] random 1;
  init columns float[4, 6] random 2;
  words: x = Gather(table, ids);
  more: z = Gather(table, others);
  places: p = Gather(columns, others) {axis = 1};
  decoder: y = Gemm(x, table) {transB = 1};
  output y; output z; output p; output x;
)";

Recipe with_tables() {
  Recipe recipe = built_in_recipe("weights-only");
  recipe.quantize_embeddings = true;
  recipe.weight_bits = 5;
  return recipe;
}

NamedTensors outputs_of(const Model& model) {
  const NamedTensors inputs{{"ids", {.shape = {3}, .values = std::vector<std::int64_t>{8, 0, 8}}},
                            {"others", {.shape = {2}, .values = std::vector<std::int64_t>{1, 5}}}};
  return run_once(onnx_runtime()(model, {}), inputs);
}

TEST(Embeddings, AreLookedUpAsIntegers) {
  const Model model = text_model(network);
  const Quantized result = quantize(model.clone(), nullptr, with_tables(), onnx_runtime(), {});
  const Graph graph(result.model);
  const std::string table = graph.node_named("words")->input(0);
  EXPECT_EQ(table, graph.node_named("more")->input(0));
  EXPECT_EQ(graph.initializer(table)->data_type(), onnx::TensorProto::INT8);
  EXPECT_EQ(graph.initializer("table"), nullptr);  // nobody reads the floats any more

  const Tensor values = initializer_of(model, "table");
  float largest = 0.0F;
  for (const float value : values.as<float>()) largest = std::max(largest, std::fabs(value));
  const float step = largest / 15.0F;
  const NamedTensors found = outputs_of(result.model);
  const std::vector<std::size_t> ids{8, 0, 8};
  for (std::size_t i = 0; i < 12; ++i)
    EXPECT_FLOAT_EQ(found.at("x").as<float>()[i],
                    std::nearbyint(values.as<float>()[ids[i / 4] * 4 + i % 4] / step) * step);
  const NamedTensors exact = outputs_of(model);
  EXPECT_EQ(found.at("p").shape, exact.at("p").shape);
  for (std::size_t i = 0; i < exact.at("p").as<float>().size(); ++i)
    EXPECT_NEAR(found.at("p").as<float>()[i], exact.at("p").as<float>()[i], 0.15F);
}

TEST(Embeddings, AreListedInTheReport) {
  const Quantized result =
      quantize(text_model(network), nullptr, with_tables(), onnx_runtime(), {});
  ASSERT_EQ(result.report.layers.size(), 4U);
  EXPECT_EQ(result.report.layers[0].node, "words");
  EXPECT_EQ(result.report.layers[0].op, "Gather");
  EXPECT_EQ(result.report.layers[0].weight_bits, 5);
  EXPECT_GT(*result.report.layers[0].predicted_sqnr_db, 15.0);
}

TEST(Embeddings, StayFloatUnlessAskedForAndWhereAPatternSaysSo) {
  Recipe recipe = with_tables();
  recipe.keep_float = {"wor*", "more"};
  recipe.overrides = {{.pattern = "places", .key = "weight_bits", .value = "3"}};
  const Quantized some = quantize(text_model(network), nullptr, recipe, onnx_runtime(), {});
  EXPECT_EQ(Graph(some.model).node_named("words")->input(0), "table");
  EXPECT_THAT(some.report.layers.at(0).reason, testing::HasSubstr("'wor*'"));
  EXPECT_EQ(some.report.layers.at(2).weight_bits, 3);

  recipe.quantize_embeddings = false;  // then they are nothing that a pattern could mean
  EXPECT_THAT([&] { (void)quantize(text_model(network), nullptr, recipe, onnx_runtime(), {}); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("'wor*' matches no layer")));
  recipe.keep_float.clear();
  recipe.overrides.clear();
  const Quantized none = quantize(text_model(network), nullptr, recipe, onnx_runtime(), {});
  EXPECT_EQ(none.report.layers.size(), 1U);
}

// Beside quantized activations: the looked-up value has a Q/DQ pair of its own.
TEST(Embeddings, FeedLayersWithQuantizedInputs) {
  Recipe recipe;
  recipe.quantize_embeddings = true;
  const Model model = text_model(network);
  const Samples samples{
      .count = 2, .load = [&](std::size_t i) {
        const auto id = static_cast<std::int64_t>(i);
        return Sample{
            .name = "ids",
            .inputs = {{"ids", {.shape = {3}, .values = std::vector<std::int64_t>{id, 8, 4}}},
                       {"others", {.shape = {2}, .values = std::vector<std::int64_t>{5, id}}}}};
      }};
  const Quantized result = quantize(model.clone(), &samples, recipe, onnx_runtime(), {});
  const NamedTensors found = outputs_of(result.model);
  const NamedTensors exact = outputs_of(model);
  for (const auto& [name, tensor] : exact)
    for (std::size_t i = 0; i < tensor.as<float>().size(); ++i)
      EXPECT_NEAR(found.at(name).as<float>()[i], tensor.as<float>()[i], 0.1F) << name;
}

}  // namespace
}  // namespace ocs
