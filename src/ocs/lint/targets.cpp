#include "ocs/lint/targets.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::string_view ort = "ONNX Runtime 1.32";

constexpr std::int64_t newest_of_ort = 27;
constexpr std::int64_t any_opset = 1000;  // not documented

constexpr std::array targets{
    LintTarget{.name = "ort-cpu",
               .engine = ort,
               .what = "x86-64",
               .newest_opset = newest_of_ort,
               .unverified = "",
               .may_add_in_16_bits = true},
    LintTarget{.name = "ort-cpu-vnni",
               .engine = ort,
               .what = "x86-64 with VNNI",
               .newest_opset = newest_of_ort,
               .unverified = ""},
    LintTarget{.name = "ort-cpu-avx2",
               .engine = ort,
               .what = "x86-64 without VNNI: kernels add products in 16 bits",
               .newest_opset = newest_of_ort,
               .unverified = "",
               .adds_in_16_bits = true},
    LintTarget{
        .name = "ort-arm",
        .engine = ort,
        .what = "arm64: int8 activations stay int8",
        .newest_opset = newest_of_ort,
        .unverified =
            "held against the engine with session.qdqisint8allowed=1 on x86-64, not on arm64",
        .signed_is_integer = true},
    LintTarget{
        .name = "openvino",
        .engine = "OpenVINO 2026.4",
        .what = "Intel CPU and GPU",
        .newest_opset = any_opset,
        .unverified = "only Conv, Gemm and MatMul on a CPU are held against the engine, the rest "
                      "is from documents",
        .is_onnx_runtime = false,
        .operators =
            "Add AveragePool Clip Concat Conv ConvTranspose DepthToSpace Gather Gemm "
            "GlobalAveragePool GlobalMaxPool GRU LSTM MatMul MaxPool Mul Pad PRelu ReduceMax "
            "ReduceMean ReduceMin ReduceSum Relu Resize Slice Split Sub Transpose",
        .q_operators = "QLinearConv QLinearMatMul ConvInteger MatMulInteger"},
    LintTarget{.name = "tensorrt",
               .engine = "TensorRT, documents of 10",
               .what = "NVIDIA GPU",
               .newest_opset = any_opset,
               .is_onnx_runtime = false,
               .operators =
                   "Add AveragePool BatchNormalization Clip Concat Conv ConvTranspose Gemm "
                   "GlobalAveragePool MatMul MaxPool Mul Relu Resize Slice Split Transpose"},
    LintTarget{.name = "qnn",
               .engine = "QNN execution provider, documents of 2025",
               .what = "Qualcomm HTP",
               .newest_opset = any_opset,
               .is_onnx_runtime = false,
               .takes_free_extents = false,
               .takes_bodies = false},
    LintTarget{.name = "vitis",
               .engine = "Vitis AI XINT8, documents of 2025",
               .what = "AMD NPU",
               .newest_opset = any_opset,
               .is_onnx_runtime = false,
               .operators = "Add Concat Conv Gemm GlobalAveragePool MaxPool Relu Resize",
               .takes_free_extents = false,
               .takes_bodies = false},
};

}  // namespace

std::span<const LintTarget> lint_targets() { return targets; }

std::vector<std::string> lint_target_names() {
  std::vector<std::string> names;
  for (const LintTarget& target : targets) names.emplace_back(target.name);
  return names;
}

const LintTarget& lint_target(std::string_view name) {
  const auto* const found = std::ranges::find(targets, name, &LintTarget::name);
  if (found == targets.end())
    throw_bad_input(
        fmt::format("no target named '{}'{}", name, did_you_mean_any(name, lint_target_names())));
  return *found;
}

}  // namespace ocs
