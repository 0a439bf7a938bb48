#include "ocs/plan/estimate_channels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "ocs/graph/read_tensor.h"
#include "ocs/passes/constant_floats.h"

namespace ocs {
namespace {

using Function = std::function<double(double)>;

// The integral runs over this many deviations on both sides, in this many steps.
constexpr double reach = 6.0;
constexpr int steps = 256;

// Computed point by point from a normal value; no function: the value itself.
struct Image {
  std::string source{};
  Function function{};

  [[nodiscard]] double at(double x) const { return function ? function(x) : x; }
};

// E[f(x)] and its variance for x normal (trapezoids; the ends have no weight).
std::pair<double, double> integrate(const Function& function, double mean, double deviation) {
  if (deviation <= 0.0) return {function(mean), 0.0};
  double weights = 0.0;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i <= steps; ++i) {
    const double t = reach * (2.0 * i / steps - 1.0);
    const double weight = std::exp(-0.5 * t * t);
    const double y = function(mean + deviation * t);
    weights += weight;
    sum += weight * y;
    squares += weight * y * y;
  }
  sum /= weights;
  return {sum, std::max(0.0, squares / weights - sum * sum)};
}

class Estimator {
 public:
  Estimator(const Graph& graph, const std::map<std::string, NormalChannels>& normals)
      : graph_(graph) {
    for (const auto& [value, normal] : normals) add_normal(value, normal);
  }

  std::map<std::string, ChannelEstimate> run() {
    for (std::size_t i = 0; i < graph_.node_count(); ++i) {
      const onnx::NodeProto& node = graph_.node(i);
      if (in_default_domain(node) && node.output_size() > 0 && !found_.contains(node.output(0)))
        look_at(node);
    }
    return std::move(found_);
  }

 private:
  void add_normal(const std::string& value, const NormalChannels& normal) {
    ChannelEstimate& estimate = found_[value];
    estimate.mean = normal.mean;
    for (const double deviation : normal.deviation)
      estimate.variance.push_back(deviation * deviation);
    images_[value] = {.source = value};
  }

  void look_at(const onnx::NodeProto& node) {
    static const std::set<std::string, std::less<>> passing{
        "Identity", "Dropout",   "Flatten",     "Reshape",
        "Squeeze",  "Unsqueeze", "AveragePool", "GlobalAveragePool"};
    const std::string& op = node.op_type();
    if (op == "BatchNormalization") return read_batchnorm(node);
    if (op == "Concat") return join(node);
    if (std::optional<Image> image = image_of(node)) return add_image(node, std::move(*image));
    if (op == "Add" && node.input_size() == 2) return add_sum(node);
    if (const auto known = found_.find(first_input(node));
        passing.contains(op) && known != found_.end())
      found_[node.output(0)] = known->second;
  }

  static std::string first_input(const onnx::NodeProto& node) {
    return node.input_size() > 0 ? node.input(0) : std::string();
  }

  void read_batchnorm(const onnx::NodeProto& node) {
    if (node.input_size() != 5 || constant_floats(graph_, node.input(1)) == nullptr ||
        constant_floats(graph_, node.input(2)) == nullptr)
      return;
    NormalChannels normal;
    const Tensor scale = read_tensor(graph_, node.input(1));
    const Tensor shift = read_tensor(graph_, node.input(2));
    if (scale.shape != shift.shape) return;
    for (const float value : scale.as<float>())
      normal.deviation.push_back(std::fabs(static_cast<double>(value)));
    for (const float value : shift.as<float>()) normal.mean.push_back(static_cast<double>(value));
    add_normal(node.output(0), normal);
  }

  [[nodiscard]] std::optional<double> scalar(const std::string& name) const {
    const onnx::TensorProto* tensor = constant_floats(graph_, name);
    if (tensor == nullptr) return std::nullopt;
    const Tensor values = read_tensor(graph_, name);
    return values.as<float>().size() == 1
               ? std::optional(static_cast<double>(values.as<float>()[0]))
               : std::nullopt;
  }

