// Weights rounded a few layers at a time, straight into the file: the same model as in memory.
#include "ocs/pipeline/keep_weights.h"

#include <algorithm>
#include <bit>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/io/model_file.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/report/report_json.h"
#include "support/folder.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::UnorderedElementsAreArray;

// A Conv with BatchNormalization to fold, two MatMul with one weight, a Gemm in the other layout, a table that a decoder
// reads too, a recurrent node; one constant that is only added.
constexpr auto network = R"(
  input x float[2, 20, 4, 4]; input ids int64[2, 3];
  init c float[40, 20, 3, 3] random 1; init g float[40] random 9; init b float[40] random 10;
  init m float[40] random 11; init v float[40] ones;
  init w float[160, 160] random 2; init k float[24, 160] random 3;
  init table float[50, 24] random 4; init p float[40, 2, 20] random 5;
  init lw float[2, 80, 24] random 6; init lr float[2, 80, 20] random 7;
  conv: a = Conv(x, c) {kernel_shape = [3, 3]}; norm: d = BatchNormalization(a, g, b, m, v);
  flat: e = Flatten(d); one: f = MatMul(e, w); two: h = MatMul(f, w); fc: i = Gemm(h, k) {transB = 1};
  decoder: y = Gemm(i, table) {transB = 1};
  words: n = Gather(table, ids); turn: o = Transpose(n) {perm = [1, 0, 2]};
  lstm: q, = LSTM(o, lw, lr) {hidden_size = 20, direction = "bidirectional"};
  shape: r = Constant() {value = int64[3] {3, 2, 40}}; flatter: s = Reshape(q, r);
  turn2: t = Transpose(s) {perm = [2, 1, 0]}; positions: l = MatMul(t, z); init z float[3, 20] random 8;
  plus: u = Add(l, p);
  output y; output u;
)";

Recipe tables_too(Recipe recipe) {
  recipe.quantize_embeddings = true;
  return recipe;
}

Recipe in_blocks() {
  Recipe recipe = built_in_recipe("weights-only");
  recipe.weight_bits = 4;
  recipe.weight_clip = MseClip{};
  recipe.weight_granularity = Granularity::block;
  recipe.weight_block = 32;
  return recipe;
}

Recipe per_tensor() {
  Recipe recipe = tables_too(built_in_recipe("weights-only"));
  recipe.weight_granularity = Granularity::tensor;
  recipe.weight_storage = WeightStorage::packed;
  recipe.weight_bits = 4;
  return recipe;
}

// Without the order of the initializers, and with all bytes in raw_data.
std::vector<std::string> parts_of(const Model& model) {
  std::vector<std::string> parts;
  for (const auto& node : model.graph().node()) parts.push_back(node.SerializeAsString());
  for (const auto& tensor : model.graph().initializer())
    parts.push_back(tensor.SerializeAsString());
  for (const auto& entry : model.proto().metadata_props())
    parts.push_back(entry.SerializeAsString());
  return parts;
}

void expect_same_in_pieces(Model model, const Recipe& recipe) {
  ASSERT_TRUE(can_keep_weights(recipe));
  const TestFolder folder;
  write_model(model, folder / "float.onnx", 0);
  Quantized whole = quantize(std::move(model), nullptr, recipe, onnx_runtime(), {});
  Quantized pieces;
  write_model_in_pieces(folder / "out.onnx", [&](const KeepTensor& keep) {
    pieces = quantize(read_model(folder / "float.onnx", 0), nullptr, recipe, onnx_runtime(),
                      {.keep = keep});
    return std::move(pieces.model);
  });
  EXPECT_THAT(parts_of(read_model(folder / "out.onnx")),
              UnorderedElementsAreArray(parts_of(whole.model)));
  EXPECT_EQ(to_json(pieces.report).dump(), to_json(whole.report).dump());
  // One copy of what several read.
  const auto light = read_model(folder / "out.onnx", 0);
  std::vector<std::string> offsets;
  for (const auto& tensor : light.graph().initializer())
    for (const auto& entry : tensor.external_data())
      if (entry.key() == "offset") offsets.push_back(entry.value());
  EXPECT_GE(offsets.size(), 3U);
  std::ranges::sort(offsets);
  EXPECT_TRUE(std::ranges::adjacent_find(offsets) == offsets.end());
}

TEST(KeepWeights, GivesTheSameModelAsInMemory) {
  expect_same_in_pieces(text_model(network), built_in_recipe("weights-only"));
}

TEST(KeepWeights, OfTablesToo) {
  expect_same_in_pieces(text_model(network), tables_too(built_in_recipe("weights-only")));
}

TEST(KeepWeights, InBlocks) { expect_same_in_pieces(text_model(network), in_blocks()); }

TEST(KeepWeights, PackedNextToATableThatIsNot) {
  expect_same_in_pieces(text_model(network), per_tensor());
}

// Half-width weights stay in their file and are widened as they are read.
TEST(KeepWeights, OfHalfWidth) {
  Model model = text_model(R"(
      input x float16[1, 40]; init w float[40, 40] random 1; init v float[40, 40] random 2; init u float[40, 40] random 3;
      one: y = MatMul(x, w); two: z = MatMul(y, v); plus: s = Add(z, u); output s)");
  for (auto& tensor : *model.graph().mutable_initializer()) {
    const Tensor values = to_tensor(tensor);
    std::vector<std::uint16_t> halves;  // the exponent of every value fits, the rest is cut off
    for (const float value : values.as<float>()) {
      const auto bits = std::bit_cast<std::uint32_t>(value);
      const std::uint32_t exponent = std::max((bits >> 23U) & 0xFFU, 113U) - 112U;
      halves.push_back(static_cast<std::uint16_t>((bits >> 16U & 0x8000U) | exponent << 10U |
                                                  (bits >> 13U & 0x3FFU)));
    }
    tensor.set_data_type(onnx::TensorProto::FLOAT16);
    tensor.set_raw_data(halves.data(), halves.size() * 2);
  }
  expect_same_in_pieces(std::move(model), built_in_recipe("weights-only"));
}

TEST(KeepWeights, IsForRecipesThatRoundEachWeightForItself) {
  EXPECT_TRUE(can_keep_weights(built_in_recipe("weights-only")));
  for (const char* name : {"int8", "best", "dynamic", "paper"})
    EXPECT_FALSE(can_keep_weights(built_in_recipe(name))) << name;
  Recipe split = built_in_recipe("weights-only");
  split.expand_ratio = 0.05;
  EXPECT_FALSE(can_keep_weights(split));
  Recipe other = built_in_recipe("weights-only");
  other.overrides = {{.pattern = "*", .key = "rounding", .value = "gptq"}};
  EXPECT_FALSE(can_keep_weights(other));
}

}  // namespace
}  // namespace ocs
