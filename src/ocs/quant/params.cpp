#include "ocs/quant/params.h"

#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {

void check(const QuantParams& params) {
  if (params.scale.empty() || params.scale.size() != params.zero_point.size()) {
    throw_internal(fmt::format("quantization parameters: {} scales, {} zero points",
                               params.scale.size(), params.zero_point.size()));
  }
  if (!params.axis && params.scale.size() != 1) {
    throw_internal(
        fmt::format("quantization parameters: {} scales without an axis", params.scale.size()));
  }
  for (std::size_t k = 0; k < params.scale.size(); ++k) {
    if (!std::isfinite(params.scale[k]) || params.scale[k] <= 0.0F) {
      throw_internal(fmt::format("quantization parameters: scale {} of index {} is not positive",
                                 params.scale[k], k));
    }
    if (params.zero_point[k] < params.grid.lowest() ||
        params.zero_point[k] > params.grid.highest()) {
      throw_internal(
          fmt::format("quantization parameters: zero point {} of index {} lies outside [{}, {}]",
                      params.zero_point[k], k, params.grid.lowest(), params.grid.highest()));
    }
  }
}

float power_of_two_above(float scale) {
  int exponent = 0;
  const float fraction = std::frexp(scale, &exponent);  // in [1/2, 1)
  return std::ldexp(1.0F, fraction == 0.5F ? exponent - 1 : exponent);
}

}  // namespace ocs
