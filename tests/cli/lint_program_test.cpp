// ocs lint as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/json.h"
#include "ocs/io/model_file.h"
#include "support/folder.h"
#include "support/run_program.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto quantized = R"(
  ir 8; opset 13; input x float[1, 4, 8, 8]; init s float[] {0.1}; init m uint8[] {128};
  init w int8[4, 4, 3, 3] ones; init v float[] {0.01}; init z int8[] {0}; dw: wd = DequantizeLinear(w, v, z);
  q: xq = QuantizeLinear(x, s, m); d: xd = DequantizeLinear(xq, s, m); conv: y = Conv(xd, wd);
)";
constexpr auto clean =
    "q1: yq = QuantizeLinear(y, s, m); d1: r = DequantizeLinear(yq, s, m); output r;";
constexpr auto with_leaky_relu =
    "act: a = LeakyRelu(y); q1: yq = QuantizeLinear(a, s, m); d1: r = DequantizeLinear(yq, s, m); "
    "output r;";

class LintProgram : public testing::Test {
 protected:
  [[nodiscard]] ProgramRun lint(const std::string& text, const std::string& words = "") const {
    write_model(text_model(text), folder_ / "net.onnx");
    return run_program(OCS_BINARY_DIR "/ocs", shell_words("lint net.onnx " + words),
                       folder_.path());
  }

  TestFolder folder_{};
};

TEST_F(LintProgram, SaysThatAllIsWellWithExitCode0) {
  const ProgramRun run = lint(std::string(quantized) + clean);
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("ort-cpu, ONNX Runtime 1.32"), HasSubstr("fused 1 of 1"),
                             Not(HasSubstr("conv"))));
  EXPECT_THAT(lint(std::string(quantized) + clean, "--all").out, HasSubstr("conv"));
}

TEST_F(LintProgram, TellsOfProcessorsWithoutVnniWithExitCode0) {
  const std::string model = R"(
    ir 8; opset 13; input x uint8[1, 2]; init s float[] {0.1}; init m uint8[] {0}; init z int8[] {0};
    init w int8[2, 1] {127, 127}; d: xd = DequantizeLinear(x, s, m); dw: wd = DequantizeLinear(w, s, z);
    n: y = MatMul(xd, wd); output y;
  )";
  const ProgramRun run = lint(model);
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("can saturate in 1 node, and results be wrong: --target "
                                 "ort-cpu-avx2 names it"));
  EXPECT_EQ(parse_json(lint(model, "--json").out, "answer").at("saturating_without_vnni"), 1);
  EXPECT_EQ(lint(model, "--target ort-cpu-avx2").code, 1);
  EXPECT_THAT(lint(model, "--target ort-cpu-vnni").out, Not(HasSubstr("saturate")));
}

TEST_F(LintProgram, SaysWhatStaysInFloatAndWhatToChangeWithExitCode1) {
  const ProgramRun run = lint(std::string(quantized) + with_leaky_relu);
  EXPECT_EQ(run.code, 1) << run.err;
  EXPECT_THAT(run.out, AllOf(HasSubstr("LeakyRelu 'act' stands between it and QuantizeLinear"),
                             HasSubstr("change: put QuantizeLinear and DequantizeLinear ahead"),
                             HasSubstr("fused 0 of 2")));
}

TEST_F(LintProgram, AnswersWithOneObject) {
  const ProgramRun run =
      lint(std::string(quantized) + with_leaky_relu, "--json --target ort-cpu-vnni");
  EXPECT_EQ(run.code, 1);
  const Json json = parse_json(run.out, "answer");
  EXPECT_EQ(json.at("target"), "ort-cpu-vnni");
  EXPECT_EQ(json.at("engine"), "ONNX Runtime 1.32");
  EXPECT_EQ(json.at("unverified"), false);
  EXPECT_EQ(json.at("fused"), 0);
  EXPECT_EQ(json.at("of"), 2);
  const Json& conv = json.at("nodes").at(0);
  EXPECT_EQ(conv.at("name"), "conv");
  EXPECT_EQ(conv.at("op"), "Conv");
  EXPECT_EQ(conv.at("fused"), false);
  EXPECT_EQ(conv.at("rule"), "activation-between");
  EXPECT_THAT(conv.at("reason").get<std::string>(), HasSubstr("LeakyRelu 'act'"));
  EXPECT_FALSE(conv.at("fix").get<std::string>().empty());
}

