// Analytic clipping (Banner et al. 2018, "ACIQ") for a grid of 2^b - 1 levels, in the form that the
// paper's authors took over. For values with density f the expected squared error of threshold a is
//   E(a) = 2 * integral over x > a of (x - a)^2 f(x)  +  r * a^2,   r = 4 (2^b - 2) / (3 * 2^(3b)),
// and its minimum lies at a fixed multiple of the spread: L_b times the mean deviation of a Laplace
// distribution, G_b times the standard deviation of a Gauss distribution.
//
// The unsigned grid of b bits has as many steps above zero as the signed one of b + 1 bits. Values
// that are never negative are taken as one half of a symmetric distribution around zero; exact
// zeros tell nothing about its spread and cost nothing at any threshold, so they are left out.
#include "ocs/clip/aciq.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "ocs/clip/bounded.h"
#include "ocs/clip/clip.h"
#include "ocs/clip/histogram.h"

namespace ocs {
namespace {

double rounding_share(int bits) {
  return 4.0 * (std::exp2(bits) - 2.0) / std::exp2(3.0 * bits) / 3.0;
}

// Root of an increasing function on (0, 64): dE/da falls below zero left of the minimum only.
template <typename Slope>
double root(const Slope& slope) {
  double low = 0.0;
  double high = 64.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2.0;
    (slope(middle) < 0.0 ? low : high) = middle;
  }
  return high;
}

// E(a) = 2 e^-a + r a^2 for mean deviation 1.
double laplace_multiple(int bits) {
  const double r = rounding_share(bits);
  return root([&](double a) { return r * a - std::exp(-a); });
}

// dE/da = 2 a erfc(a / sqrt 2) - 2 sqrt(2 / pi) e^(-a^2 / 2) + 2 r a for standard deviation 1.
double gauss_multiple(int bits) {
  const double r = rounding_share(bits);
  return root([&](double a) {
    return a * std::erfc(a * std::numbers::sqrt2 / 2.0) -
           std::sqrt(2.0 / std::numbers::pi) * std::exp(-a * a / 2.0) + r * a;
  });
}

}  // namespace

AciqMultiples aciq_multiples(int bits) {
  static const auto table = [] {
    std::array<AciqMultiples, 18> all{};
    for (int b = 2; b < 18; ++b) {
      all[static_cast<std::size_t>(b)] = {.laplace = laplace_multiple(b),
                                          .gauss = gauss_multiple(b)};
    }
    return all;
  }();
  return table.at(static_cast<std::size_t>(bits));
}

namespace {

struct Spread {
  double mean_deviation = 0.0;
  double standard_deviation = 0.0;
  double count = 0.0;
  double range = 0.0;
};

// Around zero for unsigned grids, around the mean else.
Spread spread_of(const ClipInput& input) {
  const bool one_sided = !input.grid.is_signed;
  const auto count_of = [&](std::size_t i) {
    if (one_sided && input.values[i] == 0.0F) return 0.0;
    return input.counts.empty() ? 1.0 : input.counts[i];
  };
  double count = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    count += count_of(i);
    sum += count_of(i) * static_cast<double>(input.values[i]);
  }
  if (count == 0.0) return {};
  const double centre = one_sided ? 0.0 : sum / count;
  double deviations = 0.0;
  double squares = 0.0;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    const double away = std::abs(static_cast<double>(input.values[i]) - centre);
    deviations += count_of(i) * away;
    squares += count_of(i) * away * away;
  }
  const double range = static_cast<double>(input.max) - static_cast<double>(input.min);
  return {.mean_deviation = deviations / count,
          .standard_deviation = std::sqrt(squares / count),
          .count = one_sided ? 2.0 * count : count,
          .range = one_sided ? 2.0 * static_cast<double>(input.max) : range};
}

// The authors' estimate of sigma from the range of n values (data/reference/README.md).
double sigma_from_range(const Spread& spread) {
  const double factor = 0.175 * (1.0 + std::sqrt(std::numbers::pi * std::log(4.0)));
  return spread.range * factor / std::sqrt(2.0 * std::log(std::max(spread.count, 2.0)));
}

}  // namespace

float threshold(const AciqClip& clip, const ClipInput& input) {
  const double max_abs = input.max_abs();
  if (max_abs == 0.0) return 0.0F;
  const int bits = input.grid.is_signed ? input.grid.bits : input.grid.bits + 1;
  const Spread spread = spread_of(input);
  const double sigma =
      clip.ordinary_deviation ? spread.standard_deviation : sigma_from_range(spread);
  // A spread of zero (equal values) is no threshold.
  const auto usable = [&](double a) { return a > 0.0 ? std::min(a, max_abs) : max_abs; };
  const AciqMultiples multiples = aciq_multiples(bits);
  const double laplace = usable(multiples.laplace * spread.mean_deviation);
  const double gauss = usable(multiples.gauss * sigma);
  // As the authors have it, symmetric around zero whatever the extremes are: zeros lie in the middle
  // of a bin, and so cost nothing.
  const EqualBins bins = equal_bins(input, -max_abs, max_abs, 101);
  const bool laplace_errs_less =
      centre_error(bins, laplace, input.grid) < centre_error(bins, gauss, input.grid);
  return bounded_threshold(laplace_errs_less ? laplace : gauss, input.max_abs());
}

}  // namespace ocs
