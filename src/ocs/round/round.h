// The catalogue of rounding methods: real weights to the integers of a grid, with split channels
// (docs/splitting.md).
//
// To add one: its option struct and its name in the variant here, and round/<name>.cpp with
// `round_weights(const NameRounding&, const RoundProblem&)`. Its text form, --help and the contract
// test follow from the variant.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "ocs/core/fields.h"
#include "ocs/quant/channel_matrix.h"
#include "ocs/split/select.h"

namespace ocs {

struct RoundProblem {
  ChannelMatrix weight{};           // finite values
  std::span<const float> scales{};  // 1 entry, or one for each row (and block of it, side by side);
                                    // finite, > 0
  std::int64_t block = 0;           // inputs of a row that share a scale (ScaleIndex); 0: all
  std::span<const int> copies{};    // of each input channel (columns()); empty: 1 each
  std::int32_t highest = 127;       // N: a physical weight lies in [-N, N]
  SplitKind kind = SplitKind::quantization_aware;
  SplitParts parts = SplitParts::equal;
  // Second moments E[x x^T] of the inputs, for methods that look at the data: a square of side
  // inputs * taps (in the order of the view: input, tap) for each group, one after the other.
  // Symmetric and whole; any positive factor. Empty: unknown.
  std::span<const float> energy{};
  // E[(x - y) y^T], squares like those of `energy`, whole and with the same factor: x is what the
  // layer sees in the float model, y (whose moments `energy` then holds) what it sees behind layers
  // that are rounded already. Empty: x = y.
  std::span<const float> drift{};
  // Input channels, ascending, whose weights are held twice: as integers of the matrix, and what these leave as integers beside it
  // (plan/residual_columns.h). Of one group with one tap.
  std::span<const std::int64_t> exact{};
  // Scales of what is held beside it, [rows, blocks of `block` exact channels]. Empty: not known yet, then it is taken for exact.
  std::span<const float> exact_scales{};
  // Whether a method may give each row another scale, at most twice or half the one given. Only where every row has its own.
  bool fits_scales = false;
};

struct Rounded {
  // Integers of the unsplit matrix in the layout of weight.data (same size and indices);
  // |q| <= copies * highest, and never beyond 32767 (more than 258 copies at 8 bits, where a whole
  // that large is clamped). Elements of weight.data that the view does not reach are 0.
  std::vector<std::int16_t> stored{};
  std::vector<float> scales{};  // as many as the problem has; those unless fits_scales
  // Of the exact channels, [rows, exact]: what the integers leave of them, without exact_scales; with these the integers beside the
  // matrix.
  std::vector<float> left{};
  std::vector<std::int16_t> residual{};
};

// Throws Error(internal) where sizes differ, a scale is not finite and positive, or a count is < 1.
void check(const RoundProblem& problem);

struct NearestRounding {
  static constexpr std::string_view name = "nearest";
  static constexpr std::string_view help = "to the nearest level, ties to even";
  static constexpr auto fields() { return std::tuple{}; }
  bool operator==(const NearestRounding&) const = default;
};

// Frantar et al. 2022 (arXiv 2210.17323): column by
// column, what rounding one makes wrong is taken over by those that are still to be rounded, so that
// the error of the layer's output over the calibration data stays small (docs/rounding.md). Without
// RoundProblem::energy it is nearest.
struct GptqRounding {
  static constexpr std::string_view name = "gptq";
  static constexpr std::string_view help =
      "column by column, the error of each made up for by the next, as the data weigh it (GPTQ)";
  // One layer after the other, on the inputs that the rounded layers before it give: what they made
  // wrong is made up for as well (RoundProblem::drift).
  bool sequential = false;
  bool refine =
      false;  // scales are searched for, integers and scales then refined (round/refine.h)
  static constexpr auto fields() {
    return std::tuple{
        Field{"sequential", &GptqRounding::sequential,
              "layer by layer, each making up for those rounded before it"},
        Field{"refine", &GptqRounding::refine,
              "then integers and the scale of each output channel made better by turns"}};
  }
  bool operator==(const GptqRounding&) const = default;
};

// Nagel et al. 2020 (arXiv 2004.10568): each weight goes up or down, whichever with all others makes the
// error of the layer's output over the calibration data small; found by descent on a soft choice that is
// made hard by and by (docs/rounding.md). Without RoundProblem::energy it is nearest.
struct AdaroundRounding {
  static constexpr std::string_view name = "adaround";
  static constexpr std::string_view help =
      "up or down, all weights of an output channel chosen together by descent (AdaRound)";
  bool sequential = false;  // as GptqRounding's
  bool refine = false;      // the same
  double iterations = 1000;
  static constexpr auto fields() {
    return std::tuple{
        Field{"sequential", &AdaroundRounding::sequential,
              "layer by layer, each making up for those rounded before it"},
        Field{"refine", &AdaroundRounding::refine,
              "then integers and the scale of each output channel made better by turns"},
        Field{"iterations", &AdaroundRounding::iterations, "steps of the descent, 1 to 100000"}};
  }
  [[nodiscard]] std::string_view problem() const {
    return iterations >= 1 && iterations <= 100000 ? "" : "it takes 1 to 100000 iterations";
  }
  bool operator==(const AdaroundRounding&) const = default;
};
// A new method adds its name here.
using Rounding = std::variant<NearestRounding, GptqRounding, AdaroundRounding>;

// Throws what check() throws. Uses parallel_for; the result does not depend on the number of threads.
[[nodiscard]] Rounded round_weights(const NearestRounding& rounding, const RoundProblem& problem);
[[nodiscard]] Rounded round_weights(const GptqRounding& rounding, const RoundProblem& problem);
[[nodiscard]] Rounded round_weights(const AdaroundRounding& rounding, const RoundProblem& problem);
[[nodiscard]] Rounded round_weights(const Rounding& rounding, const RoundProblem& problem);

// Whether a method looks at RoundProblem::energy.
[[nodiscard]] bool needs_energy(const Rounding& rounding);

// Whether it does so layer by layer, with RoundProblem::drift.
[[nodiscard]] bool is_sequential(const Rounding& rounding);
// Whether it may give rows other scales (RoundProblem::fits_scales).
[[nodiscard]] bool fits_scales(const Rounding& rounding);

// Throws Error(bad_input) for an unknown name.
[[nodiscard]] Rounding parse_rounding(std::string_view text);
[[nodiscard]] std::string to_string(const Rounding& rounding);
[[nodiscard]] std::vector<std::string> rounding_names();

}  // namespace ocs
