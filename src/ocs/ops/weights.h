// What the rows of the table share. Used inside ops/ only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"
#include "ocs/graph/graph.h"

namespace ocs {

// Why input `index` cannot be a weight that is quantized; "" where it can: a float initializer.
[[nodiscard]] std::string why_no_weight(const onnx::NodeProto& node, const Graph& graph, int index);
// Why input `index` cannot be a bias: it is there, and computed; "" otherwise.
[[nodiscard]] std::string why_no_bias(const onnx::NodeProto& node, const Graph& graph, int index);

[[noreturn]] void throw_bad_weight(const onnx::NodeProto& node, const Shape& weight,
                                   const std::string& reason);

// Throws Error(bad_input) naming the node where the rank is none of these, Error(internal) where
// there are values, but not as many as the shape asks for.
void check_weight(const onnx::NodeProto& node, const Shape& weight, std::span<const float> values,
                  std::size_t least_rank, std::size_t largest_rank);
// Attribute `group`, checked to divide `channels`, the extent of a weight axis.
[[nodiscard]] std::int64_t groups_of(const onnx::NodeProto& node, const Shape& weight,
                                     std::int64_t channels);
// Product of the extents behind the first two, checked against attribute `kernel_shape`.
[[nodiscard]] std::int64_t taps_of(const onnx::NodeProto& node, const Shape& weight);

}  // namespace ocs
