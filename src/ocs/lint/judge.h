// The verdict on one node, in the graph as the engine sees it when it looks for integer kernels.
#pragma once

#include <set>
#include <string>

#include "ocs/lint/known_shapes.h"
#include "ocs/lint/surroundings.h"
#include "ocs/lint/targets.h"
#include "ocs/lint/working_graph.h"

namespace ocs {

struct JudgeInput {
  const WorkingGraph& graph;
  const std::set<std::string, std::less<>>&
      integers;               // integer_values of the graph before the rewrites
  const KnownShapes& shapes;  // likewise
  const LintTarget& target;
  std::int64_t opset = 0;
};

[[nodiscard]] Verdict judge(const JudgeInput& input, const Step& step);

// Those with rules of their own; `around` is what surroundings_of says.
[[nodiscard]] Verdict judge_conv(const JudgeInput& input, const Step& step,
                                 const Surroundings& around);
[[nodiscard]] Verdict judge_matmul(const JudgeInput& input, const Step& step,
                                   const Surroundings& around);
[[nodiscard]] Verdict judge_gemm(const JudgeInput& input, const Step& step,
                                 const Surroundings& around);

// Data of 16 bits: the engine gives them to MatMulNBits as floats.
[[nodiscard]] bool is_wide(const Step* data);

// A product of float data, or wide ones, with quantized weights.
[[nodiscard]] Verdict judge_weights_only(const JudgeInput& input, const Step& step,
                                         const Surroundings& around);

// MatMulNBits as it stands in the model: zero points that are not packed as the kernel unpacks them, which keep the model from loading.
[[nodiscard]] Verdict judge_stored_nbits(const JudgeInput& input, const Step& step);

// The Add of a vector behind a product that runs as MatMulNBits is the bias of that kernel.
[[nodiscard]] bool adds_bias_of_nbits(const JudgeInput& input, const Step& add);

// How the kernel takes the scales of the weights of a Conv, MatMul or Gemm that is integer in all else: in float, refused, or a warning.
// What is not known, or not constant, is not judged.
[[nodiscard]] Verdict judge_weight_scales(const JudgeInput& input, const Step& layer,
                                          const Surroundings& around);
// The same for scales and zero points of its data and results, of any operator that wants one of each.
[[nodiscard]] Verdict judge_data_scales(const Step& step, const Surroundings& around);
// The same for the weights of an operator of the QOperator form.
[[nodiscard]] Verdict judge_stored_scales(const JudgeInput& input, const Step& step);

// Scales of 16 bits: the engine puts casts to float around what it has no such kernel for, and then sees no pairs.
[[nodiscard]] Verdict judge_scale_type(const Surroundings& around);

// What ONNX says against the scales and zero points of a QuantizeLinear or DequantizeLinear, "" where nothing or where extents are not
// known. The engine opens such a model and fails when it runs the node.
[[nodiscard]] std::string misfit(const WorkingGraph& graph, const Step& pair,
                                 const KnownShapes& shapes);

// A type of integers that the opset has not.
[[nodiscard]] Verdict judge_refusal(const JudgeInput& input, const Surroundings& around);

// The first complaint about 16 or fewer than 8 bits, "integer kernel" where there is none. `what`: "its data", "its weights".
[[nodiscard]] Verdict judge_width(const Step& dequantize, std::string_view what);
[[nodiscard]] Verdict float_input(const JudgeInput& input, const Step& step,
                                  const Surroundings& around);

}  // namespace ocs
