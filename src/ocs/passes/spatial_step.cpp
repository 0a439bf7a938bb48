#include "ocs/passes/spatial_step.h"

#include <algorithm>
#include <set>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/ops/op.h"

namespace ocs {
namespace {

constexpr int first_spatial = 2;

bool is_given(const onnx::NodeProto& node, int input) {
  return input < node.input_size() && !node.input(input).empty();
}

// The values of an input of integers; nothing where it is computed.
std::optional<std::vector<std::int64_t>> integers(const ValueFacts& facts,
                                                  const onnx::NodeProto& node, int input) {
  const Tensor* values = is_given(node, input) ? facts.constant(node.input(input)) : nullptr;
  if (values == nullptr) return std::nullopt;
  if (values->type() == ElementType::int64) {
    const auto wide = values->as<std::int64_t>();
    return std::vector<std::int64_t>(wide.begin(), wide.end());
  }
  if (values->type() != ElementType::int32) return std::nullopt;
  const auto narrow = values->as<std::int32_t>();
  return std::vector<std::int64_t>(narrow.begin(), narrow.end());
}

// Axes as counted from 0, if all of them are spatial.
std::optional<std::set<std::int64_t>> spatial(const std::vector<std::int64_t>& axes, int rank) {
  std::set<std::int64_t> found;
  for (const std::int64_t axis : axes) found.insert(axis < 0 ? axis + rank : axis);
  if (found.empty() || *found.begin() < first_spatial || *found.rbegin() >= rank)
    return std::nullopt;
  return found;
}

bool pads_space(const ValueFacts& facts, const onnx::NodeProto& node, int rank) {
  if (string_attribute(node, "mode", "constant") == "constant" && is_given(node, 2)) {
    const Tensor* value = facts.constant(node.input(2));
    if (value == nullptr || value->type() != ElementType::float32 ||
        !std::ranges::all_of(value->as<float>(), [](float filler) { return filler == 0.0F; }))
      return false;
  }
  const auto pads = integers(facts, node, 1);
  if (!pads) return false;
  if (is_given(node, 3)) {
    const auto axes = integers(facts, node, 3);
    return axes && spatial(*axes, rank);
  }
  const auto count = static_cast<std::size_t>(rank);
  return pads->size() == 2 * count && (*pads)[0] == 0 && (*pads)[1] == 0 && (*pads)[count] == 0 &&
         (*pads)[count + 1] == 0;
}

bool resizes_space(const ValueFacts& facts, const onnx::NodeProto& node, int rank,
                   std::int64_t channels) {
  if (find_channel_rule(node) == nullptr) return false;
  if (attribute(node, "axes") != nullptr)
    return spatial(ints_attribute(node, "axes"), rank).has_value();
  if (is_given(node, 3)) {
    const auto sizes = integers(facts, node, 3);
    return sizes && static_cast<int>(sizes->size()) == rank && (*sizes)[1] == channels;
  }
  const Tensor* scales = is_given(node, 2) ? facts.constant(node.input(2)) : nullptr;
  if (scales == nullptr || scales->type() != ElementType::float32) return false;
  const auto values = scales->as<float>();
  return static_cast<int>(values.size()) == rank && values[0] == 1.0F && values[1] == 1.0F;
}

}  // namespace

std::optional<SpatialStep> spatial_step(const ValueFacts& facts, const onnx::NodeProto& node,
                                        int rank, std::int64_t channels) {
  if (!in_default_domain(node) || rank <= first_spatial) return std::nullopt;
  const std::string& op = node.op_type();
  const auto if_true = [](bool is_one) {
    return is_one ? std::optional<SpatialStep>(SpatialStep{}) : std::nullopt;
  };
  if (op == "Pad") return if_true(pads_space(facts, node, rank));
  if (op == "Resize") return if_true(resizes_space(facts, node, rank, channels));
  if (op == "Slice") {
    const auto axes = integers(facts, node, 3);
    return if_true(axes && spatial(*axes, rank));
  }
  if (op != "ReduceMean" && op != "ReduceSum" && op != "ReduceMax" && op != "ReduceMin")
    return std::nullopt;
  std::optional<std::vector<std::int64_t>> axes = integers(facts, node, 1);
  if (!axes && attribute(node, "axes") != nullptr) axes = ints_attribute(node, "axes");
  if (!axes) return std::nullopt;
  const auto found = spatial(*axes, rank);
  if (!found) return std::nullopt;
  return SpatialStep{.leaves_one = static_cast<int>(found->size()) == rank - first_spatial};
}

}  // namespace ocs
