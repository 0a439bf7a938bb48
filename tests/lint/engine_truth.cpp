#include "lint/engine_truth.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "ocs/lint/computing_nodes.h"
#include "support/models.h"
#include "support/optimized.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

std::string op_of(const onnx::NodeProto& node) {
  return in_default_domain(node) ? node.op_type() : node.domain() + "." + node.op_type();
}

class OptimizedGraph {
 public:
  explicit OptimizedGraph(const onnx::GraphProto& graph) {
    for (const onnx::ValueInfoProto& input : graph.input())
      if (is_byte(input.type().tensor_type().elem_type())) integers_.insert(input.name());
    for (const onnx::TensorProto& tensor : graph.initializer())
      if (is_byte(tensor.data_type())) integers_.insert(tensor.name());
    for (const onnx::NodeProto& node : graph.node()) {
      if (!node.name().empty()) nodes_[node.name()] = &node;
      const std::string op = op_of(node);
      for (const std::string& output : node.output()) producers_[output] = &node;
      const bool passes_on = node.op_type() != "DequantizeLinear" && !is_integer_operator(op) &&
                             op != "Cast" && node.input_size() > 0 &&
                             integers_.contains(node.input(0));
      const bool makes = node.op_type() == "QuantizeLinear" || op == "QLinearConv" ||
                         op == "QLinearMatMul" || op == "com.microsoft.NhwcMaxPool" ||
                         op.starts_with("com.microsoft.QLinear") || is_gemm_of_integers(node, op);
      if (passes_on || makes) integers_.insert(node.output(0));
    }
  }

  [[nodiscard]] const onnx::NodeProto* named(const std::string& name) const {
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? nullptr : found->second;
  }
  [[nodiscard]] const onnx::NodeProto* producer(const std::string& value) const {
    const auto found = producers_.find(value);
    return found == producers_.end() ? nullptr : found->second;
  }
  [[nodiscard]] bool runs_on_integers(const onnx::NodeProto& node) const {
    return is_integer_operator(op_of(node)) ||
           (node.input_size() > 0 && integers_.contains(node.input(0)));
  }

 private:
  // Without a scale of its result it gives floats.
  static bool is_gemm_of_integers(const onnx::NodeProto& node, const std::string& op) {
    constexpr int index_of_scale = 7;
    return op == "com.microsoft.QGemm" && node.input_size() > index_of_scale &&
           !node.input(index_of_scale).empty();
  }
  static bool is_byte(int type) { return type == 2 || type == 3 || type == 4 || type == 5; }

  std::map<std::string, const onnx::NodeProto*> nodes_{};
  std::map<std::string, const onnx::NodeProto*> producers_{};
  std::set<std::string> integers_{};
};

// The kernel that took the node in: it writes the node's result, or that of the nodes behind it.
const onnx::NodeProto* kernel_around(const Graph& graph, const OptimizedGraph& after,
                                     const onnx::NodeProto& node, int depth = 0) {
  constexpr int most_nodes = 7;  // from the bias ahead of a LayerNormalization in parts to its end
  for (const std::string& output : node.output()) {
    const onnx::NodeProto* writer = after.producer(output);
    if (writer != nullptr && writer->op_type() != "DequantizeLinear" &&
        writer->op_type() != "QuantizeLinear")
      return writer;
    for (const Use& use : graph.uses(output)) {
      const onnx::NodeProto& reader = graph.node(use.node);
      if (reader.op_type() == "QuantizeLinear" || depth == most_nodes) continue;
      if (const onnx::NodeProto* named = after.named(reader.name())) return named;
      if (const onnx::NodeProto* found = kernel_around(graph, after, reader, depth + 1))
        return found;
    }
  }
  return nullptr;
}

enum class Truth { integers, floats, gone, unknown };

