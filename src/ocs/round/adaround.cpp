// The error of a row with rounding errors d is d^T H d. In steps of the row's scale, with u the wanted
// weights and h in [0, 1] how far each goes from the level below to the one above,
//   e = low + (high - low) h - u,     loss = e^T H e / mean H_ii + lambda * sum of (1 - |2 h - 1|^beta).
// h = clip(1.2 sigmoid(v) - 0.1, 0, 1), so that 0 and 1 are reached; v follows the gradient by Adam
// (Kingma and Ba 2015). The second term, from a fifth of the way on, drives h to 0 or 1: beta falls
// from 20, where only the undecided middle is flat, to 2. Second moments take the place of the
// samples of the paper: the loss is the same, and a step costs one product with H.
//
// Where the layer sees inputs y that drifted from x, what is wanted is u = W + W D H^-1 (gptq.cpp).
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <Eigen/Dense>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/quant/products.h"
#include "ocs/round/levels.h"
#include "ocs/round/refine.h"

namespace ocs {
namespace {

// Columns in rows: an output channel is a column, so that the gradient is one products::add_product.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Square = Eigen::Map<const Matrix>;

constexpr float stretch_low = -0.1F;
constexpr float stretch_high = 1.1F;
// The paper's .01 belongs to a loss in squared units of the output. In steps, the second term must outweigh what the
// other weights of a row pull with, or nothing is decided: .01 rounds to nearest, .3 to 3 do alike.
constexpr float regularization = 1.0F;
constexpr float first_beta = 20.0F;
constexpr float last_beta = 2.0F;
constexpr double warm_up = 0.2;  // share of the iterations without regularization
constexpr float rate = 0.05F;
constexpr float momentum = 0.9F;
constexpr float second_momentum = 0.999F;
constexpr std::int64_t tile = 256;  // rows of the gradient for one product

float sigmoid(float v) { return 1.0F / (1.0F + std::exp(-v)); }

// What the rows of a group share.
struct Group {
  Square energy;  // H, lower and upper half
  float mean = 0.0F;
  Eigen::LLT<Eigen::MatrixXf> factor{};  // of H + damping; only with drift
};

// The outputs [first, last) of group g.
class Descent {
 public:
  Descent(const RoundProblem& problem, const Levels& levels, const Group& group, std::int64_t g,
          std::int64_t first, std::int64_t last)
      : problem_(problem),
        levels_(levels),
        group_(group),
        g_(g),
        first_(first),
        side_(problem.weight.inputs * problem.weight.taps),
        rows_(last - first) {
    set_levels(wanted());
  }

  void run(int iterations) {
    const auto warm = static_cast<int>(warm_up * iterations);
    first_moment_ = Matrix::Zero(side_, rows_);
    second_moment_ = Matrix::Zero(side_, rows_);
    float decay = 1.0F;
    float second_decay = 1.0F;
    for (int i = 0; i < iterations; ++i) {
      decay *= momentum;
      second_decay *= second_momentum;
      const float progress = i < warm ? 0.0F
                                      : static_cast<float>(i - warm) /
                                            static_cast<float>(std::max(1, iterations - warm));
      // Falls along half a cosine.
      const float beta =
          last_beta + 0.5F * (first_beta - last_beta) * (1.0F + std::cos(progress * 3.14159265F));
      step(i < warm ? 0.0F : beta, 1.0F - decay, 1.0F - second_decay);
    }
  }

  void store(std::vector<std::int16_t>& stored) const {
    for (Eigen::Index j = 0; j < side_; ++j)
      for (Eigen::Index r = 0; r < rows_; ++r)
        stored[index(r, j)] = static_cast<std::int16_t>(
            soft(choice_(j, r)) >= 0.5F ? low_(j, r) + span_(j, r) : low_(j, r));
  }

 private:
  static float soft(float v) {
    return std::clamp(sigmoid(v) * (stretch_high - stretch_low) + stretch_low, 0.0F, 1.0F);
  }

  [[nodiscard]] std::size_t index(Eigen::Index row, Eigen::Index column) const {
    const std::int64_t taps = problem_.weight.taps;
    return problem_.weight.index(g_, first_ + row, column / taps, column % taps);
  }

  [[nodiscard]] float scale_of(Eigen::Index row) const {
    return levels_.scale_of(g_ * problem_.weight.outputs + first_ + row,
                            g_ * problem_.weight.inputs);
  }

  // Weights to be met, side x rows.
  [[nodiscard]] Matrix wanted() const {
    Matrix weights(side_, rows_);
    for (Eigen::Index j = 0; j < side_; ++j)
      for (Eigen::Index r = 0; r < rows_; ++r) weights(j, r) = problem_.weight.data[index(r, j)];
    if (problem_.drift.empty()) return weights;
    const Square drift(problem_.drift.data() + g_ * side_ * side_, side_, side_);
    const Eigen::MatrixXf moved = drift.transpose() * weights;
    weights += group_.factor.solve(moved);
    return weights;
  }

  // The two levels that each weight may take. Parts that are rounded one by one leave no choice.
  void set_levels(const Matrix& weights) {
    target_ = low_ = span_ = choice_ = Matrix::Zero(side_, rows_);
    for (Eigen::Index j = 0; j < side_; ++j) {
      const auto column =
          static_cast<std::size_t>(g_ * problem_.weight.inputs + j / problem_.weight.taps);
      const float limit = levels_.limit(column);
      for (Eigen::Index r = 0; r < rows_; ++r) {
        const float real = weights(j, r) / scale_of(r);
        target_(j, r) = real;
        if (limit < 0.0F) {
          low_(j, r) = static_cast<float>(levels_.nearest(weights(j, r), scale_of(r), column));
          continue;
        }
        const float inside = std::clamp(real, -limit, limit);
        low_(j, r) = std::floor(inside);
        span_(j, r) = low_(j, r) < limit ? 1.0F : 0.0F;
        const float share = inside - low_(j, r);
        const float logit = (share - stretch_low) / (stretch_high - stretch_low);
        choice_(j, r) = std::log(logit / (1.0F - logit));
      }
    }
  }

