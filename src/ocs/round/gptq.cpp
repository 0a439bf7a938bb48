// GPTQ with one factorization. The error of a row with rounding errors d is d^T H d, H = L L^T, that
// is the sum over columns i of (L_ii d_i + sum over k > i of L_ki d_k)^2. Rounding the columns from
// the last to the first, each term is made as small as the grid allows with what is already fixed:
//   q_i = round(w_i - sum over k > i of L_ki d_k / L_ii),   d_i = q_i * scale - w_i.
// That is what Frantar et al. (2022) do from the first column to the last with the factor of the
// inverse of H: no inverse is needed here. Columns are ordered by H_ii, so that those that weigh
// most come first, with all others still there to make up for them ("act-order").
//
// Where the layer sees inputs y that drifted from the x of the float model, W x is to be met by
// Q y: with H = E[y y^T] and D = E[(x - y) y^T] the error is that of Q against W + W D H^-1, and a
// rest that no Q changes. So that is what is rounded.
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include <Eigen/Dense>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/round/levels.h"
#include "ocs/round/refine.h"

namespace ocs {
namespace {

using Matrix = Eigen::MatrixXf;  // column-major
using Energy =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

constexpr Eigen::Index columns_of_a_block = 64;
constexpr std::int64_t rows_of_a_block = 64;

// What the rows of one group share.
struct Group {
  // Column (input * taps + tap) at each place: the exact ones, which come last, when they can make up for all others, then by rising
  // energy.
  std::vector<std::int64_t> order{};
  Eigen::Index exact = 0;  // so many places in front
  Matrix factor{};  // L_ki / L_ii at (k, i) for k > i: what an error at place k takes from the
                    // target of place i
  Eigen::VectorXf pivots{};  // L_ii^2; empty: no data
};

Group factorize(const Energy& energy, std::span<const std::int64_t> exact) {
  const Eigen::Index size = energy.rows();
  Group group;
  group.order.resize(static_cast<std::size_t>(size));
  std::iota(group.order.begin(), group.order.end(), 0);
  std::ranges::stable_sort(group.order, {}, [&](std::int64_t i) { return energy(i, i); });
  std::ranges::stable_partition(
      group.order, [&](std::int64_t i) { return std::ranges::binary_search(exact, i); });
  group.exact = static_cast<Eigen::Index>(exact.size());
  Matrix sorted(size, size);  // lower triangle
  for (Eigen::Index j = 0; j < size; ++j) {
    for (Eigen::Index i = j; i < size; ++i) {
      const std::int64_t a = group.order[static_cast<std::size_t>(i)];
      const std::int64_t b = group.order[static_cast<std::size_t>(j)];
      sorted(i, j) = energy(std::max(a, b), std::min(a, b));
    }
  }
  const float mean = sorted.diagonal().mean();
  if (!(mean > 0.0F)) {  // no data: every column by itself
    group.factor = Matrix::Zero(size, size);
    return group;
  }
  sorted.diagonal().array() += damping * mean;              // then the factorization exists too
  const Eigen::LLT<Eigen::Ref<Matrix>> decomposed(sorted);  // in place
  if (decomposed.info() != Eigen::Success)
    throw_internal("rounding: the second moments of the inputs are not positive");
  group.pivots = sorted.diagonal().array().square();
  for (Eigen::Index j = 0; j < size; ++j) sorted.col(j).tail(size - j - 1) /= sorted(j, j);
  group.factor = std::move(sorted);
  return group;
}

class Rounder {
 public:
  explicit Rounder(const RoundProblem& problem)
      : problem_(problem),
        levels_(problem),
        stored_(problem.weight.data.size(), 0),
        beside_(problem) {}

  // Outputs [first, last) of group g. Rows need nothing of each other.
  void round_rows(const Group& group, std::int64_t g, std::int64_t first, std::int64_t last) {
    const auto size = static_cast<Eigen::Index>(group.order.size());
    const Eigen::Index rows = last - first;
    // Targets and errors, a row of the weight in a row; places in the order of the group.
    Matrix target(rows, size);
    for (Eigen::Index place = 0; place < size; ++place)
      for (Eigen::Index r = 0; r < rows; ++r)
        target(r, place) = problem_.weight.data[index(group, g, first + r, place)];
    if (!problem_.drift.empty() && group.pivots.size() > 0)
      target += drift_correction(group, g, target);
    const Matrix goal = target;
    Matrix error(rows, columns_of_a_block);
    for (Eigen::Index end = size; end > 0;) {
      const Eigen::Index begin = std::max<Eigen::Index>(0, end - columns_of_a_block);
      for (Eigen::Index place = end - 1; place >= begin; --place) {
        round_place(group, g, first, place, target.col(place), goal.col(place),
                    error.col(place - begin));
        const Eigen::Index rest = place - begin;
        if (rest > 0)
          target.middleCols(begin, rest).noalias() -=
              error.col(place - begin) * group.factor.row(place).segment(begin, rest);
      }
      if (begin > 0)
        target.leftCols(begin).noalias() -=
            error.leftCols(end - begin) * group.factor.block(begin, 0, end - begin, begin);
      end = begin;
    }
  }