  // The functions of one variable.
  [[nodiscard]] Function unary(const onnx::NodeProto& node) const {
    const std::string& op = node.op_type();
    const auto number = [&](const char* name, float fallback) {
      return static_cast<double>(float_attribute(node, name, fallback));
    };
    if (op == "Relu") return [](double x) { return std::max(x, 0.0); };
    if (op == "Sigmoid") return [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
    if (op == "Tanh") return [](double x) { return std::tanh(x); };
    if (op == "HardSwish") return [](double x) { return x * std::clamp(x / 6.0 + 0.5, 0.0, 1.0); };
    if (op == "LeakyRelu")
      return [slope = number("alpha", 0.01F)](double x) { return x < 0.0 ? slope * x : x; };
    if (op == "Elu")
      return
          [alpha = number("alpha", 1.0F)](double x) { return x < 0.0 ? alpha * std::expm1(x) : x; };
    if (op == "HardSigmoid")
      return [alpha = number("alpha", 0.2F), beta = number("beta", 0.5F)](double x) {
        return std::clamp(alpha * x + beta, 0.0, 1.0);
      };
    if (op == "Clip") {
      const auto bound = [&](int input, double none) -> std::optional<double> {
        const bool is_given = node.input_size() > input && !node.input(input).empty();
        return is_given ? scalar(node.input(input)) : none;
      };
      const std::optional<double> low = bound(1, -HUGE_VAL);
      const std::optional<double> high = bound(2, HUGE_VAL);
      if (low && high)
        return [low = *low, high = *high](double x) { return std::min(std::max(x, low), high); };
    }
    return {};
  }

  // An operand of a binary node: computed from the same source as the other, or a scalar.
  [[nodiscard]] std::optional<Image> operand(const std::string& name) const {
    if (const auto image = images_.find(name); image != images_.end()) return image->second;
    if (const std::optional<double> value = scalar(name))
      return Image{.function = [value = *value](double) { return value; }};
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Image> image_of(const onnx::NodeProto& node) const {
    const auto first = images_.find(first_input(node));
    if (const Function function = unary(node)) {
      if (first == images_.end()) return std::nullopt;
      return Image{.source = first->second.source,
                   .function = [inner = first->second, function](double x) {
                     return function(inner.at(x));
                   }};
    }
    static const std::map<std::string, double (*)(double, double), std::less<>> binary{
        {"Add", [](double a, double b) { return a + b; }},
        {"Sub", [](double a, double b) { return a - b; }},
        {"Mul", [](double a, double b) { return a * b; }},
        {"Div", [](double a, double b) { return a / b; }}};
    const auto combine = binary.find(node.op_type());
    if (combine == binary.end() || node.input_size() != 2) return std::nullopt;
    const std::optional<Image> a = operand(node.input(0));
    const std::optional<Image> b = operand(node.input(1));
    if (!a || !b) return std::nullopt;
    if (!a->source.empty() && !b->source.empty() && a->source != b->source) return std::nullopt;
    return Image{.source = a->source.empty() ? b->source : a->source,
                 .function = [a = *a, b = *b, how = combine->second](double x) {
                   return how(a.at(x), b.at(x));
                 }};
  }

  void add_image(const onnx::NodeProto& node, Image image) {
    const auto source = found_.find(image.source);
    if (source == found_.end()) return;  // two constants
    ChannelEstimate estimate;
    for (std::size_t c = 0; c < source->second.mean.size(); ++c) {
      const auto [mean, variance] =
          integrate([&](double x) { return image.at(x); }, source->second.mean[c],
                    std::sqrt(source->second.variance[c]));
      estimate.mean.push_back(mean);
      estimate.variance.push_back(variance);
    }
    found_[node.output(0)] = std::move(estimate);
    images_[node.output(0)] = std::move(image);
  }

  // Of different values: normal again.
  void add_sum(const onnx::NodeProto& node) {
    const auto a = found_.find(node.input(0));
    const auto b = found_.find(node.input(1));
    if (a == found_.end() || b == found_.end() || a->second.mean.size() != b->second.mean.size())
      return;
    ChannelEstimate sum = a->second;
    for (std::size_t c = 0; c < sum.mean.size(); ++c) {
      sum.mean[c] += b->second.mean[c];
      sum.variance[c] += b->second.variance[c];
    }
    found_[node.output(0)] = std::move(sum);
    images_[node.output(0)] = {.source = node.output(0)};
  }

  void join(const onnx::NodeProto& node) {
    if (int_attribute(node, "axis", 1) != 1) return;
    ChannelEstimate whole;
    for (const std::string& input : node.input()) {
      const auto part = found_.find(input);
      if (part == found_.end()) return;
      std::ranges::copy(part->second.mean, std::back_inserter(whole.mean));
      std::ranges::copy(part->second.variance, std::back_inserter(whole.variance));
    }
    found_[node.output(0)] = std::move(whole);
  }

  const Graph& graph_;
  std::map<std::string, ChannelEstimate> found_{};
  std::map<std::string, Image> images_{};
};

}  // namespace

std::map<std::string, ChannelEstimate> estimate_channels(
    const Graph& graph, const std::map<std::string, NormalChannels>& normals) {
  return Estimator(graph, normals).run();
}

}  // namespace ocs
