// Exact integer parts of a split weight (method.md section 3): round first, split last.
//
// A weight k (an integer, |k| <= copies * N) is shared by `copies` duplicates of its input channel as
// part_of(k, copies, j) = floor((k + j) / copies), j = 0 .. copies - 1. The parts add up to k and each fits [-N, N].
#pragma once

#include <cstdint>

namespace ocs {

[[nodiscard]] constexpr std::int32_t part_of(std::int32_t k, std::int32_t copies, std::int32_t j) {
  const std::int32_t sum = k + j;
  const std::int32_t quotient = sum / copies;
  return quotient - ((sum % copies != 0 && sum < 0) ? 1 : 0);  // floor, not truncation
}

}  // namespace ocs
