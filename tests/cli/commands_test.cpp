// The built program on small models: what it answers and what it leaves on disk.
#include <string>
#include <vector>

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

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

constexpr auto net = R"(
    input x float[1,3,8,8]; init w float[8,3,3,3] random 1; init v float[8,8,1,1] random 2; init f float[8,10] random 3; init b float[10] random 4;
    conv1: a = Conv(x, w); relu1: r = Relu(a); conv2: c = Conv(r, v); pool: g = GlobalAveragePool(c); flat: h = Flatten(g);
    fc: y = Gemm(h, f, b); output y float[1,10];)";

class Commands : public testing::Test {
 protected:
  Commands() { write_model(text_model(net), folder_ / "net.onnx"); }

  [[nodiscard]] ProgramRun run(const std::string& words) const {
    return run_program(OCS_BINARY_DIR "/ocs", shell_words(words), folder_.path());
  }
  // The answer of a run that must succeed.
  [[nodiscard]] Json answer(const std::string& words) const {
    const ProgramRun result = run(words + " --json");
    EXPECT_EQ(result.code, 0) << words << ": " << result.err;
    return parse_json(result.out, "answer of " + words);
  }

  TestFolder folder_;
};

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

TEST_F(Commands, QuantizeAnswersWithThePromisedKeys) {
  const Json json = answer("quantize net.onnx -o out.onnx --synthetic 4");
  EXPECT_THAT(keys_of(json),
              IsSupersetOf({"output", "seconds", "calibration", "size", "macs", "layers"}));
  EXPECT_THAT(keys_of(json["calibration"]), IsSupersetOf({"samples", "seconds"}));
  EXPECT_THAT(keys_of(json["layers"][0]),
              IsSupersetOf({"name", "op", "quantized", "reason", "weight_bits", "act_bits",
                            "copies", "form", "sqnr_db"}));
  EXPECT_EQ(json["output"], "out.onnx");
  EXPECT_EQ(json["calibration"]["samples"], 4);
  EXPECT_EQ(json["calibration"]["synthetic"], true);
  EXPECT_EQ(json["layers"].size(), 3U);
  EXPECT_EQ(json["sha256"], sha256_of_file(folder_ / "out.onnx"));
  EXPECT_GT(json["size"]["before"], 0);
  EXPECT_EQ(json["size"]["after"], std::filesystem::file_size(folder_ / "out.onnx"));
  EXPECT_GT(json["macs"]["before"], 0);
}

TEST_F(Commands, QuantizeMakesTheSameBytesForAnyNumberOfThreads) {
  const auto hash = [&](const std::string& options) {
    return answer("quantize net.onnx -o out.onnx --synthetic 7 " + options)["sha256"]
        .get<std::string>();
  };
  const std::string once = hash("");
  EXPECT_EQ(hash(""), once);
  EXPECT_EQ(hash("--threads 1"), once);
  EXPECT_EQ(hash("--threads 5"), once);
  EXPECT_NE(hash("--weight-bits 5"), once);
}

TEST_F(Commands, QuantizeNeedsNoDataForWeightsOnly) {
  const ProgramRun result = run("quantize net.onnx -o out.onnx --recipe weights-only");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("3 quantized, 0 float"));
  EXPECT_THAT(result.out, HasSubstr("sha256"));
  EXPECT_THAT(result.err, HasSubstr("no data"));
}

TEST_F(Commands, QuantizeWritesReportsAndSteps) {
  const ProgramRun result =
      run("quantize net.onnx -o out.onnx --synthetic 2 --report r.json --report r.html "
          "--dump-after fold_batchnorm --quiet");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(folder_.names(), ElementsAre("net.onnx", "out.onnx", "out.onnx.fold_batchnorm.txt",
                                           "r.html", "r.json"));
  EXPECT_EQ(parse_json(bytes_of(folder_ / "r.json"), "r.json")["layers"].size(), 3U);
  EXPECT_THAT(bytes_of(folder_ / "r.html"), HasSubstr("conv1"));
  EXPECT_THAT(bytes_of(folder_ / "out.onnx.fold_batchnorm.txt"), HasSubstr("conv1: "));
}

TEST_F(Commands, QuantizeNamesTheStepsWhenOneIsUnknown) {
  const ProgramRun result =
      run("quantize net.onnx -o out.onnx --synthetic 2 --dump-after fold_batchnrom");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--dump-after: no step named 'fold_batchnrom' (did you mean "
                                    "'fold_batchnorm'?); the steps were name_nodes"));
}

