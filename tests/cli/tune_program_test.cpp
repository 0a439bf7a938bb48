// ocs tune as a user runs it: what it writes, `ocs quantize` writes again from its recipe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/json.h"
#include "ocs/core/sha256.h"
#include "ocs/io/model_file.h"
#include "support/folder.h"
#include "support/run_program.h"
#include "support/text_model.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

constexpr auto net = R"(
    input x float[1,3,8,8]; init w float[8,3,3,3] random 1; init v float[8,8,3,3] random 2; init u float[4,8,1,1] random 3;
    conv1: a = Conv(x, w); relu1: r = Relu(a); conv2: b = Conv(r, v); relu2: s = Relu(b); conv3: y = Conv(s, u);
    output y float[1,4,4,4];)";

const fs::path program = fs::path(OCS_BINARY_DIR) / "ocs";

TEST(TuneProgram, WritesAModelThatItsRecipeMakesAgain) {
  const TestFolder folder;
  write_model(text_model(net), folder / "net.onnx");
  const ProgramRun run = run_program(
      program,
      {"tune", "net.onnx", "-o", "small.onnx", "--synthetic", "160", "--min-sqnr", "15", "--json"},
      folder.path());
  ASSERT_EQ(run.code, 0) << run.err;
  const Json answer = parse_json(run.out, "answer");
  ASSERT_TRUE(answer["chosen"].is_number());
  const Json& chosen = answer["trials"][answer["chosen"].get<std::size_t>()];
  EXPECT_TRUE(chosen["passes"].get<bool>());
  EXPECT_GE(chosen["sqnr_db"].get<double>(), 15.0);
  EXPECT_LT(chosen["bits_per_weight"].get<double>(), 8.0);
  EXPECT_EQ(answer["recipe_file"], "small.recipe.json");
  const ProgramRun again = run_program(program,
                                       {"quantize", "net.onnx", "-o", "again.onnx", "--synthetic",
                                        "160", "--recipe", "small.recipe.json"},
                                       folder.path());
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(sha256_of_file(folder / "small.onnx"), sha256_of_file(folder / "again.onnx"));
}

TEST(TuneProgram, WritesNothingWhereNothingReachesTheGoal) {
  const TestFolder folder;
  write_model(text_model(net), folder / "net.onnx");
  const ProgramRun run = run_program(
      program, {"tune", "net.onnx", "-o", "small.onnx", "--synthetic", "80", "--min-sqnr", "500"},
      folder.path());
  EXPECT_EQ(run.code, 1) << run.err;
  EXPECT_THAT(run.out, testing::HasSubstr("nothing is written"));
  EXPECT_FALSE(fs::exists(folder / "small.onnx"));
  EXPECT_FALSE(fs::exists(folder / "small.recipe.json"));
}

}  // namespace
}  // namespace ocs
