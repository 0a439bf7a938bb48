// One walk over the graph in its order gives every channel of every value a number, joins numbers that a
// step forces together (a disjoint-set forest) and fixes those that must keep their scale. What is left
// free may get a factor.
#include "ocs/passes/scalable_channels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/passes/constant_floats.h"
#include "ocs/passes/spatial_step.h"
#include "ocs/passes/value_facts.h"

namespace ocs {
namespace {

// Numbers of channels that are one; fixed ones know why.
class Channels {
 public:
  std::vector<int> make(std::int64_t count) {
    std::vector<int> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), static_cast<int>(parents_.size()));
    parents_.insert(parents_.end(), numbers.begin(), numbers.end());
    reasons_.resize(parents_.size());
    return numbers;
  }
  int root(int number) {
    while (parents_[index(number)] != number)
      number = parents_[index(number)] = parents_[index(parents_[index(number)])];
    return number;
  }
  void join(int left, int right) {
    left = root(left);
    right = root(right);
    if (left == right) return;
    parents_[index(right)] = left;
    if (reasons_[index(left)].empty()) reasons_[index(left)] = reasons_[index(right)];
  }
  void fix(const std::vector<int>& numbers, const std::string& reason) {
    for (const int number : numbers)
      if (std::string& held = reasons_[index(root(number))]; held.empty()) held = reason;
  }
  // Why its scale is fixed, "" where it is free.
  [[nodiscard]] const std::string& reason(int number) { return reasons_[index(root(number))]; }

 private:
  static std::size_t index(int number) { return static_cast<std::size_t>(number); }
  std::vector<int> parents_{};
  std::vector<std::string> reasons_{};
};

// The channels of a value along one axis.
struct Seen {
  std::vector<int> numbers{};
  int axis = 1;
  bool is_flat = false;  // one value a channel
};

// Steps that do the same to every value, whatever axis carries the channels.
bool is_elementwise(const onnx::NodeProto& node) {
  const std::string& op = node.op_type();
  return op == "Relu" || op == "LeakyRelu" || op == "PRelu" || op == "Identity" ||
         op == "Dropout" || op == "Neg" || op == "Abs";
}

// Inputs that hold one constant for each channel of the last axis of the result, and make its scale; none where the
// node is no such step.
std::vector<int> gain_inputs(const Graph& graph, const onnx::NodeProto& node) {
  if (!in_default_domain(node)) return {};
  const auto is_row = [&](int input) {
    const onnx::TensorProto* constant = constant_floats(graph, node.input(input));
    return constant != nullptr && constant->dims_size() == 1 && constant->dims(0) > 1;
  };
  if (node.op_type() == "Mul" && node.input_size() == 2) {
    for (const int input : {0, 1})
      if (is_row(input) && graph.initializer(node.input(1 - input)) == nullptr) return {input};
    return {};
  }
  if (node.op_type() != "LayerNormalization" || int_attribute(node, "axis", -1) != -1) return {};
  std::vector<int> inputs;
  for (int input = 1; input < node.input_size(); ++input) {
    if (node.input(input).empty()) continue;
    if (!is_row(input)) return {};
    inputs.push_back(input);
  }
  return inputs;
}

class Walk {
 public:
  explicit Walk(const Model& model) : graph_(model), facts_(model.graph()) {
    for (std::size_t i = 0; i < graph_.node_count(); ++i) visit(graph_.node(i));
    for (const auto& [value, seen] : seen_) {
      if (graph_.is_graph_output(value))
        channels_.fix(seen.numbers, fmt::format("'{}' is an output of the model", value));
      for (const Use& use : graph_.uses(value))
        if (use.input < 0) channels_.fix(seen.numbers, fmt::format("a body reads '{}'", value));
    }
    number_classes();
  }

  ScalableChannels result() { return std::move(result_); }

 private:
  [[nodiscard]] Seen* seen(const std::string& value) {
    const auto found = seen_.find(value);
    return found == seen_.end() ? nullptr : &found->second;
  }

  void visit(const onnx::NodeProto& node) {
    if (visit_layer(node) || visit_gain(node) || visit_step(node) || visit_clip(node) ||
        visit_spatial(node) || visit_add(node) || visit_concat(node) || visit_reshape(node))
      return;
    refuse(node, fmt::format("{} '{}' reads it", node.op_type(), node.name()));
  }