TEST_F(Commands, QuantizeStampsThePreprocessing) {
  write_bytes(folder_ / "net.preprocess.json", R"({"crop": 8, "scale": 0.0039})");
  ASSERT_EQ(run("quantize net.onnx -o out.onnx --recipe weights-only").code, 0);
  EXPECT_THAT(read_model(folder_ / "out.onnx").metadata("ocs.preprocess"), HasSubstr("0.0039"));
  ASSERT_EQ(
      run("quantize net.onnx -o out.onnx --recipe weights-only --preprocess crop=8,scale=0.5").code,
      0);
  EXPECT_THAT(read_model(folder_ / "out.onnx").metadata("ocs.preprocess"), HasSubstr("0.5"));
}

TEST_F(Commands, QuantizeStampsWhatIsKnownOfALanguageModel) {
  write_bytes(folder_ / "net.language.json", R"({"ids": "x", "layout": "batch-time"})");
  ASSERT_EQ(run("quantize net.onnx -o out.onnx --recipe weights-only").code, 0);
  EXPECT_EQ(read_model(folder_ / "out.onnx").metadata("ocs.language"),
            R"({"ids":"x","layout":"batch-time"})");
}

TEST_F(Commands, QuantizeWritesAModelWithoutLayersAsItWas) {
  write_model(text_model("input x float[1,2]; y = Relu(x); output y float[1,2];"),
              folder_ / "relu.onnx");
  const ProgramRun result = run("quantize relu.onnx -o out.onnx --synthetic 1");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(bytes_of(folder_ / "out.onnx"), bytes_of(folder_ / "relu.onnx"));
}

// Logits without weights: each token is as likely as any other.
TEST_F(Commands, EvaluateMeasuresPerplexity) {
  write_model(text_model(R"(
      input ids int64[?,?]; init e float[4,4] zeros; embed: logits = Gather(e, ids); output logits float[?,?,4];)"),
              folder_ / "even.onnx");
  write_bytes(folder_ / "vocab.txt", "<eos>\n<unk>\na\nb\n");
  write_bytes(folder_ / "text.txt", "a b c\n\nb a\n");
  const std::string words =
      "evaluate even.onnx --data text.txt --vocab vocab.txt --metric perplexity --batch 2";
  const Json json = answer(words);
  EXPECT_EQ(json["tokens"], 6);
  EXPECT_NEAR(json["perplexity"].get<double>(), 4.0, 1e-9);
  EXPECT_EQ(json["unknown"], 1);
  EXPECT_EQ(answer(words + " --count 6 --window 1")["tokens"], 4);
  const ProgramRun told = run(words);
  EXPECT_EQ(told.out, "6 tokens\nperplexity 4.000\n");
  EXPECT_THAT(told.err, HasSubstr("1 of 8 tokens are not in the vocabulary and read as <unk>"));
}

TEST_F(Commands, TakesABudgetBesideAnExpandRatioOf0InAnyOrder) {
  const auto recipe = [&](const std::string& options) {
    return parse_json(run("quantize --recipe int8-per-tensor " + options + " --print-recipe").out,
                      "answer");
  };
  EXPECT_EQ(recipe("--expand-ratio 0")["latency_budget"], 0.0);
  for (const char* both :
       {"--expand-ratio 0 --latency-budget 0.02", "--latency-budget 0.02 --expand-ratio 0"})
    EXPECT_EQ(recipe(both)["latency_budget"], 0.02) << both;
}

TEST_F(Commands, PrintedRecipesCanBePassedBack) {
  const ProgramRun printed =
      run("quantize --recipe paper --weight-bits 5 --keep-float fc --print-recipe");
  EXPECT_EQ(printed.code, 0);
  write_bytes(folder_ / "mine.json", printed.out);
  EXPECT_EQ(run("quantize --recipe mine.json --print-recipe").out, printed.out);
  const Json json = answer("quantize net.onnx -o out.onnx --synthetic 2 --recipe mine.json");
  EXPECT_EQ(json["recipe"], parse_json(printed.out, "printed"));
}

TEST_F(Commands, StatisticsCanBeSavedMergedAndLoaded) {
  const Json whole = answer(
      "quantize net.onnx -o a.onnx --synthetic 4 --save-stats all.json --measure-count 0 "
      "--fallback off");
  const Json loaded =
      answer("quantize net.onnx -o b.onnx --load-stats all.json --measure-count 0 --fallback off");
  EXPECT_EQ(loaded["sha256"], whole["sha256"]);
  EXPECT_EQ(loaded["calibration"]["samples"], 4);
  EXPECT_THAT(run("merge all.json all.json -o twice.json").err,
              HasSubstr("they would count twice"));
}

