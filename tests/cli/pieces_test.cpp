// A model whose weights are larger than what is read at once: ocs quantize with a few layers in memory.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/json.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/io/model_file.h"
#include "support/folder.h"
#include "support/run_program.h"
#include "support/text_model.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t side = 8192;
constexpr std::uint64_t bytes_of_a_weight = std::uint64_t{4} * side * side;  // 256 MB

// Zeros but for the first value, in a file with a hole: it takes no room on the disk.
class Pieces : public testing::Test {
 protected:
  void make(const std::string& data) {
    Model model = text_model(
        "input x float[1, 8192]; init w float[1] ones; mat: y = MatMul(x, w); output y float[1, "
        "8192];");
    onnx::TensorProto& weight = *model.graph().mutable_initializer(0);
    weight.clear_raw_data();
    weight.set_dims(0, side);
    weight.add_dims(side);
    weight.set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = weight.add_external_data();
    entry->set_key("location");
    entry->set_value(data);
    write_model(model, folder_ / "net.onnx");
    const float value = 2.54F;
    std::ofstream(folder_ / data, std::ios::binary)
        .write(reinterpret_cast<const char*>(&value), sizeof(value));
    fs::resize_file(folder_ / data, bytes_of_a_weight);
  }
  [[nodiscard]] ProgramRun quantize(const std::string& words) const {
    return run_program(OCS_BINARY_DIR "/ocs",
                       shell_words("quantize net.onnx --recipe weights-only --json " + words),
                       folder_.path());
  }
  TestFolder folder_;
};

TEST_F(Pieces, GoStraightIntoTheFileOfWeights) {
  make("net.data");
  const ProgramRun run = quantize("-o out.onnx");
  ASSERT_EQ(run.code, 0) << run.err;
  EXPECT_THAT(folder_.names(), ElementsAre("net.data", "net.onnx", "out.onnx", "out.onnx.data"));
  // The weight alone; scales lie beside it, since there are many.
  const std::uint64_t integers = bytes_of_a_weight / 4;
  EXPECT_GE(fs::file_size(folder_ / "out.onnx.data"), integers);
  EXPECT_LE(fs::file_size(folder_ / "out.onnx.data"), integers + 100'000);
  const Json report = Json::parse(run.out);
  EXPECT_GE(report["size"]["before"].get<std::uint64_t>(), bytes_of_a_weight);
  EXPECT_LE(report["size"]["after"].get<std::uint64_t>(), integers + 200'000);
  const Model model = read_model(folder_ / "out.onnx", 0);
  const Tensor levels = read_tensor(Graph(model), "w_quantized");
  EXPECT_EQ(levels.as<std::int8_t>()[0], 127);
  EXPECT_EQ(levels.as<std::int8_t>()[1], 0);
}

TEST_F(Pieces, DoNotReplaceTheWeightsThatAreRead) {
  make("out.onnx.data");
  const ProgramRun run = quantize("-o out.onnx");
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.err + run.out,
              HasSubstr("-o out.onnx: its weights would go to out.onnx.data, where those of "
                        "the model lie that is read"));
  EXPECT_THAT(folder_.names(), ElementsAre("net.onnx", "out.onnx.data"));
  EXPECT_EQ(fs::file_size(folder_ / "out.onnx.data"), bytes_of_a_weight);
}

TEST_F(Pieces, WithNothingToQuantizeAreTheModelAsItWas) {
  make("net.data");
  const ProgramRun run = quantize("-o out.onnx --keep-float 'mat'");
  ASSERT_EQ(run.code, 0) << run.err;
  const Model model = read_model(folder_ / "out.onnx", 0);
  EXPECT_EQ(model.graph().node_size(), 1);
  EXPECT_EQ(read_tensor(Graph(model), "w").as<float>()[0], 2.54F);
}

}  // namespace
}  // namespace ocs
