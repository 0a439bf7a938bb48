#include "ocs/plan/copy_prices.h"

#include <gtest/gtest.h>

#include "ocs/plan/weight_problem.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// A pointwise Conv, a depthwise one behind it, and a reader of three by three taps.
constexpr auto network = R"(
  input x float[1, 16, 8, 8];
  init w0 float[32, 16, 1, 1] random 1;
  init w1 float[32, 1, 3, 3] random 2;
  init w2 float[24, 32, 3, 3] random 3;
  c0: a = Conv(x, w0) {kernel_shape = [1, 1]};
  r: b = Relu(a);
  dw: c = Conv(b, w1) {kernel_shape = [3, 3], group = 32, pads = [1, 1, 1, 1]};
  c1: y = Conv(c, w2) {kernel_shape = [3, 3]};
  output y;
)";

class CopyPricesTest : public testing::Test {
 protected:
  CopyPricesTest() {
    Recipe recipe{.weight_bits = 4};
    recipe.act_bits.reset();
    for (const Layer& layer : found_.layers)
      problems_.push_back(weight_problem(graph_, layer, nullptr, {}, recipe, {}));
    for (const auto& [name, shape] : {std::pair<std::string, Shape>{"x", {1, 16, 8, 8}},
                                      {"b", {1, 32, 8, 8}},
                                      {"c", {1, 32, 8, 8}}})
      data_[name].shape = shape;
    for (WeightProblem& problem : problems_) problem.data = &data_.at(problem.layer->data);
    costs_.kernels.fill({.multiply = 1.0});
    costs_.moves.fill({.node = 1e9});
  }

  Model model_ = text_model(network);
  Graph graph_{model_};
  FoundLayers found_ = find_all_layers(graph_);
  std::map<std::string, TensorStats> data_{};
  std::vector<WeightProblem> problems_{};
  CostTable costs_{};
};

TEST_F(CopyPricesTest, CountMultiplyAccumulates) {
  const CopyPrices prices = mac_prices(problems_);
  ASSERT_EQ(prices.of.size(), 3U);
  EXPECT_EQ(prices.total, 32 * 16 * 64 + 32 * 9 * 64 + 24 * 32 * 9 * 36);
  EXPECT_EQ(prices.of[0](0), 0.0);
  EXPECT_EQ(prices.of[0](3), 3 * 32 * 64);
  EXPECT_EQ(prices.of[2](2), 2 * 24 * 9 * 36);
}

TEST_F(CopyPricesTest, CountBytesAsTheyAreStored) {
  const CopyPrices prices = byte_prices(problems_);
  EXPECT_EQ(prices.total, 32 * 16 + 32 * 9 + 24 * 32 * 9);
  EXPECT_EQ(prices.of[2](2), 2 * 24 * 9);
  for (WeightProblem& problem : problems_) problem.settings.weight_storage = WeightStorage::packed;
  EXPECT_EQ(byte_prices(problems_).of[2](2), 24 * 9);
}

// Channels are padded to 4 and 16: with none to spare, one copy costs as much as four, and a folded one as sixteen rows more.
TEST_F(CopyPricesTest, PredictTimeByTheTable) {
  const double one_channel = 32.0 * 9 * 36;  // c1 writes 24 channels, padded to 32
  costs_.moves[static_cast<std::size_t>(Move::gather)] = {.node = 5.0, .value = 2.0};
  const CopyPrices prices = time_prices(graph_, problems_, costs_);
  EXPECT_EQ(prices.total, 64.0 * 16 * 32 + 32 * 9 * 64 + 32 * one_channel);
  EXPECT_EQ(prices.of[2](0), 0.0);
  EXPECT_EQ(prices.of[2](1), 4 * one_channel + 5.0 + 2.0 * 33 * 64);
  EXPECT_EQ(prices.of[2](4), 4 * one_channel + 5.0 + 2.0 * 36 * 64);
}

