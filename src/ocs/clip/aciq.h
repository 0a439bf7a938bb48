#pragma once

namespace ocs {

struct AciqMultiples {
  double laplace = 0.0;  // L_b: threshold / mean deviation of a Laplace distribution
  double gauss = 0.0;    // G_b: threshold / standard deviation of a Gauss distribution
};

// The multiples for a grid of 2^bits - 1 levels, bits of 2..17 (17: the 16 bits of an unsigned
// grid), computed numerically once; 9 bits, the 8 of an unsigned grid: L = 9.9003, G = 3.9249.
[[nodiscard]] AciqMultiples aciq_multiples(int bits);

}  // namespace ocs
