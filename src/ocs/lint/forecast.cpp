#include "ocs/lint/forecast.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/graph/walk.h"
#include "ocs/lint/acceptance.h"
#include "ocs/lint/channel_hint.h"
#include "ocs/lint/computing_nodes.h"
#include "ocs/lint/engine_rewrites.h"
#include "ocs/lint/foreign_attribute.h"
#include "ocs/lint/judge.h"
#include "ocs/lint/known_shapes.h"
#include "ocs/lint/node_work.h"
#include "ocs/lint/saturation.h"

namespace ocs {
namespace {

std::string name_of(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return fmt::format("{} of '{}'", node.op_type(), node.output_size() > 0 ? node.output(0) : "");
}

bool is_quantizing(std::string_view op) {
  return op == "QuantizeLinear" || op == "DequantizeLinear" || is_integer_operator(op);
}

class Forecaster {
 public:
  Forecaster(const Model& model, const LintTarget& target) : model_(model), target_(target) {}

  void add_graph(const onnx::GraphProto& graph, const WorkingGraph* outer) {
    WorkingGraph working(graph, model_.file().parent_path(), model_.opset(), outer);
    const auto shapes = shape_values(working);
    const auto integers = integer_values(working);
    std::vector<std::size_t> listed;
    for (std::size_t i = 0; i < working.size(); ++i) {
      result_.is_quantized = result_.is_quantized || is_quantizing(working.step(i).op);
      if (is_computing(working.step(i), shapes)) listed.push_back(i);
    }
    const std::vector<std::string> ops = ops_of(working, listed);
    std::vector<std::optional<std::int64_t>> macs;
    const KnownShapes known = known_shapes(working);
    const KnownShapes certain = certain_shapes(working);
    for (const std::size_t i : listed) macs.push_back(macs_of(known, working.step(i)));
    AbsorbedNodes absorbed;
    if (target_.is_onnx_runtime)
      absorbed = make_engine_rewrites(working, target_.signed_is_integer);
    const JudgeInput input{.graph = working,
                           .integers = integers,
                           .shapes = known,
                           .target = target_,
                           .opset = model_.opset()};
    for (std::size_t i = 0; i < listed.size(); ++i)
      add(input, absorbed, working.step(listed[i]), ops[i], macs[i]);
    if (result_.refusal.empty()) result_.refusal = first_misfit(input, certain);
    for (const onnx::NodeProto& node : graph.node())
      for_each_body(node, [&](const onnx::GraphProto& body) {
        const bool outside = std::exchange(in_body_, true);
        add_graph(body, &working);
        in_body_ = outside;
      });
  }

  [[nodiscard]] LintForecast result() && { return std::move(result_); }

 private:
  // The first QuantizeLinear or DequantizeLinear that the engine cannot run; "": there is none. One that became part of a layer's kernel
  // never runs: the kernel judges its scales.
  [[nodiscard]] std::string first_misfit(const JudgeInput& input, const KnownShapes& shapes) const {
    for (const Step& step : input.graph.steps()) {
      if (step.gone || (!step.is_quantize() && !step.is_dequantize())) continue;
      const std::string why = misfit(input.graph, step, shapes);
      if (why.empty()) continue;
      if (target_.is_onnx_runtime && step.is_dequantize() && is_in_kernel(input, step)) continue;
      return in_body_ ? why + "; it is in a body, and fails where that runs" : why;
    }
    return "";
  }

  static bool is_in_kernel(const JudgeInput& input, const Step& dequantize) {
    const Step* layer = input.graph.only_reader(dequantize.outputs.front());
    return layer != nullptr &&
           (layer->op == "Conv" || layer->op == "MatMul" || layer->op == "Gemm") &&
           judge(input, *layer).rule == LintRule::integer_kernel;
  }

  static std::vector<std::string> ops_of(const WorkingGraph& graph,
                                         const std::vector<std::size_t>& steps) {
    std::vector<std::string> ops;
    for (const std::size_t step : steps) ops.push_back(graph.step(step).op);
    return ops;
  }

