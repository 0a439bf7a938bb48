// All passes in the order of `quantize`, on every model of ../shared: the outputs stay, and every
// BatchNormalization behind a node with a weight is folded.
#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/verify.h"
#include "ocs/passes/passes.h"
#include "passes/same_outputs.h"
#include "support/models.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

struct RealModel {
  std::string file{};
  int batchnorms = 0;  // all of them can be folded
  std::int64_t free_extent = 1;
  NamedTensors inputs{};  // in place of random ones
};

void PrintTo(const RealModel& model, std::ostream* out) { *out << model.file; }

// The sums of these networks have up to some thousand terms, of rows that were scaled in another
// place, through up to a hundred layers: 3e-6 is the most that was seen.
constexpr double network_rounding = 2e-5;

// The sample rate picks the branch; the other branch works on other shapes.
NamedTensors voice_inputs() {
  return {{"input", random_tensor({1, 576}, 1)},
          {"state", random_tensor({2, 1, 128}, 2)},
          {"sr", {.values = std::vector<std::int64_t>{16000}}}};
}

class RealModels : public testing::TestWithParam<RealModel> {
 protected:
  static Model load(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    onnx::ModelProto proto;
    EXPECT_TRUE(proto.ParseFromIstream(&in)) << file;
    return Model(std::move(proto), file);
  }

  // Of the model `before`, for the engine.
  static NamedTensors inputs_of(const Model& before) {
    NamedTensors inputs = random_inputs(before, 7, GetParam().free_extent);
    for (const auto& [name, tensor] : GetParam().inputs) inputs[name] = tensor;
    return inputs;
  }

  static int count(const Model& model, const std::string& op) {
    const auto types = op_types(model);
    return static_cast<int>(std::ranges::count(types, op));
  }

  // Lets the caller look at each step.
  template <typename Look>
  static Model run_passes(Model model, std::int64_t opset, Look&& look) {
    const auto keep = [&](const char* step, PassResult result) {
      SCOPED_TRACE(step);
      verify(result.model);
      look(step, result.model);
      return std::move(result.model);
    };
    model = keep("name_nodes", name_nodes(std::move(model)));
    model = keep("name_values", name_values(std::move(model)));
    model = keep("widen_to_float", widen_to_float(std::move(model)));
    model = keep("upgrade_opset", upgrade_opset(std::move(model), opset));
    model = keep("lift_constants", lift_constants(std::move(model)));
    model = keep("normalize_gemm", normalize_gemm(std::move(model)));
    model = keep("fold_batchnorm", fold_batchnorm(std::move(model), false).pass);
    return keep("prune", prune(std::move(model)));
  }
};

TEST_P(RealModels, GiveTheSameOutputsBehindAllPasses) {
  const fs::path file = fs::path(OCS_SOURCE_DIR) / "../shared/data/models" / GetParam().file;
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
  const Model before = load(file);
  EXPECT_EQ(count(before, "BatchNormalization"), GetParam().batchnorms);
  for (const std::int64_t opset : {13, 21, 25}) {
    SCOPED_TRACE(opset);
    const Model after = run_passes(before.clone(), opset, [](std::string_view, const Model&) {});
    EXPECT_EQ(count(after, "BatchNormalization"), 0);
    EXPECT_EQ(count(after, "Constant"), 0);
    expect_same_outputs(before, after, network_rounding, inputs_of(before));
  }
}

// Only folding and normalizing may move a value at all: the others keep every bit.
TEST_P(RealModels, KeepEveryBitUntilWeightsAreFolded) {
  const fs::path file = fs::path(OCS_SOURCE_DIR) / "../shared/data/models" / GetParam().file;
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
  const Model before = load(file);
  run_passes(before.clone(), 13, [&](std::string_view step, const Model& model) {
    if (step == "lift_constants") expect_same_outputs(before, model, 0.0, inputs_of(before));
  });
}

INSTANTIATE_TEST_SUITE_P(
    Shared, RealModels,
    testing::Values(RealModel{"lstm_wikitext2.onnx", 0, 4},
                    RealModel{"mobilenet_v1_0.75_224.onnx", 27}, RealModel{"mobilenet_v2.onnx", 0},
                    RealModel{"resnet20_cifar10.onnx", 21}, RealModel{"resnet50.onnx", 53},
                    RealModel{"squeezenet1.1.onnx", 0}, RealModel{"wild/dtln_1.onnx", 0},
                    RealModel{"wild/ppocr_cls.onnx", 35}, RealModel{"wild/ppocrv4_det.onnx", 3},
                    RealModel{"wild/silero_vad_v5.onnx", 0, 1, voice_inputs()},
                    RealModel{"wild/ultraface_rfb_320.onnx", 35},
                    RealModel{"wild/yolox_nano.onnx", 0}),
    [](const auto& instance) {
      std::string name = fs::path(instance.param.file).stem().string();
      std::ranges::replace_if(
          name, [](char c) { return std::isalnum(c) == 0; }, '_');
      return name;
    });

}  // namespace
}  // namespace ocs
