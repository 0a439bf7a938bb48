// Tables of command lines and what the program says to them (*.txt beside this file):
//
//   # a comment
//   $ ocs inspect missing.onnx
//   2 ocs: missing.onnx: no such file
//
// The line behind the command has the exit code and all of stderr; further lines of stderr follow, each behind two blanks. `...` in
// an expected line stands for anything. Every command runs in a folder with the files that make_files() writes. No command may end
// with code 70 (a bug) or by a signal, and none may leave the file that it was told to write.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/io/model_file.h"
#include "support/folder.h"
#include "support/run_program.h"
#include "support/text_model.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

constexpr auto net = R"(
    input x float[1,3,8,8]; init w float[4,3,3,3] random 1; init v float[4,4,1,1] random 2;
    conv1: a = Conv(x, w); relu1: r = Relu(a); conv2: y = Conv(r, v); output y float[1,4,6,6];)";
constexpr auto quantized_net = R"(
    input x float[1,3,8,8]; init w float[4,3,3,3] random 1; init s float[] {0.1}; init z uint8[] {0};
    quantize1: q = QuantizeLinear(x, s, z); d = DequantizeLinear(q, s, z); conv1: y = Conv(d, w); output y float[1,4,6,6];)";
constexpr auto nan_net = R"(
    input x float[1,2]; init w float[2,2] {1, nan, 3, 4}; fc: y = MatMul(x, w); output y float[1,2];)";
constexpr auto language_net = R"(
    input ids int64[?,?]; input h float[1,?,2]; init e float[4,3] random 1; init w float[1,2,3] random 2; init r float[1,2,2] random 3;
    init d float[2,4] random 4; init one int64[1] {1};
    embed: x = Gather(e, ids); rnn: y, h_out = RNN(x, w, r, , , h) {hidden_size = 2}; squeeze: s = Squeeze(y, one);
    decode: logits = MatMul(s, d); output logits float[?,?,4]; output h_out float[1,?,2];)";

// Statistics of no tensor, from one of two shards.
std::string statistics_of(const std::string& model, const std::string& build, int shard) {
  return R"({"format": "ocs-statistics", "version": 1, "origin": {"model": ")" + model +
         R"(", "version": "0.1.0", "build": ")" + build +
         R"(", "recipe": {"fold_batchnorm": true}, "data": [{"name": "d", "samples": 2, "shards": 2, "held": [)" +
         std::to_string(shard) + R"(]}]}, "samples": 1, "synthetic": false, "tensors": {}})";
}

// Six pixels a side, in PPM: too small for nothing, and no model's shape.
void write_image(const fs::path& file) {
  write_bytes(file, "P6\n6 6\n255\n" + std::string(std::size_t{6} * 6 * 3, 'x'));
}

void make_files(const TestFolder& folder) {
  write_model(text_model(net), folder / "net.onnx");
  write_model(text_model(quantized_net), folder / "quantized.onnx");
  write_bytes(folder / "lstm.onnx", text_model(R"(
      input x float[5,2,6]; init w float[1,16,6] random 1; init r float[1,16,4] random 2; init b float[1,30] random 3;
      l: y = LSTM(x, w, r, b) {hidden_size = 4}; output y float)")
                                        .proto()
                                        .SerializeAsString());
  write_bytes(folder / "nan.onnx", text_model(nan_net).proto().SerializeAsString());
  write_model(text_model(language_net), folder / "language.onnx");
  write_model(text_model(language_net), folder / "named.onnx");
  write_bytes(folder / "named.language.json", R"({"states": {"hidden": "h_out"}})");
  write_bytes(folder / "text.txt", "a b a\nb b\na c\n");
  write_bytes(folder / "vocab.txt", "<eos>\na\nb\nc\n");
  write_bytes(folder / "small_vocab.txt", "<eos>\na\nb\n");
  write_bytes(folder / "large_vocab.txt", "<eos>\na\nb\nc\nd\n");
  const std::string bytes = bytes_of(folder / "net.onnx");
  write_bytes(folder / "truncated.onnx", bytes.substr(0, bytes.size() / 2));
  write_bytes(folder / "empty.onnx", "");
  write_bytes(folder / "text.onnx", "This is no model.\n");
  fs::create_directory(folder / "folder");
  fs::create_directory(folder / "images");
  write_image(folder / "images/a.ppm");
  write_image(folder / "images/b.ppm");
  write_bytes(folder / "labels.txt", "a.ppm 1\n");
  write_bytes(folder / "more_labels.txt", "a.ppm 1\nb.ppm 2\nc.ppm 3\n");
  write_bytes(folder / "unknown_key.json", R"({"weight_bit": 4})");
  write_bytes(folder / "broken.json", "{\"weight_bits\": ");
  write_bytes(folder / "bad_value.json", R"({"weight_bits": 9})");
  write_bytes(folder / "sweep.json", R"({"rows": [{"name": "a"}]})");
  write_bytes(folder / "half.json", statistics_of("aa", "1", 1));
  write_bytes(folder / "other_model.json", statistics_of("bb", "1", 2));
  write_bytes(folder / "other_build.json", statistics_of("aa", "2", 2));
  write_bytes(
      folder / "nameless.json",
      R"({"format": "ocs-statistics", "version": 1, "samples": 1, "synthetic": false, "tensors": {}})");
  fs::create_directory(folder / "other_journal");
  fs::create_directory(folder / "old_journal");
  write_bytes(folder / "other_journal/journal.jsonl", "{\"journal\":2,\"model\":\"aa\"}\n");
  write_bytes(folder / "old_journal/journal.jsonl", "{\"journal\":1,\"model\":\"aa\"}\n");
}

struct Case {
  std::string command{};
  int code = 0;
  std::string err{};
  std::size_t line = 0;
};

std::vector<Case> cases_of(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<Case> cases;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("$ ocs ")) {
      cases.push_back({.command = line.substr(6), .line = number});
    } else if (line.starts_with("  ")) {
      cases.back().err += line.substr(2) + "\n";
    } else {
      const std::size_t blank = line.find(' ');
      cases.back().code = std::stoi(line.substr(0, blank));
      cases.back().err = line.substr(blank + 1) + "\n";
    }
  }
  return cases;
}