TEST_F(CopyPricesTest, TakeTheCheapestForm) {
  const auto form = [&] { return cheapest_forms(graph_, problems_, {0, 0, 4}, costs_)[2]; };
  EXPECT_EQ(form(), SplitForm::fold);  // the others cost a second
  costs_.moves[static_cast<std::size_t>(Move::slice)] = {.node = 1.0};
  EXPECT_EQ(form(), SplitForm::slice);
  costs_.moves[static_cast<std::size_t>(Move::gather)] = {.node = 0.5};
  EXPECT_EQ(form(), SplitForm::gather);
  // Folded copies grow the pointwise producer and the depthwise layer between.
  costs_.moves.fill({.node = 1e9});
  const double rows = 64.0 * 16 * 16 + 4 * 9 * 64;
  EXPECT_EQ(time_prices(graph_, problems_, costs_).of[2](4), rows + 4 * 32.0 * 9 * 36);
  // Nobody makes the channels of x but the user.
  EXPECT_EQ(cheapest_forms(graph_, problems_, {4, 0, 0}, costs_)[0], SplitForm::gather);
}

// A depthwise layer of 32 channels fills two tiles; of 36 it takes the kernel for those that do not, of 48 the fast one again.
TEST_F(CopyPricesTest, KnowTheTileOfDepthwiseLayers) {
  costs_.kernels[static_cast<std::size_t>(Kernel::depthwise_off_tile)] = {.multiply = 10.0};
  const CopyPrices prices = time_prices(graph_, problems_, costs_);
  const double reader = 32.0 * 9 * 36;  // of one channel
  const double maker = 64.0 * 16 * 16;  // 16 rows
  EXPECT_EQ(prices.of[2](4), maker + 9.0 * 64 * (10 * 36 - 32) + 4 * reader);
  EXPECT_EQ(prices.of[2](16), maker + 9.0 * 64 * 16 + 16 * reader);
}

// Copies that bring it from 24 channels to 32 make all of it faster: they cost nothing, but earn nothing either.
TEST(CopyPrices, AreNeverNegative) {
  const Model model = text_model(R"(
    input x float[1, 16, 8, 8]; init w0 float[24, 16, 1, 1] random 1; init w1 float[24, 1, 3, 3] random 2; init w2 float[4, 24, 1, 1] random 3;
    c0: a = Conv(x, w0) {kernel_shape = [1, 1]}; dw: c = Conv(a, w1) {kernel_shape = [3, 3], group = 24, pads = [1, 1, 1, 1]};
    c1: y = Conv(c, w2) {kernel_shape = [1, 1]}; output y;
  )");
  const Graph graph(model);
  const FoundLayers found = find_all_layers(graph);
  TensorStats x;
  x.shape = {1, 16, 8, 8};
  TensorStats inner;
  inner.shape = {1, 24, 8, 8};
  Recipe recipe{.weight_bits = 4};
  recipe.act_bits.reset();
  std::vector<WeightProblem> problems;
  for (const Layer& layer : found.layers) {
    problems.push_back(weight_problem(graph, layer, nullptr, {}, recipe, {}));
    problems.back().data = layer.data == "x" ? &x : &inner;
  }
  CostTable costs;
  costs.kernels.fill({.multiply = 1.0});
  costs.kernels[static_cast<std::size_t>(Kernel::depthwise_off_tile)] = {.multiply = 1000.0};
  costs.moves.fill({.node = 1e9});
  const CopyPrices prices = time_prices(graph, problems, costs);
  EXPECT_EQ(prices.of[2](8), 0.0);
  EXPECT_GT(prices.of[2](4), 0.0);
  EXPECT_EQ(cheapest_forms(graph, problems, {0, 0, 8}, costs)[2], SplitForm::fold);
}

TEST_F(CopyPricesTest, SellNothingWithoutShapes) {
  problems_[2].data = nullptr;
  EXPECT_GT(time_prices(graph_, problems_, costs_).of[2](1), 1e300);
  EXPECT_EQ(cheapest_forms(graph_, problems_, {0, 0, 4}, costs_)[2], SplitForm::automatic);
}

}  // namespace
}  // namespace ocs
