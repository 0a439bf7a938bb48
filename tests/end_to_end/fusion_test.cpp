// With 8-bit weights the engine runs every Conv and Gemm on integers: its own optimized graph says so.
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shared_models.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"
#include "support/optimized.h"

namespace ocs {
namespace {

std::map<std::string, int> count_operators(const Model& model) {
  std::map<std::string, int> counts;
  for (const onnx::NodeProto& node : model.graph().node()) ++counts[node.op_type()];
  return counts;
}

class Fusion : public testing::TestWithParam<std::string> {};

TEST_P(Fusion, RunsEveryConvAndGemmOnIntegers) {
  SKIP_WITHOUT_SHARED_DATA();
  const std::map<std::string, int> real = count_operators(shared_model(GetParam()));
  const Quantized quantized = quantize_shared(GetParam(), Recipe{.measure_count = 0}, 8);
  std::map<std::string, int> optimized = count_operators(optimized_by_engine(quantized.model));
  EXPECT_EQ(optimized["Conv"], 0);
  EXPECT_EQ(optimized["FusedConv"], 0);
  EXPECT_EQ(optimized["Gemm"], 0);
  EXPECT_EQ(optimized["FusedGemm"], 0);
  EXPECT_EQ(optimized["QLinearConv"], real.at("Conv"));
  EXPECT_EQ(optimized["QGemm"], real.contains("Gemm") ? real.at("Gemm") : 0);
}

INSTANTIATE_TEST_SUITE_P(Models, Fusion,
                         testing::Values("resnet20_cifar10", "squeezenet1.1",
                                         "mobilenet_v1_0.75_224", "mobilenet_v2", "resnet50"),
                         [](const auto& name) {
                           std::string text = name.param;
                           for (char& c : text) c = c == '.' ? '_' : c;
                           return text;
                         });

}  // namespace
}  // namespace ocs