  // Its inputs keep their scale, and nothing is known of its results.
  void refuse(const onnx::NodeProto& node, const std::string& reason) {
    for (const std::string& input : node.input())
      if (Seen* data = seen(input)) channels_.fix(data->numbers, reason);
  }

  // New channels: the constants take their factors.
  bool visit_gain(const onnx::NodeProto& node) {
    const std::vector<int> inputs = gain_inputs(graph_, node);
    if (inputs.empty()) return false;
    refuse(node, fmt::format("{} '{}' reads it", node.op_type(), node.name()));
    const std::vector<int> numbers =
        channels_.make(graph_.initializer(node.input(inputs.front()))->dims(0));
    for (const int input : inputs)
      result_.constants.push_back({.node = node.name(), .input = input, .channels = numbers});
    seen_[node.output(0)] = {.numbers = numbers, .axis = axis_of(node.output(0), -1)};
    return true;
  }

  // An axis as counted from 0, where that can be told; 1 for both of [N, C].
  [[nodiscard]] int axis_of(const std::string& value, int axis) const {
    const std::optional<int> rank = facts_.rank(value);
    return axis < 0 && rank ? axis + *rank : axis;
  }

  bool visit_layer(const onnx::NodeProto& node) {
    const LinearOp* op = find_linear_op(node);
    if (op == nullptr || op->is_recurrent) return false;
    const Operands found = op->operands(node, graph_);
    const auto* operands = std::get_if<std::vector<Operand>>(&found);
    if (operands == nullptr || operands->size() != 1) return false;
    const Operand& operand = operands->front();
    const std::string& weight = node.input(operand.weight_input);
    if (op->data_axis(node, operand) == -2) return false;
    const ChannelMatrix matrix = op->view(node, operand, shape_of(*graph_.initializer(weight)), {});
    std::vector<int> columns;
    const std::string& data = data_of(node, operand);
    if (const Seen* known = seen(data)) {
      if (known->axis == axis_of(data, op->data_axis(node, operand)) &&
          static_cast<std::int64_t>(known->numbers.size()) == matrix.columns())
        columns = known->numbers;
      else
        channels_.fix(known->numbers, fmt::format("'{}' sees other channels", node.name()));
    }
    const std::string result = result_of(node);
    const std::vector<int> rows = channels_.make(matrix.rows());
    std::string reason;
    if (graph_.uses(weight).size() != 1 || graph_.is_graph_output(weight))
      reason = fmt::format("{} '{}' shares its weight", node.op_type(), node.name());
    else if (!has_plain_bias(node, operand, matrix.rows()))
      reason = fmt::format("the bias of '{}' is not one constant a channel", node.name());
    if (!reason.empty()) {
      channels_.fix(rows, reason);
      channels_.fix(columns, reason);
    }
    seen_[result] = {.numbers = rows, .axis = axis_of(result, op->result_axis(node, operand))};
    result_.layers.push_back(
        {.node = node.name(), .operand = operand, .rows = rows, .columns = columns});
    return true;
  }

  // No bias, or one constant a row.
  [[nodiscard]] bool has_plain_bias(const onnx::NodeProto& node, const Operand& operand,
                                    std::int64_t rows) const {
    const int input = operand.bias_input.value_or(node.input_size());
    if (input >= node.input_size() || node.input(input).empty()) return true;
    const onnx::TensorProto* bias = constant_floats(graph_, node.input(input));
    const bool is_plain = node.op_type() != "Gemm" || float_attribute(node, "beta", 1.0F) == 1.0F;
    return bias != nullptr && is_plain && bias->dims_size() == 1 && element_count(*bias) == rows;
  }

  bool visit_step(const onnx::NodeProto& node) {
    const ChannelRule* rule = find_channel_rule(node);
    if (rule == nullptr || !rule->homogeneous || !rule->keeps_channels) return false;
    const Seen* data = seen(node.input(0));
    if (data == nullptr || (data->axis != 1 && !is_elementwise(node))) return false;
    for (int i = 1; i < node.input_size(); ++i)
      if (seen(node.input(i)) != nullptr) return false;
    Seen result = *data;
    result.is_flat = result.is_flat || node.op_type().starts_with("Global");
    seen_[node.output(0)] = std::move(result);
    return true;
  }

