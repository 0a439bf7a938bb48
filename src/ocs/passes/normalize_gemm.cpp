//   Gemm(x, W[N,K], C[]; alpha, beta, transB)  -->  Gemm(x, W'[K,N], C'[N])
//   W' = alpha * transpose(W), C' = beta * C for each of the N outputs
#include "ocs/passes/normalize_gemm.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/walk.h"
#include "ocs/passes/constant_floats.h"

namespace ocs {
namespace {

struct Job {
  onnx::NodeProto* node = nullptr;
  bool transposed = false;
  float alpha = 1.0F;
  std::optional<std::vector<float>> bias{};  // what replaces the bias
};

// beta * C for each of `outputs` columns; nothing where C differs between the rows.
std::optional<std::vector<float>> bias_for(const Tensor& c, float beta, std::int64_t outputs) {
  const auto values = per_channel(c, outputs, 2);
  if (!values) return std::nullopt;
  std::vector<float> bias;
  for (const float value : *values) bias.push_back(beta * value);
  return bias;
}

std::optional<Job> find_job(const Graph& graph, onnx::NodeProto& node) {
  if (!in_default_domain(node) || node.op_type() != "Gemm" || node.input_size() < 2)
    return std::nullopt;
  const onnx::TensorProto* weight = constant_floats(graph, node.input(1));
  if (weight == nullptr || weight->dims_size() != 2) return std::nullopt;
  Job job{.node = &node,
          .transposed = int_attribute(node, "transB", 0) != 0,
          .alpha = float_attribute(node, "alpha", 1.0F)};
  bool work = job.transposed || job.alpha != 1.0F;
  if (node.input_size() > 2 && !node.input(2).empty()) {
    const float beta = float_attribute(node, "beta", 1.0F);
    const std::int64_t outputs = weight->dims(job.transposed ? 0 : 1);
    const onnx::TensorProto* c = constant_floats(graph, node.input(2));
    const bool is_normal =
        c != nullptr && c->dims_size() == 1 && c->dims(0) == outputs && beta == 1.0F;
    if (c != nullptr && !is_normal)
      job.bias = bias_for(read_tensor(graph, node.input(2)), beta, outputs);
    work = work || job.bias;
  }
  return work ? std::optional(job) : std::nullopt;
}

Tensor normal_weight(const Tensor& weight, const Job& job) {
  const auto rows = static_cast<std::size_t>(weight.shape[0]);
  const auto columns = static_cast<std::size_t>(weight.shape[1]);
  const auto from = weight.as<float>();
  std::vector<float> to(from.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      to[job.transposed ? c * rows + r : r * columns + c] = job.alpha * from[r * columns + c];
  Tensor normal{.shape = weight.shape, .values = std::move(to)};
  if (job.transposed) std::swap(normal.shape[0], normal.shape[1]);
  return normal;
}

}  // namespace

PassResult normalize_gemm(Model model) {
  std::vector<Job> jobs;
  {
    const Graph graph(model);
    for_each_graph(model.graph(), [&](onnx::GraphProto& each) {
      for (onnx::NodeProto& node : *each.mutable_node())
        if (const auto job = find_job(graph, node)) jobs.push_back(*job);
    });
  }
  std::vector<Note> notes;
  std::map<std::tuple<std::string, bool, float>, std::string> made;  // one copy of shared weights
  for (const Job& job : jobs) {
    onnx::NodeProto& node = *job.node;
    const std::string old = node.input(1);
    std::string weight = old;
    if (job.transposed || job.alpha != 1.0F) {
      std::string& name = made[{old, job.transposed, job.alpha}];
      if (name.empty()) {
        const Tensor stored = read_tensor(Graph(model), old);
        name = add_initializer(model, old, normal_weight(stored, job));
      }
      weight = name;
    }
    node.set_input(1, weight);
    remove_attribute(node, "transB");
    remove_attribute(node, "alpha");
    if (job.bias) {
      const Tensor bias{.shape = {static_cast<std::int64_t>(job.bias->size())},
                        .values = *job.bias};
      node.set_input(2, add_initializer(model, node.input(2), bias));
      remove_attribute(node, "beta");
    }
    notes.push_back({.node = node.name(), .text = "weight as [inputs, outputs] without factors"});
  }
  return {std::move(model), std::move(notes)};
}

}  // namespace ocs