  [[nodiscard]] Rounded take_rounded() {
    Rounded rounded{.stored = std::move(stored_),
                    .scales = {problem_.scales.begin(), problem_.scales.end()}};
    beside_.move_into(rounded);
    return rounded;
  }

 private:
  [[nodiscard]] std::size_t index(const Group& group, std::int64_t g, std::int64_t output,
                                  Eigen::Index place) const {
    const std::int64_t column = group.order[static_cast<std::size_t>(place)];
    return problem_.weight.index(g, output, column / problem_.weight.taps,
                                 column % problem_.weight.taps);
  }

  // W D H^-1 for rows of W, all in the places of the group.
  [[nodiscard]] Matrix drift_correction(const Group& group, std::int64_t g,
                                        const Matrix& weight) const {
    const Eigen::Index size = weight.cols();
    const Energy drift(problem_.drift.data() + g * size * size, size, size);
    // D^T W^T, then H^-1 with H = L' diag(pivots) L'^T, L' the factor with ones on its diagonal.
    Matrix solved = drift(group.order, group.order).transpose() * weight.transpose();
    const auto unit_lower = group.factor.triangularView<Eigen::UnitLower>();
    unit_lower.solveInPlace(solved);
    solved.array().colwise() /= group.pivots.array();
    group.factor.transpose().triangularView<Eigen::UnitUpper>().solveInPlace(solved);
    return solved.transpose();
  }

  // Rounds one place of all rows; `error` gets rounded minus wanted weight.
  void round_place(const Group& group, std::int64_t g, std::int64_t first, Eigen::Index place,
                   const Eigen::Ref<const Eigen::VectorXf>& target,
                   const Eigen::Ref<const Eigen::VectorXf>& goal,
                   Eigen::Ref<Eigen::VectorXf> error) {
    const std::int64_t input = group.order[static_cast<std::size_t>(place)] / problem_.weight.taps;
    const std::int64_t place_of_input = g * problem_.weight.inputs + input;
    const auto column = static_cast<std::size_t>(place_of_input);
    for (Eigen::Index r = 0; r < error.size(); ++r) {
      const float scale = levels_.scale_of(g * problem_.weight.outputs + first + r, place_of_input);
      const std::size_t at = index(group, g, first + r, place);
      stored_[at] = levels_.nearest(target[r], scale, column);
      error[r] = static_cast<float>(stored_[at]) * scale - goal[r];
    }
    if (place >= group.exact) return;
    const auto exact = std::ranges::lower_bound(problem_.exact, input) - problem_.exact.begin();
    for (Eigen::Index r = 0; r < error.size(); ++r)
      error[r] += beside_.hold(first + r, exact, target[r] - (error[r] + goal[r]));
  }

  const RoundProblem& problem_;
  Levels levels_;
  std::vector<std::int16_t> stored_;
  Beside beside_;
};

}  // namespace

Rounded round_weights(const GptqRounding& rounding, const RoundProblem& problem) {
  if (problem.energy.empty()) return round_weights(NearestRounding{}, problem);
  check(problem);
  Rounder rounder(problem);
  const ChannelMatrix& weight = problem.weight;
  const std::int64_t side = weight.inputs * weight.taps;
  const auto work = [&](const Group& group, std::int64_t g, std::int64_t block) {
    const std::int64_t first = block * rows_of_a_block;
    rounder.round_rows(group, g, first, std::min(first + rows_of_a_block, weight.outputs));
  };
  const std::int64_t blocks = (weight.outputs + rows_of_a_block - 1) / rows_of_a_block;
  const auto factor_of = [&](std::int64_t g) {
    return factorize(Energy(problem.energy.data() + g * side * side, side, side), problem.exact);
  };
  if (weight.groups == 1) {
    const Group group = factor_of(0);
    parallel_for(static_cast<std::size_t>(blocks),
                 [&](std::size_t block) { work(group, 0, static_cast<std::int64_t>(block)); });
  } else {
    parallel_for(static_cast<std::size_t>(weight.groups), [&](std::size_t item) {
      const auto g = static_cast<std::int64_t>(item);
      const Group group = factor_of(g);
      for (std::int64_t block = 0; block < blocks; ++block) work(group, g, block);
    });
  }
  Rounded rounded = rounder.take_rounded();
  return rounding.refine ? refine(problem, std::move(rounded)) : rounded;
}

}  // namespace ocs