TEST_F(Commands, InspectAnswersWithThePromisedKeys) {
  const Json json = answer("inspect net.onnx --bits 4 --expand-ratio 0.3");
  ASSERT_EQ(json["layers"].size(), 3U);
  const Json& layer = json["layers"][0];
  EXPECT_THAT(keys_of(layer), IsSupersetOf({"name", "op", "weight", "shape", "macs", "max_abs",
                                            "thresholds", "split"}));
  EXPECT_THAT(keys_of(layer["thresholds"]), ElementsAre("max", "mse", "mse-hist", "aciq", "kl"));
  EXPECT_THAT(keys_of(layer["split"]), ElementsAre("channels", "max_abs_after"));
  EXPECT_EQ(layer["macs"], 8 * 27 * 36);
  EXPECT_EQ(layer["thresholds"]["max"], layer["max_abs"]);
  EXPECT_EQ(layer["split"]["channels"].size(), 1U);
  EXPECT_EQ(json["skipped"], Json::array());
}

TEST_F(Commands, InspectRanksLayersByWhatTheyDoToTheOutputs) {
  EXPECT_THAT(keys_of(answer("inspect net.onnx")), Not(testing::Contains("sensitivity")));
  const Json json = answer("inspect net.onnx --sensitivity --synthetic 5 --bits 3")["sensitivity"];
  EXPECT_THAT(keys_of(json), IsSupersetOf({"samples", "together", "layers"}));
  EXPECT_EQ(json["samples"], 5);
  ASSERT_EQ(json["layers"].size(), 3U);
  const Json& worst = json["layers"][0];
  EXPECT_THAT(keys_of(worst),
              IsSupersetOf({"name", "op", "weight_bits", "act_bits", "sqnr_db", "squared_error",
                            "relative_error", "kl", "own_sqnr_db"}));
  EXPECT_THAT(keys_of(json["together"]),
              IsSupersetOf({"sqnr_db", "squared_error", "relative_error", "kl"}));
  EXPECT_EQ(worst["weight_bits"], 3);
  EXPECT_GT(worst["kl"], 0.0);
  EXPECT_LE(worst["sqnr_db"], json["layers"][2]["sqnr_db"]);
  const std::string some = "inspect net.onnx --sensitivity --synthetic 5 --weight-bits 3 ";
  EXPECT_EQ(answer(some + "--threads 3")["sensitivity"], json);
  EXPECT_EQ(answer(some + "--measure-count 2")["sensitivity"]["samples"], 2);
  const ProgramRun table = run(some);
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("net.onnx: opset 13, 3 layers"));
  EXPECT_THAT(table.out, HasSubstr("what a layer alone does to the outputs"));
  EXPECT_THAT(table.out, HasSubstr("all together"));
}

TEST_F(Commands, InspectShowsATable) {
  const ProgramRun result = run("inspect net.onnx");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("net.onnx: opset 13, 3 layers"));
  EXPECT_THAT(result.out, HasSubstr("conv2"));
}

TEST_F(Commands, InspectFoldsOnlyWhenAsked) {
  write_model(text_model(R"(
      input x float[1,2,1,1]; init w float[2,2,1,1] ones; init half float[2] {0.5, 0.5}; init one float[2] ones; init zero float[2] zeros;
      conv: a = Conv(x, w); bn: y = BatchNormalization(a, half, zero, zero, one) {epsilon = 0.0}; output y float[1,2,1,1];)"),
              folder_ / "bn.onnx");
  EXPECT_EQ(answer("inspect bn.onnx")["layers"][0]["max_abs"], 1.0);
  EXPECT_EQ(answer("inspect bn.onnx")["layers"][0]["weight"], "w");
  EXPECT_EQ(answer("inspect bn.onnx --fold-batchnorm on")["layers"][0]["max_abs"], 0.5);
}