TEST_F(LintProgram, SaysWhatIsNotHeldAgainstAnEngine) {
  const std::string model = std::string(quantized) + clean;
  EXPECT_THAT(
      lint(model, "--target tensorrt").out,
      AllOf(HasSubstr("unverified: from documents and issues"), HasSubstr("activations at")));
  EXPECT_EQ(parse_json(lint(model, "--target tensorrt --json").out, "answer").at("unverified"),
            true);
  EXPECT_THAT(run_program(OCS_BINARY_DIR "/ocs", {"lint", "--help"}, folder_.path()).out,
              HasSubstr("qnn (unverified)"));
}

TEST_F(LintProgram, SaysThatAFloatModelIsNotQuantized) {
  const ProgramRun run = lint("input x float[1, 4]; r: y = Relu(x); output y;");
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.out, AllOf(HasSubstr("not quantized: nothing in the model is"),
                             HasSubstr("fused 0 of 1")));
}

TEST_F(LintProgram, RefusesATargetThatItDoesNotKnow) {
  const ProgramRun run = lint(std::string(quantized) + clean, "--target ort-gpu");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("no target named 'ort-gpu' (did you mean 'ort-cpu'?)"));
}

TEST_F(LintProgram, NamesAllTargetsWhereNoneIsNear) {
  EXPECT_THAT(lint(std::string(quantized) + clean, "--target nosuch").err,
              HasSubstr("no target named 'nosuch'; known: ort-cpu, ort-cpu-vnni, ort-cpu-avx2"));
}

TEST_F(LintProgram, TellsWhatNodesCostOnThisMachine) {
  const ProgramRun run = lint(std::string(quantized) + with_leaky_relu, "--time 2 --json");
  const Json answer = parse_json(run.out, "answer");
  const Json& times = answer.at("times");
  const Json& conv = answer.at("nodes").at(0);
  EXPECT_GT(conv.at("ms").get<double>(), 0.0);
  EXPECT_GT(times.at("float_ms").get<double>(), 0.0);
  EXPECT_GT(times.at("conversion_ms").get<double>(), 0.0);
  EXPECT_FALSE(times.at("conversions").empty());
  double rest = 0.0;
  for (const auto& [op, milliseconds] : times.at("other_ms").items())
    rest += milliseconds.get<double>();
  EXPECT_NEAR(times.at("run_ms").get<double>(),
              times.at("integer_ms").get<double>() + times.at("float_ms").get<double>() +
                  times.at("conversion_ms").get<double>() + rest,
              1e-9);
  EXPECT_THAT(lint(std::string(quantized) + with_leaky_relu, "--time 2").out,
              AllOf(HasSubstr("one run on this machine (one thread, median of 2)"),
                    HasSubstr("float kernels"), HasSubstr("activation-between (1 node, ")));
}

TEST_F(LintProgram, TimesNothingButThisMachine) {
  const std::string model = std::string(quantized) + clean;
  EXPECT_THAT(lint(model, "--time 2 --target qnn").err,
              HasSubstr("--time: runs ONNX Runtime on this machine, not qnn"));
  EXPECT_THAT(lint(model, "--data nowhere").err, HasSubstr("options of data are for --time N"));
  EXPECT_THAT(lint(model, "--preprocess nonsense").err,
              HasSubstr("options of data are for --time N"));
  EXPECT_THAT(lint(model, "--time 201").err, HasSubstr("--time: at most 200 runs"));
}

TEST_F(LintProgram, AnswersForAModelThatCannotBeTimed) {
  const ProgramRun run = lint(
      "opset 18; input x float[1, 2, 4]; n: y = ReduceL2(x) {axes = [2]}; output y;", "--time 2");
  EXPECT_EQ(run.code, 1);
  EXPECT_THAT(run.out, AllOf(HasSubstr("refused: ReduceL2 'n' has the attribute axes"),
                             HasSubstr("not timed: the engine does not load the model")));
}

TEST_F(LintProgram, NamesAFileThatIsNotThere) {
  const ProgramRun run = run_program(OCS_BINARY_DIR "/ocs", {"lint", "none.onnx"}, folder_.path());
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err, HasSubstr("none.onnx: no such file"));
}

}  // namespace
}  // namespace ocs
