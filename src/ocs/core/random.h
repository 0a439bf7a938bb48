// The one seeded generator: the same numbers on every platform (the standard library's distributions are not portable).
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace ocs {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  [[nodiscard]] double uniform();                          // [0, 1)
  [[nodiscard]] double normal();                           // mean 0, variance 1 (Box-Muller)
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);  // [0, bound), bound > 0
  [[nodiscard]] std::vector<float> normals(std::size_t count, float scale = 1.0F);

 private:
  std::mt19937_64 engine_;
};

}  // namespace ocs
