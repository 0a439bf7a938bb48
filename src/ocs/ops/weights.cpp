#include "ocs/ops/weights.h"

#include <algorithm>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

bool is_given(const onnx::NodeProto& node, int index) {
  return index < node.input_size() && !node.input(index).empty();
}

}  // namespace

std::string why_no_weight(const onnx::NodeProto& node, const Graph& graph, int index) {
  if (!is_given(node, index)) return "it has no weight";
  const onnx::TensorProto* weight = graph.initializer(node.input(index));
  if (weight == nullptr) return "its weight is computed, not constant";
  if (weight->data_type() != onnx::TensorProto::FLOAT) return "its weight is not of type float";
  return {};
}

std::string why_no_bias(const onnx::NodeProto& node, const Graph& graph, int index) {
  if (!is_given(node, index) || graph.initializer(node.input(index)) != nullptr) return {};
  return "its bias is computed, not constant";
}

void throw_bad_weight(const onnx::NodeProto& node, const Shape& weight, const std::string& reason) {
  throw_bad_input(fmt::format("node '{}' ({}): weight of shape {}: {}", node.name(), node.op_type(),
                              to_string(weight), reason));
}

void check_weight(const onnx::NodeProto& node, const Shape& weight, std::span<const float> values,
                  std::size_t least_rank, std::size_t largest_rank) {
  if (weight.size() < least_rank || weight.size() > largest_rank) {
    throw_bad_weight(node, weight,
                     least_rank == largest_rank
                         ? fmt::format("{} axes are needed", least_rank)
                         : fmt::format("{} to {} axes can be handled", least_rank, largest_rank));
  }
  if (!values.empty() && std::ssize(values) != element_count(weight))
    throw_internal(fmt::format("node '{}': {} values for a weight of shape {}", node.name(),
                               values.size(), to_string(weight)));
}

std::int64_t groups_of(const onnx::NodeProto& node, const Shape& weight, std::int64_t channels) {
  const std::int64_t groups = int_attribute(node, "group", 1);
  if (groups < 1 || channels % groups != 0)
    throw_bad_weight(
        node, weight,
        fmt::format("{} channels cannot be shared out to {} groups", channels, groups));
  return groups;
}

std::int64_t taps_of(const onnx::NodeProto& node, const Shape& weight) {
  const std::span<const std::int64_t> kernel(weight.begin() + 2, weight.end());
  const std::vector<std::int64_t> stated = ints_attribute(node, "kernel_shape");
  if (!stated.empty() && !std::ranges::equal(stated, kernel))
    throw_bad_weight(node, weight, fmt::format("attribute kernel_shape is {}", to_string(stated)));
  return element_count(kernel);
}

}  // namespace ocs
