#include "ocs/engine/large_model.h"

#include <gtest/gtest.h>

#include "engine/small_models.h"
#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"

namespace ocs {
namespace {

// y = x * a * b with two weights that go to the file of weights (their sizes are no multiples of a
// page) and one scalar that stays.
Model scaled() {
  Model model = small_models::graph_of({{"x", {1000}}}, {{"y", {1000}}});
  small_models::add_weight(model, "a", {1000}, std::vector<float>(1000, 2.0F));
  small_models::add_weight(model, "small", {1}, {0.5F});
  std::vector<float> b(1000);
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i);
  small_models::add_weight(model, "b", {1000}, b);
  small_models::add(model, "Mul", {"x", "a"}, {"xa"});
  small_models::add(model, "Mul", {"xa", "small"}, {"xas"});
  small_models::add(model, "Mul", {"xas", "b"}, {"y"});
  return model;
}

TEST(WriteWithWeightsApart, GivesTheSameOutputs) {
  const Model model = scaled();
  const TemporaryFolder folder;
  write_with_weights_apart(model, folder.path());
  EXPECT_GT(std::filesystem::file_size(folder.path() / "weights.bin"), 8000U);
  EXPECT_LT(std::filesystem::file_size(folder.path() / "model.onnx"), 1000U);
  const NamedTensors x{{"x", {.shape = {1000}, .values = std::vector<float>(1000, 3.0F)}}};
  const NamedTensors expected = run_once(onnx_runtime()(model, {}), x);
  EXPECT_EQ(run_once(open_model_file(folder.path() / "model.onnx", {}), x), expected);
  EXPECT_EQ(expected.at("y").as<float>()[999], 3.0F * 999.0F);
}

TEST(BorrowedWeights, GiveTheSameOutputsInnerOnesToo) {
  const Model model = scaled();
  const NamedTensors x{{"x", {.shape = {1000}, .values = std::vector<float>(1000, 3.0F)}}};
  for (const std::vector<std::string>& outputs :
       {std::vector<std::string>{}, {"y"}, {"xas", "y"}, {"xa"}, {"x", "xa"}}) {
    const NamedTensors copied = run_once(onnx_runtime()(model, {.outputs = outputs}), x);
    const RunModel borrowing = onnx_runtime()(model, {.outputs = outputs, .borrow_weights = true});
    EXPECT_EQ(run_once(borrowing, x), copied);
    EXPECT_EQ(copied.size(), std::max<std::size_t>(outputs.size(), 1));
  }
}

TEST(BorrowedWeights, RefuseAnOutputThatTheModelHasNot) {
  EXPECT_THROW((void)onnx_runtime()(scaled(), {.outputs = {"q"}, .borrow_weights = true}), Error);
}

TEST(TemporaryFolder, IsGoneAfterwards) {
  std::filesystem::path path;
  {
    const TemporaryFolder folder;
    path = folder.path();
    EXPECT_TRUE(std::filesystem::is_directory(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace ocs
