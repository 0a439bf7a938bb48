// The error of a row with integers q at scale s, against wanted weights w, is up to a constant
//   s^2 q^T H q - 2 s q^T b,      H = E[y y^T],  b = (H + D^T) w,  D = E[(x - y) y^T].
// The best scale is q^T b / q^T H q. With it fixed, the best real value of one integer is
// q_j - g_j / (s H_jj), g = s H q - b; the error is a parabola in q_j, so the nearest integer in
// range is the best one.
#include "ocs/round/refine.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <Eigen/Core>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/round/levels.h"

namespace ocs {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Square = Eigen::Map<const Matrix>;

constexpr std::int64_t rows_of_a_block = 64;
constexpr int most_turns = 8;
constexpr float most_rescaling = 2.0F;

class Refiner {
 public:
  Refiner(const RoundProblem& problem, Rounded& refined)
      : problem_(problem), levels_(problem), refined_(refined) {}

  void refine_rows(std::int64_t g, std::int64_t first, std::int64_t last) {
    const ChannelMatrix& weight = problem_.weight;
    const Eigen::Index side = weight.inputs * weight.taps;
    const Eigen::Index rows = last - first;
    const Square energy(problem_.energy.data() + g * side * side, side, side);
    const float mean = energy.diagonal().mean();
    if (!(mean > 0.0F)) return;
    const float damp = damping * mean;
    Matrix wanted(rows, side);
    Matrix levels(rows, side);
    for (Eigen::Index r = 0; r < rows; ++r)
      for (Eigen::Index j = 0; j < side; ++j) {
        const std::size_t at = weight.index(g, first + r, j / weight.taps, j % weight.taps);
        wanted(r, j) = weight.data[at];
        levels(r, j) = static_cast<float>(refined_.stored[at]);
      }
    Matrix aim = wanted * energy + damp * wanted;  // b
    if (!problem_.drift.empty())
      aim += wanted * Square(problem_.drift.data() + g * side * side, side, side);
    Matrix image = levels * energy + damp * levels;  // H q
    for (int turn = 0; turn < most_turns; ++turn) {
      bool has_moved = false;
      for (Eigen::Index r = 0; r < rows; ++r) {
        const auto row = static_cast<std::size_t>(g * weight.outputs + first + r);
        if (problem_.fits_scales) fit_scale(levels.row(r), aim.row(r), image.row(r), row);
        const float scale = refined_.scales[refined_.scales.size() == 1 ? 0 : row];
        has_moved |= descend(energy, damp, scale, g, aim.row(r), levels.row(r), image.row(r));
      }
      if (!has_moved) break;
    }
    for (Eigen::Index r = 0; r < rows; ++r)
      for (Eigen::Index j = 0; j < side; ++j)
        refined_.stored[weight.index(g, first + r, j / weight.taps, j % weight.taps)] =
            static_cast<std::int16_t>(levels(r, j));
  }

 private:
  using Row = Eigen::Ref<Eigen::Matrix<float, 1, Eigen::Dynamic>>;

  void fit_scale(const Row& levels, const Row& aim, const Row& image, std::size_t row) {
    float& scale = refined_.scales[row];
    const float fitted = levels.dot(aim) / levels.dot(image);
    const float given = problem_.scales[row];
    if (std::isfinite(fitted) && fitted > given / most_rescaling && fitted < given * most_rescaling)
      scale = fitted;
  }

  bool descend(const Square& energy, float damp, float scale, std::int64_t g, const Row& aim,
               Row levels, Row image) const {
    bool has_moved = false;
    for (Eigen::Index j = 0; j < levels.size(); ++j) {
      const float limit = levels_.limit(
          static_cast<std::size_t>(g * problem_.weight.inputs + j / problem_.weight.taps));
      if (limit < 0.0F) continue;
      const float curvature = energy(j, j) + damp;
      const float best = levels[j] + (aim[j] / scale - image[j]) / curvature;
      const float level = std::nearbyint(std::clamp(best, -limit, limit));
      // Ties stay where they are: no endless exchange between equals.
      if (!(std::abs(level - best) < std::abs(levels[j] - best) - 1e-4F)) continue;
      const float change = level - levels[j];
      levels[j] = level;
      image += change * energy.row(j);
      image[j] += change * damp;
      has_moved = true;
    }
    return has_moved;
  }

  const RoundProblem& problem_;
  Levels levels_;
  Rounded& refined_;
};

}  // namespace

Rounded refine(const RoundProblem& problem, Rounded rounded) {
  check(problem);
  if (rounded.stored.size() != problem.weight.data.size() ||
      rounded.scales.size() != problem.scales.size())
    throw_internal("rounding: integers of another weight");
  if (problem.energy.empty()) return rounded;
  if (problem.block > 0) throw_internal("rounding: refinement wants one scale for a whole row");
  const ChannelMatrix& weight = problem.weight;
  Refiner refiner(problem, rounded);
  const std::int64_t blocks = (weight.outputs + rows_of_a_block - 1) / rows_of_a_block;
  parallel_for(static_cast<std::size_t>(weight.groups * blocks), [&](std::size_t item) {
    const auto g = static_cast<std::int64_t>(item) / blocks;
    const std::int64_t first = static_cast<std::int64_t>(item) % blocks * rows_of_a_block;
    refiner.refine_rows(g, first, std::min(first + rows_of_a_block, weight.outputs));
  });
  return rounded;
}

}  // namespace ocs
