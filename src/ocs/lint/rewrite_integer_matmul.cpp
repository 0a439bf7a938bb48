// Dynamic quantization: x -> DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul(scale of x * scale of w) -> Add(bias) is one kernel.
#include <algorithm>

#include "ocs/graph/graph.h"
#include "ocs/lint/rewrite_steps.h"

namespace ocs {
namespace {

constexpr std::int64_t type_float = 1;

// The other input of a node with two.
std::string beside(const Step& step, const std::string& input) {
  if (step.inputs.size() != 2) return "";
  return step.inputs[step.inputs.front() == input ? 1 : 0];
}

// Another Mul of the same scales, which the engine makes one with this.
bool has_equal(const WorkingGraph& graph, const Step& scale) {
  return std::ranges::any_of(scale.inputs, [&](const std::string& computed) {
    const std::string constant = beside(scale, computed);
    return graph.constant(constant) != nullptr &&
           std::ranges::any_of(graph.readers(computed), [&](const Edge& edge) {
             const Step& other = graph.step(edge.step);
             return &other != &scale && other.op == "Mul" &&
                    graph.is_equal_constant(constant, beside(other, computed));
           });
  });
}

// A value for each column, whatever extents of 1 stand ahead.
bool is_row(const KnownShapes& shapes, const std::string& bias) {
  const auto shape = shapes.find(bias);
  return shape != shapes.end() && !shape->second.empty() &&
         std::all_of(shape->second.begin(), shape->second.end() - 1,
                     [](std::int64_t extent) { return extent == 1; });
}

void take_rescaling_in(const WorkingGraph& graph, const KnownShapes& shapes, const Step& matmul,
                       AbsorbedNodes& absorbed) {
  const Step* cast = graph.only_reader(matmul.outputs.front());
  if (cast == nullptr || cast->op != "Cast" || int_attribute(*cast->node, "to", 0) != type_float)
    return;
  const Step* mul = graph.only_reader(cast->outputs.front());
  if (mul == nullptr || mul->op != "Mul") return;
  const Step* scale = graph.producer(beside(*mul, cast->outputs.front()));
  if (scale == nullptr || scale->op != "Mul" || scale->node == nullptr ||
      !is_only_inner(graph, scale->outputs.front()) || has_equal(graph, *scale))
    return;
  const Absorbed here{.step = graph.index_of(matmul)};
  absorbed[scale->node] = here;
  absorbed[mul->node] = here;
  const Step* add = graph.only_reader(mul->outputs.front());
  if (add == nullptr || add->op != "Add") return;
  const std::string bias = beside(*add, mul->outputs.front());
  if (graph.is_constant(bias) && is_row(shapes, bias)) absorbed[add->node] = here;
}

}  // namespace

void take_rescaling_in(const WorkingGraph& graph, const KnownShapes& shapes,
                       AbsorbedNodes& absorbed) {
  for (const Step& step : graph.steps())
    if (!step.gone && step.op == "MatMulInteger") take_rescaling_in(graph, shapes, step, absorbed);
}

}  // namespace ocs
