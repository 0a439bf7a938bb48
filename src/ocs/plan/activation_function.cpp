#include "ocs/plan/activation_function.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

using Kind = ActivationFunction::Kind;

// Scalar Muls and Adds that are looked through; more is no activation function.
constexpr int most_steps = 4;

double squash(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double hard_squash(double x) { return std::clamp(x + 3.0, 0.0, 6.0) / 6.0; }

const onnx::NodeProto* reader(const Graph& graph, const std::string& value, std::size_t use) {
  const auto uses = graph.uses(value);
  return use < uses.size() && uses[use].input >= 0 ? &graph.node(uses[use].node) : nullptr;
}

std::optional<double> constant(const Graph& graph, const std::string& name) {
  const onnx::TensorProto* tensor = graph.initializer(name);
  if (tensor == nullptr || tensor->data_type() != onnx::TensorProto::FLOAT ||
      element_count(*tensor) != 1)
    return std::nullopt;
  return static_cast<double>(read_tensor(graph, name).as<float>()[0]);
}

// The constant operand of a Mul or Add with one scalar constant.
std::optional<double> scalar_operand(const Graph& graph, const onnx::NodeProto& node,
                                     const std::string& value) {
  if (node.input_size() != 2) return std::nullopt;
  return constant(graph, node.input(node.input(0) == value ? 1 : 0));
}

// What `node` makes of x by itself: the factor that x is multiplied with in SiLU and HardSwish, or the function.
std::optional<Kind> squashing(const Graph& graph, const onnx::NodeProto& node,
                              const std::string& value) {
  if (!in_default_domain(node)) return std::nullopt;
  if (node.op_type() == "Sigmoid") return Kind::sigmoid;
  if (node.op_type() == "Tanh") return Kind::tanh;
  if (node.op_type() == "HardSwish") return Kind::hard_swish;
  if (node.op_type() == "HardSigmoid") {
    const bool is_sixth = std::fabs(float_attribute(node, "alpha", 0.2F) - 1.0F / 6.0F) < 1e-4F;
    return is_sixth && float_attribute(node, "beta", 0.5F) == 0.5F
               ? std::optional(Kind::hard_sigmoid)
               : std::nullopt;
  }
  if (node.op_type() != "Add" || scalar_operand(graph, node, value) != 3.0) return std::nullopt;
  const onnx::NodeProto* clip = graph.only_consumer(node.output(0));
  const bool is_relu6 = clip != nullptr && clip->op_type() == "Clip" && clip->input_size() == 3 &&
                        constant(graph, clip->input(1)) == 0.0 &&
                        constant(graph, clip->input(2)) == 6.0;
  return is_relu6 ? std::optional(Kind::hard_sigmoid) : std::nullopt;
}

// The value that carries the squashed x, behind the Clip where HardSwish is written out.
std::string squashed_value(const Graph& graph, const onnx::NodeProto& node) {
  return node.op_type() == "Add" ? graph.only_consumer(node.output(0))->output(0) : node.output(0);
}

std::optional<Kind> kind_behind(const Graph& graph, const std::string& value) {
  const std::size_t readers = graph.uses(value).size();
  const onnx::NodeProto* first = reader(graph, value, 0);
  if (first == nullptr || graph.is_graph_output(value)) return std::nullopt;
  if (readers == 1) return squashing(graph, *first, value);
  const onnx::NodeProto* second = reader(graph, value, 1);
  if (readers != 2 || second == nullptr) return std::nullopt;
  if (first->op_type() == "Mul") std::swap(first, second);
  const std::optional<Kind> kind = squashing(graph, *first, value);
  if (!kind || second->op_type() != "Mul" ||
      (*kind != Kind::sigmoid && *kind != Kind::hard_sigmoid))
    return std::nullopt;
  const std::string squashed = squashed_value(graph, *first);
  const bool is_product = (second->input(0) == value && second->input(1) == squashed) ||
                          (second->input(1) == value && second->input(0) == squashed);
  if (!is_product || graph.uses(squashed).size() != 1) return std::nullopt;
  return *kind == Kind::sigmoid ? Kind::silu : Kind::hard_swish;
}

// Squared error behind the function on the grid over [low, high] that holds zero.
double error_behind(const Histogram::Weighted& seen, const std::vector<double>& exact,
                    const ActivationFunction& function, const ClipRange& range, int steps) {
  const double scale = static_cast<double>(range.high - range.low) / steps;
  if (scale <= 0.0) return std::numeric_limits<double>::infinity();
  const double zero_point = std::nearbyint(-static_cast<double>(range.low) / scale);
  double sum = 0.0;
  for (std::size_t i = 0; i < seen.values.size(); ++i) {
    const double level =
        std::clamp(std::nearbyint(static_cast<double>(seen.values[i]) / scale) + zero_point, 0.0,
                   static_cast<double>(steps));
    const double error = exact[i] - apply(function, (level - zero_point) * scale);
    sum += seen.counts[i] * error * error;
  }
  return sum;
}

}  // namespace

double apply(const ActivationFunction& function, double x) {
  const double y = function.factor * x + function.offset;
  switch (function.kind) {
    case Kind::sigmoid:
      return squash(y);
    case Kind::silu:
      return y * squash(y);
    case Kind::hard_sigmoid:
      return hard_squash(y);
    case Kind::hard_swish:
      return y * hard_squash(y);
    case Kind::tanh:
      return std::tanh(y);
  }
  return y;
}

std::optional<ActivationFunction> function_behind(const Graph& graph, const std::string& value) {
  ActivationFunction function;
  std::string at = value;
  for (int step = 0; step < most_steps; ++step) {
    if (const auto kind = kind_behind(graph, at)) {
      function.kind = *kind;
      return function;
    }
    const onnx::NodeProto* next = graph.only_consumer(at);
    if (next == nullptr || (next->op_type() != "Mul" && next->op_type() != "Add"))
      return std::nullopt;
    const std::optional<double> operand = scalar_operand(graph, *next, at);
    if (!operand) return std::nullopt;
    if (next->op_type() == "Mul") {
      function.factor *= *operand;
      function.offset *= *operand;
    } else {
      function.offset += *operand;
    }
    at = next->output(0);
  }
  return std::nullopt;
}

ClipRange range_for_function(const Histogram& histogram, const ActivationFunction& function,
                             int steps) {
  const Histogram::Weighted seen = histogram.weighted();
  std::vector<double> exact(seen.values.size());
  std::ranges::transform(seen.values, exact.begin(),
                         [&](float x) { return apply(function, static_cast<double>(x)); });
  ClipRange best{.low = std::min(histogram.min(), 0.0F), .high = std::max(histogram.max(), 0.0F)};
  double least = error_behind(seen, exact, function, best, steps);
  // One end at a time, in shares of its extreme: the error is a smooth valley but for rounding, so a few sweeps settle.
  constexpr int shares = 32;
  constexpr int sweeps = 3;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (const bool is_low : {true, false}) {
      const float extreme =
          is_low ? std::min(histogram.min(), 0.0F) : std::max(histogram.max(), 0.0F);
      for (int share = 0; share <= shares; ++share) {
        ClipRange candidate = best;
        (is_low ? candidate.low : candidate.high) = extreme * static_cast<float>(share) / shares;
        const double error = error_behind(seen, exact, function, candidate, steps);
        if (error < least) {
          least = error;
          best = candidate;
        }
      }
    }
  }
  return best;
}

}  // namespace ocs
