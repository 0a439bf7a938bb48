// Tables behind Gather: integers in memory, floats behind the look-up.
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

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

// Entry `id` of a table, its channels in blocks that share a scale, as a slow reader of docs/recurrent.md would have it: max clip.
std::vector<float> rounded_entry(const Tensor& table, std::int64_t id, std::size_t block,
                                 float highest) {
  const auto channels = static_cast<std::size_t>(table.shape[1]);
  const auto row = table.as<float>().subspan(static_cast<std::size_t>(id) * channels, channels);
  std::vector<float> entry(row.begin(), row.end());
  for (std::size_t begin = 0; begin < channels; begin += block) {
    float largest = 0.0F;
    for (std::size_t c = begin; c < begin + block; ++c)
      largest = std::max(largest, std::fabs(entry[c]));
    const float step = largest / highest;
    for (std::size_t c = begin; c < begin + block; ++c)
      entry[c] = std::nearbyint(entry[c] / step) * step;
  }
  return entry;
}

void expect_entries(const Quantized& result, const Model& model, std::size_t block, float highest) {
  const Graph graph(result.model);
  EXPECT_EQ(graph.node_named("words")->input(0), graph.node_named("more")->input(0));
  EXPECT_EQ(graph.initializer("table"), nullptr);  // nobody reads the floats any more
  const Tensor table = initializer_of(model, "table");
  const auto channels = static_cast<std::size_t>(table.shape[1]);
  const NamedTensors found = outputs_of(result.model);
  const std::vector<std::int64_t> ids{8, 0, 8};
  for (std::size_t i = 0; i < ids.size(); ++i)
    EXPECT_THAT(
        found.at("x").as<float>().subspan(i * channels, channels),
        testing::Pointwise(testing::FloatEq(), rounded_entry(table, ids[i], block, highest)));
}

TEST(Embeddings, AreLookedUpAsIntegersWithAScaleForEachEntry) {
  const Model model = text_model(network);
  const Quantized result = quantize(model.clone(), nullptr, with_tables(), onnx_runtime(), {});
  const Graph graph(result.model);
  const std::string table = graph.node_named("words")->input(0);
  EXPECT_EQ(graph.initializer(table)->data_type(), onnx::TensorProto::INT8);
  expect_entries(result, model, 4, 15.0F);
}

TEST(Embeddings, HaveOneScaleWhereTheRecipeOrTheAxisAsksForIt) {
  const Model model = text_model(network);
  Recipe recipe = with_tables();
  recipe.weight_granularity = Granularity::tensor;
  const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  const Tensor values = initializer_of(model, "table");
  float largest = 0.0F;
  for (const float value : values.as<float>()) largest = std::max(largest, std::fabs(value));
  const float step = largest / 15.0F;
  const NamedTensors found = outputs_of(result.model);
  const std::vector<std::size_t> ids{8, 0, 8};
  for (std::size_t i = 0; i < 12; ++i)
    EXPECT_FLOAT_EQ(found.at("x").as<float>()[i],
                    std::nearbyint(values.as<float>()[ids[i / 4] * 4 + i % 4] / step) * step);
  const NamedTensors exact = outputs_of(model);  // of columns, in every recipe
  EXPECT_EQ(found.at("p").shape, exact.at("p").shape);
  for (std::size_t i = 0; i < exact.at("p").as<float>().size(); ++i)
    EXPECT_NEAR(found.at("p").as<float>()[i], exact.at("p").as<float>()[i], 0.15F);
}

TEST(Embeddings, ShareBytesInBlocks) {
  const Model model = text_model(R"(
    input ids int64[3]; input others int64[2];
    init table float[9, 64] random 1;
    words: x = Gather(table, ids); more: z = Gather(table, others) {axis = -2};
    output x; output z;
  )");
  for (const int bits : {4, 2}) {
    SCOPED_TRACE(bits);
    Recipe recipe = with_tables();
    recipe.weight_bits = bits;
    recipe.weight_granularity = Granularity::block;
    recipe.weight_block = 16;
    const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
    const Graph graph(result.model);
    const onnx::TensorProto& table = *graph.initializer(graph.node_named("words")->input(0));
    EXPECT_EQ(table.data_type(), onnx::TensorProto::UINT8);
    EXPECT_EQ(shape_of(table), (Shape{9, 64 * bits / 8}));
    expect_entries(result, model, 16, bits == 4 ? 7.0F : 1.0F);
  }
}

// One index without an axis: what is looked up has one axis, and so have its scales.
TEST(Embeddings, AreLookedUpByASingleIndex) {
  const Model model = text_model(R"(
    input id int64[]; init table float[9, 64] random 1;
    words: x = Gather(table, id);
    output x;
  )");
  for (const int block : {0, 16}) {
    SCOPED_TRACE(block);
    Recipe recipe = with_tables();
    recipe.weight_bits = 4;
    if (block > 0) recipe.weight_granularity = Granularity::block;
    recipe.weight_block = block;
    const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
    const NamedTensors id{{"id", {.shape = {}, .values = std::vector<std::int64_t>{5}}}};
    const NamedTensors found = run_once(onnx_runtime()(result.model, {}), id);
    EXPECT_EQ(found.at("x").shape, (Shape{64}));
    EXPECT_THAT(
        found.at("x").as<float>(),
        testing::Pointwise(testing::FloatEq(), rounded_entry(initializer_of(model, "table"), 5,
                                                             block > 0 ? 16 : 64, 7.0F)));
  }
}

TEST(Embeddings, ShareBytesWithAScaleForEachEntryOrOneForAll) {
  const Model model = text_model(network);
  Recipe recipe = with_tables();
  recipe.weight_bits = 4;
  recipe.weight_storage = WeightStorage::packed;
  expect_entries(quantize(model.clone(), nullptr, recipe, onnx_runtime(), {}), model, 4, 7.0F);
  recipe.weight_granularity = Granularity::tensor;
  const NamedTensors packed =
      outputs_of(quantize(model.clone(), nullptr, recipe, onnx_runtime(), {}).model);
  recipe.weight_storage = WeightStorage::int8;
  const NamedTensors bytes =
      outputs_of(quantize(model.clone(), nullptr, recipe, onnx_runtime(), {}).model);
  EXPECT_EQ(packed.at("x"), bytes.at("x"));
}

// Five channels do not fill bytes, and no block is longer than what it is cut from.
TEST(Embeddings, KeepBytesAndEntriesWhereNothingCanBeShared) {
  const Model model = text_model(R"(
    input ids int64[2]; init table float[9, 5] random 1;
    words: x = Gather(table, ids);
    output x;
  )");
  Recipe recipe = with_tables();
  recipe.weight_bits = 4;
  recipe.weight_granularity = Granularity::block;
  recipe.weight_block = 16;
  const Quantized result = quantize(model.clone(), nullptr, recipe, onnx_runtime(), {});
  const Graph graph(result.model);
  EXPECT_EQ(graph.initializer(graph.node_named("words")->input(0))->data_type(),
            onnx::TensorProto::INT8);
  const NamedTensors ids{{"ids", {.shape = {2}, .values = std::vector<std::int64_t>{3, 8}}}};
  const NamedTensors found = run_once(onnx_runtime()(result.model, {}), ids);
  const NamedTensors exact = run_once(onnx_runtime()(model, {}), ids);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_NEAR(found.at("x").as<float>()[i], exact.at("x").as<float>()[i], 0.3F);
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
