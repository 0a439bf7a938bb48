#include "ocs/plan/find_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr auto three_convs = R"(
  input x float[1, 4, 8, 8];
  init w float[4, 4, 1, 1] random 1;
  stem: a = Conv(x, w);
  body: b = Conv(a, w);
  computed: c = Conv(b, a);
  both: d = MatMul(b, b);
  head: y = Conv(b, w);
  output y; output c; output d;
)";

std::vector<std::string> names(const std::vector<Layer>& layers) {
  std::vector<std::string> list;
  for (const Layer& layer : layers) list.push_back(layer.node);
  return list;
}

TEST(FindLayers, GivesAReasonForEveryLinearNodeThatItLeaves) {
  const Model model = text_model(three_convs);
  const FoundLayers found = find_layers(Graph(model), Recipe{});
  EXPECT_THAT(names(found.layers), testing::ElementsAre("stem", "body", "head"));
  ASSERT_EQ(found.skipped.size(), 2U);
  for (const Skipped& skipped : found.skipped) EXPECT_FALSE(skipped.reason.empty()) << skipped.node;
}

TEST(FindLayers, KeepsPatternsAndTheWordsFirstAndLastFloat) {
  const Model model = text_model(three_convs);
  EXPECT_THAT(names(find_layers(Graph(model), Recipe{.keep_float = {"first", "h*"}}).layers),
              testing::ElementsAre("body"));
  EXPECT_THAT(names(find_layers(Graph(model), Recipe{.first_float = true}).layers),
              testing::ElementsAre("body", "head"));
}

// Paper, Table 6: everything is quantized, no activation is.
TEST(FindLayers, KeepsTheDataOfARecurrentModelFloatWhereAsked) {
  const std::string dense =
      "input x float[2,3,4]; init d float[4,4] random 1; first: u = MatMul(x, d); ";
  const std::string recurrent =
      "init w float[1,4,4] random 2; init r float[1,4,4] random 3; rnn: y = RNN(u, w, r) "
      "{hidden_size = 4}; ";
  const Recipe recipe{.first_float = true, .recurrent_float = true};
  const Model plain = text_model(dense + "output u;");
  const Model model = text_model(dense + recurrent + "output y;");
  EXPECT_FALSE(is_recurrent_model(plain));
  EXPECT_TRUE(is_recurrent_model(model));
  EXPECT_TRUE(quantizes_data(recipe, plain));
  EXPECT_FALSE(quantizes_data(recipe, model));
  EXPECT_TRUE(find_layers(Graph(plain), recipe).layers.empty());
  const std::vector<Layer> layers = find_layers(Graph(model), recipe).layers;
  ASSERT_THAT(names(layers), testing::ElementsAre("first", "rnn", "rnn"));
  for (const Layer& layer : layers) EXPECT_FALSE(quantizes_data(recipe, layer)) << layer.node;
  EXPECT_TRUE(quantizes_data(Recipe{}, layers[0]));
  EXPECT_FALSE(quantizes_data(Recipe{}, layers[1]));
}

TEST(FindLayers, RefusesAPatternThatMatchesNothing) {
  const Model model = text_model(three_convs);
  EXPECT_THAT(
      [&] { (void)find_layers(Graph(model), Recipe{.keep_float = {"steem"}}); },
      testing::ThrowsMessage<Error>(
          "keep_float pattern 'steem' matches no layer of the model (did you mean 'stem'?)"));
}

// At the place of the node that holds them; nobody sees their data.
TEST(FindLayers, FindsLayersInsideBodies) {
  const Model model = text_model(R"(
    input x float[1, 4];
    input cond bool[];
    init w float[4, 4] random 1;
    before: a = MatMul(x, w);
    branch: y = If(cond) {
      then_branch = graph { init v float[4, 4] random 2; mm: t = MatMul(a, v);
                            computed: u = MatMul(t, t); output u; },
      else_branch = graph { deep: e = If(cond) {then_branch = graph { inner: f = MatMul(a, w); output f; },
                            else_branch = graph { g = Neg(a); output g; }}; output e; }};
    after: z = MatMul(y, w);
    output z;
  )");
  const FoundLayers found = find_all_layers(Graph(model));
  EXPECT_THAT(names(found.layers), testing::ElementsAre("before", "mm", "inner", "after"));
  for (const Layer& layer : found.layers) {
    const bool is_inside = layer.node == "mm" || layer.node == "inner";
    EXPECT_EQ(layer.is_in_body, is_inside) << layer.node;
    EXPECT_EQ(quantizes_data(Recipe{}, layer), !is_inside) << layer.node;
  }
  EXPECT_EQ(found.layers[1].weight, "v");
  EXPECT_EQ(found.layers[2].weight, "w");
  ASSERT_EQ(found.skipped.size(), 1U);
  EXPECT_EQ(found.skipped[0].node, "computed");
}

}  // namespace
}  // namespace ocs
