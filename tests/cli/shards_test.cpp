// Calibration in parts, as separate processes: ocs quantize --shard and ocs merge.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/json.h"
#include "ocs/io/model_file.h"
#include "support/folder.h"
#include "support/run_program.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

constexpr auto net = R"(
    input x float[N,3,8,8]; init w float[8,3,3,3] random 1; init v float[8,8,1,1] random 2; init f float[8,10] random 3;
    conv1: a = Conv(x, w); relu1: r = Relu(a); conv2: c = Conv(r, v); pool: g = GlobalAveragePool(c); flat: h = Flatten(g);
    fc: y = MatMul(h, f); output y float[N,10];)";

// A grey picture of 8 x 8, cut off behind `values` of its 192 numbers.
std::string ppm(std::size_t values) { return "P6 8 8 255\n" + std::string(values, '\x7f'); }

class Shards : public testing::Test {
 protected:
  Shards() { write_model(text_model(net), folder_ / "net.onnx"); }

  [[nodiscard]] ProgramRun run(const std::string& words) const {
    return run_program(OCS_BINARY_DIR "/ocs", shell_words(words + " --quiet"), folder_.path());
  }
  void make(const std::string& words) const {
    const ProgramRun done = run(words);
    ASSERT_EQ(done.code, 0) << words << ": " << done.err;
  }
  void make_shard(const std::string& shard, const std::string& file,
                  const std::string& more = "") const {
    make("quantize net.onnx --synthetic 7 --shard " + shard + " --save-stats " + file + more);
  }
  [[nodiscard]] std::string bytes(const std::string& file) const {
    return bytes_of(folder_ / file);
  }

  TestFolder folder_;
};

// What a run that failed has kept is of its data and statistics alone.
TEST_F(Shards, CheckpointsAreOfOneModelItsDataAndStatistics) {
  const std::string round =
      "quantize net.onnx -o out.onnx --rounding gptq --checkpoint kept --preprocess "
      "scale=1/127.5,mean=1 ";
  make("quantize net.onnx -o net.int8.onnx --synthetic 7 --save-stats seven.json");
  make("quantize net.onnx -o net.int8.onnx --synthetic 8 --save-stats eight.json");
  const std::filesystem::path pictures = folder_ / "pictures";
  std::filesystem::create_directories(pictures);
  write_bytes(pictures / "a.ppm", ppm(192));
  write_bytes(pictures / "b.ppm", ppm(191));
  EXPECT_EQ(run(round + "--calib pictures --load-stats seven.json").code, 2);
  ASSERT_TRUE(std::filesystem::exists(folder_ / "kept"));
  const auto refused = [&](const std::string& words) {
    const ProgramRun again = run(round + words);
    EXPECT_EQ(again.code, 2) << words;
    EXPECT_THAT(again.err, HasSubstr("kept: is of another model, recipe, data or program"))
        << words;
  };
  refused("--calib pictures --load-stats eight.json");
  refused("--calib pictures --load-stats seven.json --weight-bits 4");
  refused("--synthetic 7 --load-stats seven.json");
  write_bytes(pictures / "b.ppm", ppm(192));
  refused("--calib pictures --load-stats seven.json");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.onnx"));
}

TEST_F(Shards, MergeToTheBytesOfOneProcess) {
  make("quantize net.onnx -o net.int8.onnx --synthetic 7 --save-stats whole.json");
  for (const int count : {1, 2, 3, 7}) {
    std::string forwards;
    std::string backwards;
    for (int index = 1; index <= count; ++index) {
      const std::string file = "part" + std::to_string(index) + ".json";
      make_shard(std::to_string(index) + "/" + std::to_string(count), file,
                 " --threads " + std::to_string(index));
      forwards += " " + file;
      backwards = " " + file + backwards;
    }
    make("merge" + forwards + " -o forwards.json");
    make("merge" + backwards + " -o backwards.json");
    EXPECT_EQ(bytes("forwards.json"), bytes("whole.json")) << count;
    EXPECT_EQ(bytes("backwards.json"), bytes("whole.json")) << count;
  }
}

TEST_F(Shards, MakeTheModelOfOneProcess) {
  const std::string options = " --measure-count 0 --fallback off";
  make("quantize net.onnx -o one.onnx --synthetic 7" + options);
  make_shard("1/2", "1.json");
  make_shard("2/2", "2.json");
  make("merge 1.json 2.json -o all.json");
  make("quantize net.onnx -o many.onnx --load-stats all.json" + options);
  EXPECT_EQ(bytes("many.onnx"), bytes("one.onnx"));
}

TEST_F(Shards, AnswerWithWhatTheyHold) {
  const ProgramRun done =
      run("quantize net.onnx --synthetic 7 --shard 2/2 --save-stats part.json --json");
  EXPECT_EQ(parse_json(done.out, "answer"),
            (Json{{"output", "part.json"}, {"shard", "2/2"}, {"samples", 3}}));
}

// BatchNormalization is folded for the calibration, also where the weights are rounded as they were stored.
TEST_F(Shards, FitEveryRecipe) {
  make_shard("1/2", "1.json");
  make_shard("2/2", "2.json", " --recipe paper");
  make_shard("2/2", "2_int8.json");
  EXPECT_EQ(bytes("2.json"), bytes("2_int8.json"));
  make("merge 1.json 2.json -o all.json");
  make("quantize net.onnx -o paper.onnx --load-stats all.json --recipe paper");
}

TEST_F(Shards, ThatDoNotFitAreRefused) {
  make_shard("1/2", "1.json");
  make_shard("2/2", "2.json");
  make_shard("2/3", "third.json");
  write_bytes(folder_ / "before.json", "kept");
  const auto error = [&](const std::string& parts) {
    const ProgramRun done = run("merge " + parts + " -o before.json");
    EXPECT_EQ(done.code, 2) << parts;
    EXPECT_EQ(bytes("before.json"), "kept") << parts;
    return done.err;
  };
  EXPECT_THAT(error("1.json 1.json"), HasSubstr("1.json: holds shard 1/2, which is in a part"));
  EXPECT_THAT(error("1.json"), HasSubstr("shard 2/2 of the data is missing"));
  EXPECT_THAT(error("1.json third.json"), HasSubstr("third.json: holds one of 3 shards"));
  EXPECT_THAT(run("quantize net.onnx -o out.onnx --load-stats 1.json").err,
              HasSubstr("1.json: shard 2/2 of the data is missing"));

  make("merge 1.json 2.json -o all.json");
  EXPECT_THAT(error("all.json 2.json"), HasSubstr("2.json: holds one of 2 shards"));
  Model other = text_model(net);
  other.proto().set_doc_string("another");
  write_model(other, folder_ / "net.onnx");
  EXPECT_THAT(run("quantize net.onnx -o out.onnx --load-stats all.json").err,
              HasSubstr("all.json: was collected from another model"));
}

}  // namespace
}  // namespace ocs