  // Of the step that computes it in the end.
  static Verdict verdict_of(const JudgeInput& input, const AbsorbedNodes& absorbed,
                            const Step& step) {
    if (!input.target.is_onnx_runtime) return judge_acceptance(input, step);
    const auto found = absorbed.find(step.node);
    // A Gemm stands for the MatMul that it was made of.
    const bool is_itself =
        found == absorbed.end() ||
        (!found->second.into_quantize && &input.graph.step(found->second.step) == &step);
    if (is_itself) {
      Verdict verdict = judge(input, step);
      const bool may_saturate = input.target.adds_in_16_bits || input.target.may_add_in_16_bits;
      if (may_saturate && verdict.rule == LintRule::integer_kernel)
        verdict.saturation = saturation_warning(input.graph, step);
      return verdict;
    }
    const Absorbed& where = found->second;
    if (where.into_quantize) return {};
    const Step& into = input.graph.step(where.step);
    Verdict verdict = verdict_of(input, absorbed, into);
    // What is wrong with its weights is said of the node that has them.
    if (into.node != step.node) verdict.warning = verdict.saturation = "";
    return verdict;
  }

  static std::string hint_of(const JudgeInput& input, const Verdict& verdict, const Step& step) {
    const bool is_known = input.target.is_onnx_runtime && verdict.rule == LintRule::integer_kernel;
    return is_known ? channel_hint(input.graph, step) : "";
  }

  void add(const JudgeInput& input, const AbsorbedNodes& absorbed, const Step& step,
           const std::string& op, std::optional<std::int64_t> macs) {
    Verdict verdict = verdict_of(input, absorbed, step);
    if (in_body_ && !target_.takes_bodies)
      verdict = {LintRule::in_body, "it stands in the body of an If, Loop or Scan", ""};
    if (target_.adds_in_16_bits) {
      const bool has_both = !verdict.warning.empty() && !verdict.saturation.empty();
      verdict.warning += (has_both ? "; " : "") + verdict.saturation;
    } else if (!verdict.saturation.empty()) {
      ++result_.saturating;
    }
    result_.warnings += verdict.warning.empty() ? 0U : 1U;
    if (verdict.rule == LintRule::engine_refuses && result_.refusal.empty())
      result_.refusal = fmt::format("{}: {}", name_of(*step.node), verdict.reason);
    result_.fused += verdict.rule == LintRule::integer_kernel ? 1U : 0U;
    result_.macs += macs.value_or(0);
    if (verdict.rule == LintRule::integer_kernel) result_.fused_macs += macs.value_or(0);
    result_.nodes.push_back({.name = name_of(*step.node),
                             .op = op,
                             .rule = verdict.rule,
                             .reason = verdict.reason,
                             .warning = verdict.warning,
                             .hint = hint_of(input, verdict, step),
                             .macs = macs});
  }

  const Model& model_;
  const LintTarget& target_;
  LintForecast result_{};
  bool in_body_ = false;
};

}  // namespace

namespace {

// A model input with an extent that is not fixed; "" where there is none.
std::string free_input(const Model& model) {
  for (const Port& input : model.inputs())
    if (std::ranges::find(input.shape, -1) != input.shape.end()) return input.name;
  return "";
}

}  // namespace

LintForecast forecast(const Model& model, const LintTarget& target) {
  Forecaster forecaster(model, target);
  forecaster.add_graph(model.graph(), nullptr);
  LintForecast result = std::move(forecaster).result();
  if (model.opset() > target.newest_opset)
    result.refusal = fmt::format("the model has opset {}, {} knows those up to {}", model.opset(),
                                 target.engine, target.newest_opset);
  if (target.is_onnx_runtime && result.refusal.empty()) result.refusal = foreign_attribute(model);
  if (!target.takes_free_extents && result.refusal.empty())
    if (const std::string input = free_input(model); !input.empty())
      result.refusal = fmt::format("the input '{}' has an extent that is not fixed", input);
  return result;
}

}  // namespace ocs