  bool visit_spatial(const onnx::NodeProto& node) {
    const Seen* data = node.input_size() == 0 ? nullptr : seen(node.input(0));
    if (data == nullptr || data->axis != 1) return false;
    const auto step = spatial_step(facts_, node, facts_.rank(node.input(0)).value_or(0),
                                   static_cast<std::int64_t>(data->numbers.size()));
    if (!step) return false;
    Seen result = *data;
    result.is_flat = result.is_flat || step->leaves_one;
    seen_[node.output(0)] = std::move(result);
    return true;
  }

  bool visit_clip(const onnx::NodeProto& node) {
    if (!in_default_domain(node) || node.op_type() != "Clip") return false;
    const Seen* data = seen(node.input(0));
    const auto low = bound(node, 1, -HUGE_VALF);
    const auto high = bound(node, 2, HUGE_VALF);
    if (data == nullptr || !low || !high || *low > 0.0F || *high <= 0.0F) return false;
    const float largest = *low == 0.0F ? *high : std::min(-*low, *high);
    if (std::isfinite(largest))
      result_.bounds.push_back({.value = node.output(0), .largest = largest});
    Seen result = *data;
    seen_[node.output(0)] = std::move(result);
    return true;
  }

  // Nothing where it is not constant.
  [[nodiscard]] std::optional<float> bound(const onnx::NodeProto& node, int input,
                                           float absent) const {
    if (input >= node.input_size() || node.input(input).empty()) return absent;
    const onnx::TensorProto* given = constant_floats(graph_, node.input(input));
    if (given == nullptr || element_count(*given) != 1) return std::nullopt;
    return read_tensor(graph_, node.input(input)).as<float>()[0];
  }

  bool visit_add(const onnx::NodeProto& node) {
    if (!in_default_domain(node) || node.op_type() != "Add" || node.input_size() != 2) return false;
    const Seen* left = seen(node.input(0));
    const Seen* right = seen(node.input(1));
    if (left == nullptr && right == nullptr) return false;
    if (left == nullptr || right == nullptr)
      return visit_summand(node, left == nullptr ? *right : *left, left == nullptr ? 0 : 1);
    if (left->axis != right->axis || left->numbers.size() != right->numbers.size() ||
        !facts_.rank(node.input(0)) || facts_.rank(node.input(0)) != facts_.rank(node.input(1)))
      return false;
    for (std::size_t c = 0; c < left->numbers.size(); ++c)
      channels_.join(left->numbers[c], right->numbers[c]);
    Seen result = *left;
    result.is_flat = left->is_flat && right->is_flat;
    seen_[node.output(0)] = std::move(result);
    return true;
  }

  bool visit_summand(const onnx::NodeProto& node, const Seen& data, int input) {
    const onnx::TensorProto* constant = constant_floats(graph_, node.input(input));
    const std::optional<int> rank = facts_.rank(node.input(1 - input));
    if (constant == nullptr || !rank) return false;
    // One entry for each channel, none along the other axes.
    const int behind = *rank - 1 - data.axis;
    const int at = constant->dims_size() - 1 - behind;
    const auto count = static_cast<std::int64_t>(data.numbers.size());
    if (at < 0 || constant->dims_size() > *rank || constant->dims(at) != count ||
        element_count(*constant) != count)
      return false;
    result_.constants.push_back({.node = node.name(), .input = input, .channels = data.numbers});
    Seen result = data;
    seen_[node.output(0)] = std::move(result);
    return true;
  }

  bool visit_concat(const onnx::NodeProto& node) {
    if (!in_default_domain(node) || node.op_type() != "Concat") return false;
    Seen result;
    for (int i = 0; i < node.input_size(); ++i) {
      const Seen* part = seen(node.input(i));
      if (part == nullptr || (i > 0 && part->axis != result.axis)) return false;
      result.axis = part->axis;
      result.is_flat = part->is_flat && (i == 0 || result.is_flat);
      result.numbers.insert(result.numbers.end(), part->numbers.begin(), part->numbers.end());
    }
    const int axis = static_cast<int>(int_attribute(node, "axis", 1));
    if (result.numbers.empty() || axis_of(node.input(0), axis) != result.axis) return false;
    seen_[node.output(0)] = std::move(result);
    return true;
  }

