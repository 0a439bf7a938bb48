#include "ocs/core/random.h"

#include <cmath>
#include <numbers>

namespace ocs {

double Random::uniform() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::uint64_t Random::below(std::uint64_t bound) {
  return static_cast<std::uint64_t>(uniform() * static_cast<double>(bound));
}

std::vector<float> Random::normals(std::size_t count, float scale) {
  std::vector<float> values(count);
  for (float& value : values) value = scale * static_cast<float>(normal());
  return values;
}

}  // namespace ocs
