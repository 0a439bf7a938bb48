// Exact integer parts of a split weight (docs/splitting.md): round first,
// split last.
//
// A weight k (an integer, |k| <= copies * N) is shared by `copies` duplicates of its input channel
// as part_of(k, copies, j) = floor((k + j) / copies), j = 0 .. copies - 1. The parts add up to k
// and each fits [-N, N].
#pragma once

#include <cstdint>

namespace ocs {

// Part j of the integer k cut into `copies` nearly equal parts; 0 <= j < copies, k + j must not
// overflow. Hermite's identity: the sum over j of floor((k + j) / copies) is k.
[[nodiscard]] constexpr std::int32_t part_of(std::int32_t k, std::int32_t copies, std::int32_t j) {
  const std::int32_t sum = k + j;
  const std::int32_t quotient = sum / copies;
  return quotient - ((sum % copies != 0 && sum < 0) ? 1 : 0);  // floor, not truncation
}

// The paper halves one copy at a time, always the one with the largest share, the lowest physical
// index first, and appends the new half behind the others. With 2^d <= copies < 2^(d+1) every copy
// was halved d times, and those that were reached in the last round once more.
//   copies = 3: shares 1/4, 1/2, 1/4
// Gives how often copy j was halved: its share of the weight is 2^-halvings.
[[nodiscard]] constexpr int halvings(int copies, int j) {
  int rounds = 0;
  while ((copies >> (rounds + 1)) > 0) ++rounds;
  const int full = 1 << rounds;
  return j < copies - full || j >= full ? rounds + 1 : rounds;
}

// Part j of the integer k when the parts are halved in that order, the half in place rounded down,
// the new one up. Nested floors collapse: floor((floor((k + b0) / 2) + b1) / 2) =
// floor((k + b0 + 2 * b1) / 4), and the bits b0, b1, .. that lead to a copy spell its index j.
[[nodiscard]] constexpr std::int32_t halving_part_of(std::int32_t k, int copies, int j) {
  return (k + j) >> halvings(copies, j);  // arithmetic shift: floor
}

}  // namespace ocs
