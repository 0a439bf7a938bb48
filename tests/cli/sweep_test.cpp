// ocs sweep as a user runs it.
#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/json.h"
#include "ocs/io/model_file.h"
#include "support/cifar.h"
#include "support/folder.h"
#include "support/run_program.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SweepCommand : public testing::Test {
 protected:
  SweepCommand() {
    write_model(text_model(small_classifier), folder_ / "net.onnx");
    write_bytes(folder_ / "data.bin", cifar_pictures(40));
    write_bytes(folder_ / "s.json", R"({
        "model": "net.onnx", "calib": "data.bin", "calib_format": "cifar10", "data": "data.bin", "format": "cifar10",
        "preprocess": "scale=1/127.5,mean=1", "recipe": "paper", "count": 30,
        "rows": [{"name": "3", "weight_bits": 3}, {"name": "2", "weight_bits": 2}],
        "columns": [{"name": "none"}, {"name": "kl", "weight_clip": "kl"}]})");
    write_bytes(folder_ / "best.json", R"({
        "model": "net.onnx", "calib": "data.bin", "calib_format": "cifar10", "data": "data.bin", "format": "cifar10",
        "preprocess": "scale=1/127.5,mean=1", "recipe": "paper", "count": 30,
        "rows": [{"name": "3", "weight_bits": 3}, {"name": "2", "weight_bits": 2}],
        "columns": [{"name": "none"}, {"name": "kl", "weight_clip": "kl"},
                    {"name": "best", "best_of": ["none", "kl"], "expand_ratio": 0.2}]})");
  }
  [[nodiscard]] ProgramRun run(const std::string& words) const {
    return run_program(OCS_BINARY_DIR "/ocs", shell_words(words), folder_.path());
  }
  Json answer(const std::string& words) const {
    const ProgramRun result = run(words + " --json --quiet");
    EXPECT_EQ(result.code, 0) << words << ": " << result.err;
    return parse_json(result.out, "answer of " + words);
  }
  TestFolder folder_;
};

TEST_F(SweepCommand, SaysWhatQuantizeAndEvaluateSay) {
  const Json sweep = answer("sweep s.json -o out");
  EXPECT_EQ(sweep["computed"], 5);
  const std::string data = " --format cifar10 --preprocess scale=1/127.5,mean=1";
  for (const Json& point : sweep["points"]) {
    const std::string options = " --weight-bits " + point["row"].get<std::string>() +
                                " --weight-clip " + (point["column"] == "kl" ? "kl" : "max");
    const Json report =
        answer("quantize net.onnx -o q.onnx --recipe paper --calib data.bin" + data + options);
    const Json accuracy = answer("evaluate q.onnx --data data.bin --count 30 --format cifar10");
    EXPECT_EQ(point["top1"], accuracy["top1"]) << options;
    EXPECT_EQ(point["top5"], accuracy["top5"]) << options;
    EXPECT_EQ(point["sqnr_db"], report["measured"]["sqnr_db"]) << options;
  }
}

TEST_F(SweepCommand, WritesTablesAndGoesOnWhereItWasCut) {
  const ProgramRun first = run("sweep s.json -o out --jobs 1");
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("2/5 3, none, top-1 "));
  EXPECT_EQ(first.out, bytes_of(folder_ / "out/table.md"));
  EXPECT_THAT(bytes_of(folder_ / "out/table.csv"), HasSubstr("\n\"2\",\"kl\",\"\","));

  EXPECT_THAT(bytes_of(folder_ / "out/plot.svg"), HasSubstr("</svg>"));

  const std::string journal = bytes_of(folder_ / "out/journal.jsonl");
  write_bytes(folder_ / "out/journal.jsonl", journal.substr(0, journal.size() - 30));
  const ProgramRun second = run("sweep s.json -o out --jobs 1");
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("the last line of the journal was cut off"));
  EXPECT_THAT(second.err, HasSubstr("5/5 2, kl, top-1 "));
  EXPECT_THAT(second.err, Not(HasSubstr("4/5")));
  EXPECT_EQ(second.out, first.out);
}

