// Cross-layer equalization as an array problem: factors of channels that leave the least noise after
// rounding (docs/equalization.md). Beyond Nagel et al. 2019, "Data-Free Quantization", whose rule makes the ranges
// of two layers equal: the objective here also knows what the rounding of activations costs.
#pragma once

#include <vector>

#include "ocs/quant/channel_matrix.h"

namespace ocs {

// Weights that are rounded. Rows are multiplied by the factors of `rows`, columns divided by those of
// `columns`.
struct EqualizedWeights {
  ChannelMatrix matrix{};
  std::vector<int> rows{};             // number of the factor of each row
  std::vector<int> columns{};          // and of each column; empty: their factors are 1
  std::vector<double> input_energy{};  // mean square of what each column meets, without its mean
  double levels = 127.0;               // the largest magnitude stands for this many steps
  bool has_row_scales = false;         // a scale for each row, not one for all
};

// Activations that are rounded on one grid, multiplied by the factors of `channels`.
struct EqualizedData {
  std::vector<int> channels{};
  std::vector<double> magnitudes{};  // largest of each channel
  double levels = 255.0;             // the largest of all channels stands for this many steps
};

struct EqualizationProblem {
  std::vector<double> smallest{};    // of each factor; at most 1
  std::vector<double> largest{};     // of each factor; at least 1
  std::vector<double> importance{};  // of a squared error in the channels of each factor
  std::vector<EqualizedWeights> weights{};
  std::vector<EqualizedData> data{};
};

struct Equalization {
  std::vector<double> factors{};
  double noise_before = 0.0;  // sum over channels of importance * squared error, as predicted
  double noise_after = 0.0;
  int rounds = 0;
};

// The noise of rounding, with importance q, input energies h, steps D = range / levels and factors t:
//   sum over weights  D^2/12 * (sum over rows q / t^2) * taps * (sum over columns h t^2)
//   + sum over data   D^2/12 * (sum over channels q / t^2)
// The range of t_row |W| / t_column, or of t |x|, enters as a norm of degree 4, or 8, in place of the maximum. Each term is a sum of products of powers of t, so
// that the noise is convex in log t and has one minimum. Starts at 1, and in each round multiplies every factor by (falling / rising)^(1/16), the
// shares of the noise that fall and that rise with it; the step is halved where the noise does not fall. Ends where no factor moves by more than
// 1e-3. Throws Error(internal) for numbers out of range.
[[nodiscard]] Equalization equalize(const EqualizationProblem& problem);

}  // namespace ocs