Truth truth_of(const Graph& graph, const OptimizedGraph& after, const onnx::NodeProto& node) {
  const auto of = [&](const onnx::NodeProto& kernel) {
    return after.runs_on_integers(kernel) ? Truth::integers : Truth::floats;
  };
  if (const onnx::NodeProto* found = after.named(node.name())) return of(*found);
  // The engine writes MatMul and the Add of a bias as one node of this name.
  const auto as_gemm = [&](const onnx::NodeProto& matmul) {
    return after.named(matmul.name() + "/MatMulAddFusion");
  };
  if (const onnx::NodeProto* gemm = as_gemm(node)) return of(*gemm);
  for (const std::string& input : node.input())
    if (const onnx::NodeProto* matmul = graph.producer(input);
        node.op_type() == "Add" && matmul != nullptr && as_gemm(*matmul) != nullptr)
      return of(*as_gemm(*matmul));
  const bool is_clamp = node.op_type() == "Relu" || node.op_type() == "Clip";
  const Use* reader =
      graph.uses(node.output(0)).empty() ? nullptr : &graph.uses(node.output(0)).front();
  if (is_clamp && reader != nullptr && graph.node(reader->node).op_type() == "QuantizeLinear") {
    const onnx::NodeProto* quantize = after.named(graph.node(reader->node).name());
    const onnx::NodeProto* ahead =
        quantize == nullptr ? nullptr : after.producer(quantize->input(0));
    if (const onnx::NodeProto* writer = after.producer(node.output(0))) return of(*writer);
    // Another node that does the same, or a float kernel that took it in; else QuantizeLinear clamps.
    const bool is_kept = ahead != nullptr && ahead->output(0) != node.input(0) &&
                         (ahead->op_type() == "Relu" || ahead->op_type() == "Clip" ||
                          ahead->output(0) == node.output(0));
    return is_kept ? of(*ahead) : Truth::integers;
  }
  const onnx::NodeProto* next = reader == nullptr ? nullptr : &graph.node(reader->node);
  // Dropped: a pair was carried up over what reads it, and clamps; the reader has the integers of the DequantizeLinear ahead.
  if (is_clamp && next != nullptr && after.producer(node.output(0)) == nullptr)
    if (const onnx::NodeProto* kept = after.named(next->name());
        kept != nullptr && reader->input >= 0 && moves_values(kept->op_type())) {
      const onnx::NodeProto* ahead = after.producer(kept->input(reader->input));
      if (ahead != nullptr && ahead->op_type() == "DequantizeLinear") return Truth::integers;
    }
  if (node.op_type() == "Relu" && next != nullptr &&
      (next->op_type() == "Clip" || next->op_type() == "Relu") &&
      after.producer(node.output(0)) == nullptr)
    return truth_of(graph, after, *next);                // one Clip does the work of both
  if (moves_values(node.op_type())) return Truth::gone;  // moved nothing, or cancelled another one
  // A Conv that took the Add behind it in has the name of the Conv.
  for (const std::string& input : node.input())
    if (const onnx::NodeProto* ahead = graph.producer(input);
        ahead != nullptr && ahead->op_type() == "Conv")
      if (const onnx::NodeProto* conv = after.named(ahead->name());
          conv != nullptr && conv->op_type() == "FusedConv")
        return of(*conv);
  const onnx::NodeProto* kernel = kernel_around(graph, after, node);
  return kernel == nullptr ? Truth::unknown : of(*kernel);
}

}  // namespace

std::map<std::string, bool> engine_truth(const Model& model, const LintForecast& forecast,
                                         const std::map<std::string, std::string>& config) {
  std::map<std::string, std::string> plain = config;
  plain["optimization.disable_specified_optimizers"] = "NhwcTransformer;NchwcTransformer";
  const Model after_model = optimized_by_engine(model, plain);
  const OptimizedGraph after(after_model.graph());
  const Graph graph(model);
  std::map<std::string, bool> truth;
  for (const NodeForecast& node : forecast.nodes) {
    const Truth found = truth_of(graph, after, *graph.node_named(node.name));
    if (found == Truth::integers || found == Truth::floats)
      truth[node.name] = found == Truth::integers;
    if (found == Truth::unknown)
      ADD_FAILURE() << node.op << " '" << node.name << "' is not in the engine's graph";
  }
  return truth;
}

void expect_engine_agrees(const Model& model, const LintTarget& target,
                          const std::map<std::string, std::string>& config) {
  const LintForecast result = forecast(model, target);
  const bool refuses_node = std::ranges::any_of(
      result.nodes, [](const NodeForecast& node) { return node.rule == LintRule::engine_refuses; });
  if (!result.refusal.empty() || refuses_node) {
    const auto run = [&] {  // some are opened and fail then
      (void)run_once(onnx_runtime()(model, {.config = config}), random_inputs(model, 1));
    };
    EXPECT_THROW(run(), Error) << result.refusal;
    return;
  }
  const std::map<std::string, bool> truth = engine_truth(model, result, config);
  for (const NodeForecast& node : result.nodes) {
    const auto found = truth.find(node.name);
    if (found == truth.end()) continue;
    EXPECT_EQ(node.is_fused(), found->second)
        << node.op << " '" << node.name << "': " << lint_rule(node.rule).name << ": "
        << node.reason;
  }
}

}  // namespace ocs
