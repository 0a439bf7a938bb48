// What a QuantizeLinear or DequantizeLinear says of its integers, as far as an engine looks at it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"

namespace ocs {

struct Quantizer {
  std::int32_t type = 0;        // ONNX's element type of the integers; 0: not known
  bool is_constant = true;      // scale and zero point are constants
  bool has_one_scale = false;   // scale of shape [] or [1], zero point alike
  std::int32_t scale_type = 0;  // ONNX's element type of the scale; 0: not constant
  Shape scale_shape{};          // [] for one that is not constant
  Shape zero_point_shape{};
  bool has_zero_point = false;  // the node names one
  std::vector<float> scales{};  // of a scale with at most one extent
  double scale = 0;             // the first
  std::int64_t zero_point = 0;  // the first
  bool is_uniform = false;      // constant, and all scales are equal and all zero points too
  std::int64_t axis = 1;
  std::int64_t block_size = 0;  // 0: none
  bool operator==(const Quantizer&) const = default;
};

// Finds a constant by name; nullptr where the value is computed.
using FindConstant = std::function<const onnx::TensorProto*(std::string_view)>;

// `folder`: where external data lies. Throws what to_tensor throws for a scale or zero point that is broken.
[[nodiscard]] Quantizer quantizer_of(const onnx::NodeProto& node, const FindConstant& constant,
                                     const std::filesystem::path& folder);

// Least and largest integer of a type of 8 or 16 bits.
struct IntegerRange {
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
};
[[nodiscard]] IntegerRange range_of_type(std::int32_t type);  // {0, 0} for other types
[[nodiscard]] int bits_of_type(std::int32_t type);  // of ONNX's integers, 2 to 32; 0 for others
[[nodiscard]] std::string_view type_name(
    std::int32_t type);  // "int8", ...; "?" where it is not known

}  // namespace ocs
