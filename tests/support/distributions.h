// Seeded samples of the shapes that weights and activations have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ocs {

enum class Distribution {
  normal,
  laplace,
  heavy,    // the quotient of normals by a mean of three squares: Student's t with 3 degrees
  outlier,  // normal of deviation 0.01, and a single 1
};
constexpr Distribution all_distributions[] = {Distribution::normal, Distribution::laplace,
                                              Distribution::heavy, Distribution::outlier};

[[nodiscard]] std::string_view name_of(Distribution distribution);
[[nodiscard]] std::vector<float> sample(Distribution distribution, std::size_t count,
                                        std::uint64_t seed);
// The same behind a Relu: about half of them zero.
[[nodiscard]] std::vector<float> rectified(std::vector<float> values);

}  // namespace ocs
