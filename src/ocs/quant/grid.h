// Which integers a quantized value may take (method: symmetric grid N = 2^(b-1) - 1; unsigned grid
// 0 .. 2^b - 1).
#pragma once

#include <cstdint>

namespace ocs {

struct Grid {
  int bits = 8;           // 2..8, 16
  bool is_signed = true;  // signed: lowest() .. highest() around 0; unsigned: 0 .. 2^bits - 1
  bool symmetric = true;  // signed only: without -2^(bits-1), so that the grid is [-N, N]

  [[nodiscard]] constexpr std::int32_t highest() const {
    return is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  }
  [[nodiscard]] constexpr std::int32_t lowest() const {
    return is_signed ? (symmetric ? -highest() : -highest() - 1) : 0;
  }
  // Steps from zero to the highest level: N, or 2^bits - 1 without sign.
  [[nodiscard]] constexpr std::int32_t steps() const { return highest(); }
  bool operator==(const Grid&) const = default;
};

}  // namespace ocs