// `...` stands for any characters but a line break.
bool fits(std::string_view pattern, std::string_view text) {
  const std::size_t gap = pattern.find("...");
  if (gap == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, gap))) return false;
  const std::string_view rest = pattern.substr(gap + 3);
  for (std::size_t at = gap; at <= text.size(); ++at) {
    if (fits(rest, text.substr(at))) return true;
    if (at < text.size() && text[at] == '\n') return false;
  }
  return false;
}

class ErrorTable : public testing::TestWithParam<std::string> {};

TEST_P(ErrorTable, IsKept) {
  const TestFolder folder;
  make_files(folder);
  const std::vector<std::string> before = folder.names();
  const std::vector<Case> cases =
      cases_of(fs::path(OCS_SOURCE_DIR) / "tests/error" / (GetParam() + ".txt"));
  ASSERT_FALSE(cases.empty());
  for (const Case& each : cases) {
    const ProgramRun run =
        run_program(OCS_BINARY_DIR "/ocs", shell_words(each.command), folder.path());
    EXPECT_EQ(run.code, each.code) << GetParam() << ".txt:" << each.line << ": " << each.command;
    EXPECT_TRUE(fits(each.err, run.err))
        << GetParam() << ".txt:" << each.line << ": " << each.command << "\nexpected: " << each.err
        << "got:      " << run.err;
    EXPECT_NE(run.code, 70) << "a bug of ours";
    EXPECT_LT(run.code, 128) << "ended by a signal";
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(folder.names(), before) << each.command << " left something behind";
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, ErrorTable,
                         testing::Values("arguments", "models", "recipes", "data", "outputs",
                                         "sweeps", "tune"),
                         [](const auto& instance) { return instance.param; });

TEST(ErrorAnswer, IsJsonToo) {
  const TestFolder folder;
  const ProgramRun run =
      run_program(OCS_BINARY_DIR "/ocs", {"inspect", "missing.onnx", "--json"}, folder.path());
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "ocs: missing.onnx: no such file\n");
  EXPECT_EQ(run.out, "{\n  \"error\": \"missing.onnx: no such file\",\n  \"code\": 2\n}\n");
}

TEST(ErrorAnswer, IsGivenWhereStdoutIsFull) {
  const TestFolder folder;
  const ProgramRun run =
      run_program(OCS_BINARY_DIR "/ocs", {"methods"}, folder.path(), "/dev/full");
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err, "ocs: the answer cannot be written to stdout: No space left on device\n");
}

// Files of the program may be as large as `kilobytes`; those in memory too.
ProgramRun run_with_limit(const TestFolder& folder, int kilobytes) {
  const std::string limit = "ulimit -f " + std::to_string(2 * kilobytes);
  return run_program("/bin/sh",
                     {"-c", limit + "; exec '" OCS_BINARY_DIR "/ocs' quantize '" OCS_SOURCE_DIR
                                    "/data/resnet20_cifar10.onnx' -o q.onnx --synthetic 2"},
                     folder.path());
}

TEST(FilesBeyondALimit, AreAnErrorOfTheFileAndNotTheEndOfTheProgram) {
  const TestFolder folder;
  std::ofstream(folder / "q.onnx") << "of before";
  const ProgramRun run = run_with_limit(folder, 100);
  EXPECT_EQ(run.code, 2) << run.err;
  EXPECT_NE(run.err.find("q.onnx: cannot be written: File too large"), std::string::npos)
      << run.err;
  EXPECT_EQ(folder.names(), std::vector<std::string>{"q.onnx"});
  EXPECT_EQ(fs::file_size(folder / "q.onnx"), 9U);
}

// The engine's optimized graph is larger than what the user asked for: calibration goes on without it.
TEST(FilesBeyondALimit, OfOursAreDoneWithout) {
  const TestFolder folder;
  const ProgramRun run = run_with_limit(folder, 600);
  EXPECT_EQ(run.code, 0) << run.err;
  const TestFolder free_folder;
  (void)run_with_limit(free_folder, 1000000);
  std::ifstream limited(folder / "q.onnx", std::ios::binary);
  std::ifstream unlimited(free_folder / "q.onnx", std::ios::binary);
  EXPECT_TRUE(std::equal(std::istreambuf_iterator<char>(limited), {},
                         std::istreambuf_iterator<char>(unlimited), {}));
}

}  // namespace
}  // namespace ocs
