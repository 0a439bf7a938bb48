#include "ocs/recipe/target_form.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::array forms{
    TargetForm{.name = "ort-cpu",
               .engine = "ONNX Runtime on any x86-64 or arm64 processor",
               .guards_16_bits = true},
    TargetForm{.name = "ort-cpu-vnni",
               .engine = "ONNX Runtime on processors that add 8-bit products in 32 bits"},
    TargetForm{.name = "ort-cpu-avx2",
               .engine = "ONNX Runtime on x86-64 without VNNI",
               .guards_16_bits = true},
    TargetForm{.name = "ort-arm", .engine = "ONNX Runtime on arm64"},
    TargetForm{
        .name = "openvino", .engine = "OpenVINO on any Intel processor", .guards_16_bits = true},
    TargetForm{.name = "tensorrt",
               .engine = "TensorRT: int8 around zero, float biases",
               .signed_activations = true,
               .bias = BiasForm::float32},
    TargetForm{.name = "qnn",
               .engine = "Qualcomm QNN: results that leave the graph are quantized too, inputs "
                         "have fixed extents",
               .quantizes_results = true,
               .takes_free_extents = false},
    TargetForm{.name = "vitis",
               .engine = "AMD Vitis AI: int8 around zero, one scale a tensor, a power of two, "
                         "inputs of fixed extents",
               .signed_activations = true,
               .one_weight_scale = true,
               .powers_of_two = true,
               .bias = BiasForm::int8,
               .quantizes_results = true,
               .takes_free_extents = false},
};

}  // namespace

std::span<const TargetForm> target_forms() { return forms; }

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const TargetForm& form : forms) names.emplace_back(form.name);
  return names;
}

const TargetForm& target_form(std::string_view name) {
  const auto* const found = std::ranges::find(forms, name, &TargetForm::name);
  if (found == forms.end())
    throw_bad_input(fmt::format("target: no target named '{}'{}", name,
                                did_you_mean_any(std::string(name), target_names())));
  return *found;
}

}  // namespace ocs