TEST_F(Commands, CompareChecksWhatWasAskedFor) {
  ASSERT_EQ(run("quantize net.onnx -o out.onnx --synthetic 4").code, 0);
  const Json json = answer("compare net.onnx out.onnx --synthetic 3");
  EXPECT_THAT(keys_of(json), IsSupersetOf({"samples", "agreement", "sqnr_db", "layers"}));
  EXPECT_EQ(json["samples"], 3);
  EXPECT_EQ(json["layers"].size(), 3U);
  for (std::size_t i = 1; i < json["layers"].size(); ++i) {
    EXPECT_LE(json["layers"][i - 1]["sqnr_db"], json["layers"][i]["sqnr_db"]) << "worst first";
  }
  ASSERT_EQ(json["outputs"].size(), 1U);
  EXPECT_THAT(keys_of(json["outputs"][0]),
              IsSupersetOf({"name", "sqnr_db", "cosine_mean", "cosine_min"}));
  EXPECT_LE(json["outputs"][0]["cosine_min"], json["outputs"][0]["cosine_mean"]);
  EXPECT_LT(json["outputs"][0]["cosine_mean"], 1.0);
  EXPECT_EQ(run("compare net.onnx out.onnx --synthetic 3 --min-sqnr 5 --min-cosine 0.9").code, 0);
  const ProgramRun turned = run("compare net.onnx out.onnx --synthetic 3 --min-cosine 1");
  EXPECT_EQ(turned.code, 1);
  EXPECT_THAT(turned.err, HasSubstr("the cosine of output"));
  const ProgramRun missed =
      run("compare net.onnx out.onnx --synthetic 3 --min-sqnr 150 --min-agreement 100.5 --json");
  EXPECT_EQ(missed.code, 1);
  EXPECT_THAT(missed.err, HasSubstr("less than 150"));
  EXPECT_THAT(missed.err, HasSubstr("less than 100.5"));
  EXPECT_EQ(parse_json(missed.out, "answer")["samples"], 3) << "the answer is given all the same";
}

TEST_F(Commands, CompareFindsAModelEqualToItself) {
  const Json json =
      answer("compare net.onnx net.onnx --synthetic 2 --min-sqnr 200 --min-agreement 100");
  EXPECT_EQ(json["sqnr_db"], 200.0);
  EXPECT_EQ(json["agreement"], 100.0);
}

TEST_F(Commands, EvaluateCountsLabels) {
  std::filesystem::create_directory(folder_ / "images");
  write_bytes(folder_ / "images/a.ppm",
              "P6\n8 8\n255\n" + std::string(std::size_t{8} * 8 * 3, '\x40'));
  double right = 0.0;
  for (int label = 0; label < 10; ++label) {
    write_bytes(folder_ / "labels.txt", "a.ppm " + std::to_string(label) + "\n");
    const Json json =
        answer("evaluate net.onnx --data images --labels labels.txt --preprocess scale=0.0039");
    EXPECT_THAT(keys_of(json), ElementsAre("samples", "top1", "top5"));
    EXPECT_EQ(json["samples"], 1);
    EXPECT_GE(json["top5"], json["top1"]);
    right += json["top1"].get<double>();
  }
  EXPECT_EQ(right, 100.0) << "exactly one of the ten labels is right";
}

TEST_F(Commands, BenchTimesModelsSideBySide) {
  ASSERT_EQ(run("quantize net.onnx -o out.onnx --synthetic 4").code, 0);
  const Json json = answer("bench net.onnx out.onnx --runs 3 --warmup 1");
  ASSERT_EQ(json["models"].size(), 2U);
  for (const Json& model : json["models"]) {
    EXPECT_THAT(keys_of(model),
                ElementsAre("file", "median_ms", "p10_ms", "p90_ms", "ratio", "size", "peak_mb"));
    EXPECT_LE(model["p10_ms"], model["median_ms"]);
    EXPECT_LE(model["median_ms"], model["p90_ms"]);
    EXPECT_GT(model["peak_mb"], 1.0);
  }
  EXPECT_EQ(json["models"][0]["ratio"], 1.0);
  EXPECT_EQ(json["models"][1]["size"], std::filesystem::file_size(folder_ / "out.onnx"));
}

TEST_F(Commands, MethodsListsWhatThisBuildKnows) {
  const Json json = answer("methods");
  EXPECT_THAT(keys_of(json),
              ElementsAre("clip", "rounding", "recipes", "operators", "targets", "lint_targets"));
  EXPECT_THAT(json["clip"].get<std::vector<std::string>>(),
              ElementsAre("max", "mse", "mse-hist", "aciq", "kl", "percentile", "ratio"));
  EXPECT_THAT(run("methods").out, HasSubstr("clip methods\n"));
  EXPECT_THAT(run("methods --markdown").out, HasSubstr("| `weight_bits` |"));
}

TEST_F(Commands, HelpWithExamples) {
  for (const char* command :
       {"quantize", "inspect", "evaluate", "compare", "bench", "merge", "methods", "sweep"}) {
    const ProgramRun help = run(std::string(command) + " --help");
    EXPECT_EQ(help.code, 0);
    EXPECT_THAT(help.out, HasSubstr(std::string("Examples:\n  ocs ") + command));
    for (const char* option : {"--json", "--quiet", "--verbose", "--threads"})
      EXPECT_THAT(help.out, HasSubstr(option)) << command;
  }
  EXPECT_THAT(run("--help").out, Not(HasSubstr("bench-child")));
}

}  // namespace
}  // namespace ocs
