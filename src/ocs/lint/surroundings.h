// What stands around a node: DequantizeLinear in front of each input, QuantizeLinear behind, or what is there instead.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ocs/lint/rules.h"
#include "ocs/lint/working_graph.h"

namespace ocs {

struct Verdict {
  LintRule rule = LintRule::integer_kernel;
  std::string reason{};
  std::string warning{};     // what goes wrong all the same; "": nothing
  std::string saturation{};  // what goes wrong where products are added in 16 bits; "": nothing
};

struct Surroundings {
  std::vector<const Step*>
      in_front{};               // by input: its DequantizeLinear, nullptr where there is none
  std::size_t inputs = 0;       // that are given
  std::size_t dequantized = 0;  // of those
  const Step* behind =
      nullptr;  // the one QuantizeLinear that reads its results, past a Relu or Clip that changes nothing
  Verdict why_none_behind{};  // where there is none
  // Kernels that give floats too, and MatMulNBits, ask for no QuantizeLinear; but a Relu or Clip that is read once must be one that changes
  // nothing ahead of a QuantizeLinear. "integer kernel" where that holds.
  Verdict blocking_clamp{};
  bool has_any_behind = false;  // some reader is a QuantizeLinear

  // The DequantizeLinear of an input; nullptr also where the step has no such input.
  [[nodiscard]] const Step* in_front_of(std::size_t input) const {
    return input < in_front.size() ? in_front[input] : nullptr;
  }
};

[[nodiscard]] Surroundings surroundings_of(const WorkingGraph& graph, const Step& step);

// How a node is called in sentences: "Relu 'relu_1'".
[[nodiscard]] std::string called(const Step& step);

// Functions that networks put behind a layer; ONNX's and com.microsoft's names.
[[nodiscard]] bool is_activation_function(std::string_view op);

}  // namespace ocs
