// The catalogue of clip methods: how the threshold of a tensor is chosen (docs/quantization.md).
//
// To add one: its option struct and its name in the variant here, and clip/<name>.cpp with
// `threshold(const NameClip&, const ClipInput&)`. Its text form, --help and the contract test
// follow from the variant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "ocs/core/fields.h"
#include "ocs/quant/grid.h"

namespace ocs {

// What a method sees of a tensor: its values, or the bins of its histogram. Never empty, all
// finite.
struct ClipInput {
  std::span<const float> values{};   // signed values; of a histogram: the centres of its bins
  std::span<const double> counts{};  // how often each value occurs; empty: once each
  float min = 0.0F;                  // exact extremes (a histogram's centres do not hold them)
  float max = 0.0F;
  Grid grid{};  // signed symmetric, or unsigned for values that are never negative

  [[nodiscard]] float max_abs() const { return max > -min ? max : -min; }
};

// Makes a ClipInput of plain values (extremes computed). Throws Error(internal) for an empty span.
[[nodiscard]] ClipInput clip_input(std::span<const float> values, const Grid& grid);

struct MaxClip {
  static constexpr std::string_view name = "max";
  static constexpr std::string_view help = "the largest magnitude: nothing is clipped";
  static constexpr auto fields() { return std::tuple{}; }
  bool operator==(const MaxClip&) const = default;
};
struct MseClip {
  static constexpr std::string_view name = "mse";
  static constexpr std::string_view help =
      "least mean squared rounding and clipping error (true error, fine search)";
  static constexpr auto fields() { return std::tuple{}; }
  bool operator==(const MseClip&) const = default;
};
struct MseHistClip {
  static constexpr std::string_view name = "mse-hist";
  static constexpr std::string_view help =
      "the paper authors' search over a 201-bin histogram, for comparison";
  static constexpr auto fields() { return std::tuple{}; }
  bool operator==(const MseHistClip&) const = default;
};
struct AciqClip {
  static constexpr std::string_view name = "aciq";
  static constexpr std::string_view help =
      "analytic threshold of a Laplace or Gauss fit, whichever errs less (aciq:std: ordinary "
      "sigma)";
  // "aciq:std": sigma is the standard deviation, not estimated from the range
  bool ordinary_deviation = false;
  static constexpr auto fields() {
    return std::tuple{Field{"std", &AciqClip::ordinary_deviation,
                            "ordinary standard deviation instead of the range estimate"}};
  }
  bool operator==(const AciqClip&) const = default;
};
struct KlClip {
  static constexpr std::string_view name = "kl";
  static constexpr std::string_view help =
      "least Kullback-Leibler divergence of the quantized histogram (1001 bins)";
  static constexpr auto fields() { return std::tuple{}; }
  bool operator==(const KlClip&) const = default;
};
struct PercentileClip {
  static constexpr std::string_view name = "percentile";
  static constexpr std::string_view help =
      "keeps this percentage of the magnitudes (percentile:99.99)";
  double percent = 99.99;  // (0, 100]
  static constexpr auto fields() {
    return std::tuple{Field{"percent", &PercentileClip::percent, "percentage of magnitudes kept"}};
  }
  [[nodiscard]] std::string_view problem() const {
    return percent > 0.0 && percent <= 100.0 ? "" : "percent must lie in (0, 100]";
  }
  bool operator==(const PercentileClip&) const = default;
};
struct RatioClip {
  static constexpr std::string_view name = "ratio";
  static constexpr std::string_view help = "a fixed share of the largest magnitude (ratio:0.9)";
  double ratio = 1.0;  // (0, 1]
  static constexpr auto fields() {
    return std::tuple{Field{"ratio", &RatioClip::ratio, "share of the largest magnitude"}};
  }
  [[nodiscard]] std::string_view problem() const {
    return ratio > 0.0 && ratio <= 1.0 ? "" : "ratio must lie in (0, 1]";
  }
  bool operator==(const RatioClip&) const = default;
};

// A new method adds its name here.
using Clip =
    std::variant<MaxClip, MseClip, MseHistClip, AciqClip, KlClip, PercentileClip, RatioClip>;

// The threshold a in the tensor's units, 0 < a <= input.max_abs(); 0 only where all values are 0.
// Scale-equivariant. The step is a / input.grid.steps(). Each is single-threaded; give tensors or
// rows to parallel_for.
[[nodiscard]] float threshold(const MaxClip& clip, const ClipInput& input);
[[nodiscard]] float threshold(const MseClip& clip, const ClipInput& input);
[[nodiscard]] float threshold(const MseHistClip& clip, const ClipInput& input);
[[nodiscard]] float threshold(const AciqClip& clip, const ClipInput& input);
[[nodiscard]] float threshold(const KlClip& clip, const ClipInput& input);
[[nodiscard]] float threshold(const PercentileClip& clip, const ClipInput& input);
[[nodiscard]] float threshold(const RatioClip& clip, const ClipInput& input);
[[nodiscard]] float threshold(const Clip& clip, const ClipInput& input);

// The kept range of values with both signs on an asymmetric grid of 2^bits - 1 steps; low <= 0 <=
// high. The scale is (high - low) / (2^bits - 1), the zero point round(-low / scale), so that 0
// stays a level.
struct ClipRange {
  float low = 0.0F;
  float high = 0.0F;
  bool operator==(const ClipRange&) const = default;
};

// Of input.grid only the bits count. mse and max choose both ends: max those of the values, mse the
// range with the least true error, whose ends lie on the grid, if need be a step beyond the values.
// The other methods clip symmetrically, at the threshold a of the signed grid: [max(min, -a),
// min(max, a)]. Values of one sign get the threshold of the unsigned grid as their one end.
[[nodiscard]] ClipRange clip_range(const Clip& clip, const ClipInput& input);

// "mse", "aciq:std", "percentile:99.9", "ratio:0.5"; throws Error(bad_input) for an unknown name or
// a number out of range.
[[nodiscard]] Clip parse_clip(std::string_view text);
[[nodiscard]] std::string to_string(const Clip& clip);  // the text that parse_clip takes
[[nodiscard]] std::vector<std::string> clip_names();    // without options, in the variant's order

}  // namespace ocs
