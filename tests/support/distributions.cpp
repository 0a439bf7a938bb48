#include "support/distributions.h"

#include <algorithm>
#include <cmath>

#include "ocs/core/random.h"

namespace ocs {
namespace {

double draw(Distribution distribution, Random& random) {
  const double normal = random.normal();
  switch (distribution) {
    case Distribution::normal:
      return normal;
    case Distribution::laplace:
      return std::copysign(std::log1p(-random.uniform()), normal);
    case Distribution::heavy: {
      double squares = 0.0;
      for (int i = 0; i < 3; ++i) squares += std::pow(random.normal(), 2);
      return normal / std::sqrt(squares / 3.0);
    }
    case Distribution::outlier:
      return 0.01 * normal;
  }
  return normal;
}

}  // namespace

std::string_view name_of(Distribution distribution) {
  switch (distribution) {
    case Distribution::normal:
      return "normal";
    case Distribution::laplace:
      return "laplace";
    case Distribution::heavy:
      return "heavy";
    case Distribution::outlier:
      return "outlier";
  }
  return "";
}

std::vector<float> sample(Distribution distribution, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(draw(distribution, random));
  if (distribution == Distribution::outlier) values[0] = 1.0F;
  return values;
}

std::vector<float> rectified(std::vector<float> values) {
  for (float& value : values) value = std::max(value, 0.0F);
  return values;
}

}  // namespace ocs