  // One step of Adam; beta 0: without the second term.
  void step(float beta, float correction, float second_correction) {
    Matrix error(side_, rows_);
    for (Eigen::Index i = 0; i < error.size(); ++i)
      error.data()[i] =
          low_.data()[i] + span_.data()[i] * soft(choice_.data()[i]) - target_.data()[i];
    Matrix gradient = damping * group_.mean * error;
    for (Eigen::Index begin = 0; begin < side_; begin += tile) {
      const Eigen::Index count = std::min<Eigen::Index>(tile, side_ - begin);
      products::add_product({.values = group_.energy.data() + begin,
                             .width = static_cast<std::size_t>(count),
                             .stride = static_cast<std::size_t>(side_)},
                            {.values = error.data(),
                             .width = static_cast<std::size_t>(rows_),
                             .stride = static_cast<std::size_t>(rows_)},
                            static_cast<std::size_t>(side_), gradient.data() + begin * rows_,
                            static_cast<std::size_t>(rows_));
    }
    const float per_step = 2.0F / group_.mean;
    for (Eigen::Index i = 0; i < gradient.size(); ++i) {
      float& v = choice_.data()[i];
      const float s = sigmoid(v);
      const float h = s * (stretch_high - stretch_low) + stretch_low;
      if (span_.data()[i] == 0.0F) continue;
      float slope = per_step * gradient.data()[i];
      if (beta > 0.0F) {
        const float away = 2.0F * std::clamp(h, 0.0F, 1.0F) - 1.0F;
        slope -= std::copysign(
            2.0F * regularization * beta * std::pow(std::fabs(away), beta - 1.0F), away);
      }
      // Where h is cut off the choice is made: no gradient.
      if (h <= 0.0F || h >= 1.0F) slope = 0.0F;
      slope *= s * (1.0F - s) * (stretch_high - stretch_low);
      float& m = first_moment_.data()[i];
      float& q = second_moment_.data()[i];
      m = momentum * m + (1.0F - momentum) * slope;
      q = second_momentum * q + (1.0F - second_momentum) * slope * slope;
      v -= rate * (m / correction) / (std::sqrt(q / second_correction) + 1e-8F);
    }
  }

  const RoundProblem& problem_;
  const Levels& levels_;
  const Group& group_;
  std::int64_t g_;
  std::int64_t first_;
  Eigen::Index side_;
  Eigen::Index rows_;
  Matrix target_{};  // u
  Matrix low_{};
  Matrix span_{};    // high - low: 1, or 0 where there is no choice
  Matrix choice_{};  // v
  Matrix first_moment_{};
  Matrix second_moment_{};
};

// Outputs of a block: enough blocks for all threads, enough rows for a product at full speed.
std::int64_t rows_of_a_block(std::int64_t outputs) {
  return std::clamp<std::int64_t>(outputs / 8, 32, 256);
}

Group group_of(const RoundProblem& problem, std::int64_t g) {
  const Eigen::Index side = problem.weight.inputs * problem.weight.taps;
  Group group{.energy = Square(problem.energy.data() + g * side * side, side, side)};
  group.mean = group.energy.diagonal().mean();
  if (problem.drift.empty() || !(group.mean > 0.0F)) return group;
  Eigen::MatrixXf damped = group.energy;
  damped.diagonal().array() += damping * group.mean;
  group.factor.compute(damped);
  if (group.factor.info() != Eigen::Success)
    throw_internal("rounding: the second moments of the inputs are not positive");
  return group;
}

}  // namespace

Rounded round_weights(const AdaroundRounding& rounding, const RoundProblem& problem) {
  Rounded rounded = round_weights(NearestRounding{}, problem);  // stays where no data were seen
  if (problem.energy.empty()) return rounded;
  if (problem.block > 0) throw_internal("rounding: AdaRound wants one scale for a whole row");
  const ChannelMatrix& weight = problem.weight;
  const Levels levels(problem);
  const std::int64_t rows = rows_of_a_block(weight.outputs);
  const std::int64_t blocks = (weight.outputs + rows - 1) / rows;
  const auto work = [&](const Group& group, std::int64_t g, std::int64_t block) {
    if (!(group.mean > 0.0F)) return;
    const std::int64_t first = block * rows;
    Descent descent(problem, levels, group, g, first, std::min(first + rows, weight.outputs));
    descent.run(static_cast<int>(rounding.iterations));
    descent.store(rounded.stored);
  };
  if (weight.groups == 1) {
    const Group group = group_of(problem, 0);
    parallel_for(static_cast<std::size_t>(blocks),
                 [&](std::size_t block) { work(group, 0, static_cast<std::int64_t>(block)); });
  } else {
    parallel_for(static_cast<std::size_t>(weight.groups), [&](std::size_t item) {
      const auto g = static_cast<std::int64_t>(item);
      const Group group = group_of(problem, g);
      for (std::int64_t block = 0; block < blocks; ++block) work(group, g, block);
    });
  }
  return rounding.refine ? refine(problem, std::move(rounded)) : rounded;
}

}  // namespace ocs
