#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/verify.h"
#include "ocs/passes/passes.h"
#include "ocs/pipeline/quantize.h"

namespace ocs {
namespace {

bool is_quantized_operator(const std::string& op_type) {
  static const std::set<std::string, std::less<>> exact{"QuantizeLinear",
                                                        "DequantizeLinear",
                                                        "DynamicQuantizeLinear",
                                                        "ConvInteger",
                                                        "MatMulInteger",
                                                        "MatMulNBits",
                                                        "QGemm",
                                                        "QAttention",
                                                        "DynamicQuantizeMatMul",
                                                        "DynamicQuantizeLSTM",
                                                        "MatMulIntegerToFloat"};
  return exact.contains(op_type) || op_type.starts_with("QLinear");
}

void refuse_quantized(const onnx::GraphProto& graph) {
  for (const onnx::NodeProto& node : graph.node()) {
    if (is_quantized_operator(node.op_type())) {
      const std::string name =
          node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
      throw_bad_input(
          fmt::format("node '{}' is a {}: the model is quantized already", name, node.op_type()));
    }
    for (const onnx::AttributeProto& attribute : node.attribute())
      if (attribute.has_g()) refuse_quantized(attribute.g());
  }
}

bool has_override(const Recipe& recipe, std::string_view key,
                  const std::function<bool(const std::string&)>& test) {
  return std::ranges::any_of(recipe.overrides, [&](const Override& change) {
    return change.key == key && test(change.value);
  });
}

// What tensors of integers of fewer than 8 bits, and blocks, ask for; 13 without.
std::int64_t opset_of_weights(const Recipe& recipe) {
  const auto is_block = [](const std::string& value) { return value.starts_with("block"); };
  const bool has_blocks = recipe.weight_granularity == Granularity::block ||
                          has_override(recipe, "weight_granularity", is_block);
  const bool packs = recipe.weight_storage == WeightStorage::packed ||
                     (recipe.weight_storage == WeightStorage::automatic && has_blocks);
  const auto is_two = [](const std::string& value) { return value == "2"; };
  if (packs && (recipe.weight_bits == 2 || has_override(recipe, "weight_bits", is_two))) return 25;
  return packs || has_blocks ? 21 : 13;
}

// Lowest opset that holds what the recipe writes: 13 for per-channel DequantizeLinear, 21 for
// 16-bit activations, blocks and int4, 25 for int2.
std::int64_t needed_opset(const Recipe& recipe) {
  const bool has_wide =
      recipe.act_bits.value_or(8) > 8 ||
      has_override(recipe, "act_bits", [](const std::string& value) { return value == "16"; });
  const std::int64_t needed = std::max<std::int64_t>(has_wide ? 21 : 13, opset_of_weights(recipe));
  if (recipe.opset != 0 && recipe.opset < needed)
    throw_bad_input(
        fmt::format("opset {} is too low: this recipe needs opset {}", recipe.opset, needed));
  return std::max<std::int64_t>(needed, recipe.opset);
}

}  // namespace

Prepared prepare(Model model, const Recipe& recipe, const Observer& observe) {
  refuse_quantized(model.graph());
  const std::int64_t opset = needed_opset(recipe);
  Prepared prepared;
  const auto keep = [&](std::string_view step, PassResult result) {  // verified, told, notes kept
    verify(result.model);
    if (observe) observe(step, result.model);
    std::ranges::move(result.notes, std::back_inserter(prepared.notes));
    return std::move(result.model);
  };
  model =
      keep("name_nodes", name_nodes(std::move(model)));  // plan and report refer to nodes by name
  // Before all that looks values up by their names, bodies included.
  model = keep("name_values", name_values(std::move(model)));
  model = keep("widen_to_float", widen_to_float(std::move(model)));
  model = keep("upgrade_opset", upgrade_opset(std::move(model), opset));
  // After the upgrade: its rules add constants. Before the fold: it wants initializers.
  model = keep("lift_constants", lift_constants(std::move(model)));
  // Before the fold: the unfolded weight that it remembers must have the layout of the folded one.
  model = keep("normalize_gemm", normalize_gemm(std::move(model)));
  model = keep("state_kernels", state_kernels(std::move(model)));
  // In every recipe: the activations that calibration sees are the same, folded or not. Where the
  // recipe says "off", the weights are rounded as they were stored and the fold goes into the row
  // scales.
  FoldResult folded = fold_batchnorm(std::move(model), !recipe.fold_batchnorm);
  model = keep("fold_batchnorm", std::move(folded.pass));
  prepared.normals = std::move(folded.normals);
  if (!recipe.fold_batchnorm) {
    const Graph graph(model);
    for (auto& [node, absorbed] : folded.absorbed) {
      prepared.unfolded[node] = {.weight = read_tensor(graph, absorbed.unfolded_weight),
                                 .multiplier = std::move(absorbed.multiplier)};
    }
  }
  model = keep("prune", prune(std::move(model)));
  prepared.model = std::move(model);
  return prepared;
}

}  // namespace ocs
