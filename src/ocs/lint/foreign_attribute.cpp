#include "ocs/lint/foreign_attribute.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "ocs/graph/graph.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

constexpr std::int64_t first_opset = 1;
constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();

// An operator has the attribute in the opsets `since` to `until`, both included.
struct Row {
  std::string_view op{};
  std::string_view attribute{};
  std::int64_t since = first_opset;
  std::int64_t until = no_end;
};

constexpr std::array rows{
    Row{"BatchNormalization", "spatial", first_opset, 8},
    Row{"BatchNormalization", "training_mode", 14, no_end},
    Row{"Cast", "saturate", 19, no_end},
    Row{"Clip", "max", first_opset, 10},
    Row{"Clip", "min", first_opset, 10},
    Row{"DFT", "axis", first_opset, 19},
    Row{"DequantizeLinear", "axis", 13, no_end},
    Row{"DequantizeLinear", "block_size", 21, no_end},
    Row{"DequantizeLinear", "output_dtype", 23, no_end},
    Row{"Dropout", "ratio", first_opset, 11},
    Row{"Pad", "pads", 2, 10},
    Row{"Pad", "value", first_opset, 10},
    Row{"QuantizeLinear", "axis", 13, no_end},
    Row{"QuantizeLinear", "block_size", 21, no_end},
    Row{"QuantizeLinear", "output_dtype", 21, no_end},
    Row{"QuantizeLinear", "precision", 23, no_end},
    Row{"QuantizeLinear", "saturate", 19, no_end},
    Row{"ReduceL1", "axes", first_opset, 17},
    Row{"ReduceL1", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceL2", "axes", first_opset, 17},
    Row{"ReduceL2", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceLogSum", "axes", first_opset, 17},
    Row{"ReduceLogSum", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceLogSumExp", "axes", first_opset, 17},
    Row{"ReduceLogSumExp", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceMax", "axes", first_opset, 17},
    Row{"ReduceMax", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceMean", "axes", first_opset, 17},
    Row{"ReduceMean", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceMin", "axes", first_opset, 17},
    Row{"ReduceMin", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceProd", "axes", first_opset, 17},
    Row{"ReduceProd", "noop_with_empty_axes", 18, no_end},
    Row{"ReduceSum", "axes", first_opset, 12},
    Row{"ReduceSum", "noop_with_empty_axes", 13, no_end},
    Row{"ReduceSumSquare", "axes", first_opset, 17},
    Row{"ReduceSumSquare", "noop_with_empty_axes", 18, no_end},
    Row{"Reshape", "allowzero", 14, no_end},
    Row{"Reshape", "shape", first_opset, 4},
    Row{"Resize", "antialias", 18, no_end},
    Row{"Slice", "axes", first_opset, 9},
    Row{"Slice", "ends", first_opset, 9},
    Row{"Slice", "starts", first_opset, 9},
    Row{"Split", "num_outputs", 18, no_end},
    Row{"Split", "split", first_opset, 12},
    Row{"Squeeze", "axes", first_opset, 12},
    Row{"TopK", "k", first_opset, 9},
    Row{"Unsqueeze", "axes", first_opset, 12},
    Row{"Upsample", "scales", 7, 8},
};

std::string sentence_about(const onnx::NodeProto& node, const Row& row, std::int64_t opset) {
  const std::string knows = opset < row.since ? fmt::format("knows from opset {} on", row.since)
                                              : fmt::format("knows up to opset {}", row.until);
  return fmt::format("{} '{}' has the attribute {}, which {} {}: the model has opset {}",
                     node.op_type(), node.name(), row.attribute, node.op_type(), knows, opset);
}

}  // namespace

std::string foreign_attribute(const Model& model) {
  const std::int64_t opset = model.opset();
  std::string found;
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) {
    for (const onnx::NodeProto& node : graph.node()) {
      if (!found.empty()) return;
      if (!in_default_domain(node)) continue;
      const auto row = std::ranges::find_if(rows, [&](const Row& each) {
        return each.op == node.op_type() && (opset < each.since || opset > each.until) &&
               attribute(node, each.attribute) != nullptr;
      });
      if (row != rows.end()) found = sentence_about(node, *row, opset);
    }
  });
  return found;
}

}  // namespace ocs