// The figures of table.csv but for the two last: the times.
std::string without_times(const std::string& csv) {
  std::string kept;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    line.resize(line.rfind(',', line.rfind(',') - 1));
    kept += line + "\n";
  }
  return kept;
}

TEST_F(SweepCommand, IsTheSameFromShards) {
  for (const std::string spec : {"s.json", "best.json"}) {
    const ProgramRun whole = run("sweep " + spec + " -o whole-" + spec + " --quiet");
    ASSERT_EQ(whole.code, 0) << whole.err;
    std::string parts;
    for (const std::string index : {"3", "1", "2"}) {
      const std::string part = "part" + index + "-" + spec;
      const Json shard = answer("sweep " + spec + " -o " + part + " --shard " + index + "/3");
      EXPECT_EQ(shard["shard"], index + "/3");
      EXPECT_FALSE(std::filesystem::exists(folder_ / (part + "/table.md")));
      parts += " " + part;
    }
    answer("merge" + parts + " -o all-" + spec);
    const ProgramRun merged = run("sweep " + spec + " -o all-" + spec);
    EXPECT_THAT(merged.err, Not(HasSubstr("top-1"))) << "a point was computed again";
    EXPECT_EQ(merged.out, whole.out);
    EXPECT_EQ(without_times(bytes_of(folder_ / ("all-" + spec + "/table.csv"))),
              without_times(bytes_of(folder_ / ("whole-" + spec + "/table.csv"))));
  }
}

TEST_F(SweepCommand, KeepsAShardInAFolderOfItsOwn) {
  answer("sweep s.json -o part --shard 1/2");
  EXPECT_THAT(run("sweep s.json -o part --shard 2/2").err,
              HasSubstr(R"(holds points of another shard ("1/2", now "2/2"))"));
  EXPECT_THAT(run("merge part -o all").err, HasSubstr("shard 2/2 of the sweep is missing"));
  EXPECT_EQ(answer("sweep s.json -o part --shard 1/2")["computed"], 0);
}

TEST_F(SweepCommand, TakesPathsFromTheCommandLine) {
  write_bytes(folder_ / "t.json", R"({"rows": [{"name": "a", "act_bits": "float"}]})");
  const Json sweep = answer("sweep t.json -o out --model net.onnx");
  EXPECT_EQ(sweep["points"][0]["top1"], nullptr);
  EXPECT_EQ(sweep["points"][0]["weights"], 1.0);
}

TEST_F(SweepCommand, MeasuresPerplexity) {
  write_model(text_model(R"(
      input ids int64[?,?]; init e float[4,3] random 1; init w float[3,4] random 2;
      embed: x = Gather(e, ids); decode: logits = MatMul(x, w); output logits float[?,?,4];)"),
              folder_ / "words.onnx");
  write_bytes(folder_ / "vocab.txt", "<eos>\n<unk>\na\nb\n");
  write_bytes(folder_ / "text.txt", "a b a\nb b a\na\nb\n");
  write_bytes(folder_ / "t.json", R"({
      "model": "words.onnx", "data": "text.txt", "vocab": "vocab.txt", "batch": 2, "window": 3,
      "recipe": "weights-only", "rows": [{"name": "4", "weight_bits": 4, "count": 10}]})");
  const Json sweep = answer("sweep t.json -o out");
  const auto evaluate = [&](const std::string& model, const std::string& options) {
    return answer("evaluate " + model +
                  " --metric perplexity --data text.txt --vocab vocab.txt --batch 2 --window 3" +
                  options)["perplexity"];
  };
  EXPECT_EQ(sweep["float"]["perplexity"], evaluate("words.onnx", ""));
  ASSERT_EQ(run("quantize words.onnx -o q.onnx --recipe weights-only --weight-bits 4").code, 0);
  EXPECT_EQ(sweep["points"][0]["perplexity"], evaluate("q.onnx", " --count 10"));
}

}  // namespace
}  // namespace ocs