  // [N, C, ..] to [N, C * ..]: each channel becomes a run of neighbours.
  bool visit_reshape(const onnx::NodeProto& node) {
    if (!in_default_domain(node)) return false;
    const bool is_flatten = node.op_type() == "Flatten" && int_attribute(node, "axis", 1) == 1;
    if (!is_flatten && node.op_type() != "Reshape") return false;
    const Seen* data = seen(node.input(0));
    if (data == nullptr || data->axis != 1) return false;
    const auto channels = static_cast<std::int64_t>(data->numbers.size());
    std::int64_t columns = channels;
    if (!data->is_flat) columns = columns_behind(node.output(0)).value_or(0);
    if (columns == 0 || columns % channels != 0) return false;
    if (!is_flatten && !is_flattening(node, columns)) return false;
    Seen result{.is_flat = data->is_flat};
    for (const int number : data->numbers)
      result.numbers.insert(result.numbers.end(), static_cast<std::size_t>(columns / channels),
                            number);
    seen_[node.output(0)] = std::move(result);
    return true;
  }

  // Whether a Reshape makes [.., columns] or [.., columns, 1, ..] of a value whose first axis it keeps: of one that is a batch.
  [[nodiscard]] bool is_flattening(const onnx::NodeProto& node, std::int64_t columns) const {
    const Tensor* shape = facts_.constant(node.input(1));
    if (shape == nullptr || shape->type() != ElementType::int64) return false;
    const auto extents = shape->as<std::int64_t>();
    if (extents.size() < 2 || (extents[1] != columns && extents[0] != 0)) return false;
    if (extents[1] != columns && extents[1] != -1) return false;
    return std::ranges::all_of(extents.subspan(2), [](std::int64_t extent) { return extent == 1; });
  }

  // Columns of the one layer that reads `value`, at once or behind steps that keep channels.
  [[nodiscard]] std::optional<std::int64_t> columns_behind(std::string value) const {
    while (const onnx::NodeProto* next = graph_.only_consumer(value)) {
      const LinearOp* op = find_linear_op(*next);
      if (op == nullptr) {
        if (!is_elementwise(*next) || next->input(0) != value) return std::nullopt;
        value = next->output(0);
        continue;
      }
      if (op->is_recurrent) return std::nullopt;
      const Operands found = op->operands(*next, graph_);
      const auto* operands = std::get_if<std::vector<Operand>>(&found);
      if (operands == nullptr || operands->size() != 1) return std::nullopt;
      const std::string& weight = next->input(operands->front().weight_input);
      return op->view(*next, operands->front(), shape_of(*graph_.initializer(weight)), {})
          .columns();
    }
    return std::nullopt;
  }

  // From the numbers of the forest to those of its roots, without gaps, in the order of the graph.
  void number_classes() {
    std::map<int, int> class_of_root;
    const auto renumber = [&](std::vector<int>& numbers) {
      for (int& number : numbers) {
        const int root = channels_.root(number);
        const auto [found, is_new] =
            class_of_root.try_emplace(root, static_cast<int>(class_of_root.size()));
        if (is_new) result_.reasons.push_back(channels_.reason(root));
        number = found->second;
      }
    };
    for (ScalableLayer& layer : result_.layers) {
      renumber(layer.columns);
      renumber(layer.rows);
    }
    for (ScalableConstant& summand : result_.constants) renumber(summand.channels);
    for (auto& [value, seen] : seen_) {
      renumber(seen.numbers);
      result_.values[value] = std::move(seen.numbers);
      result_.axes[value] = seen.axis;
    }
  }

  Graph graph_;
  ValueFacts facts_;
  Channels channels_{};
  std::map<std::string, Seen> seen_{};
  ScalableChannels result_{};
};

}  // namespace

bool takes_any_scale(const Graph& graph, const onnx::NodeProto& node) {
  return !gain_inputs(graph, node).empty();
}

ScalableChannels find_scalable_channels(const Model& model) { return Walk(model).result(); }

}  // namespace ocs
