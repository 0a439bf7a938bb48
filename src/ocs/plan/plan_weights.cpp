#include "ocs/plan/plan_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/plan/avoid_saturation.h"
#include "ocs/plan/choose_copies.h"
#include "ocs/plan/choose_scales.h"
#include "ocs/plan/correct_bias.h"
#include "ocs/plan/proofs.h"
#include "ocs/plan/remark.h"
#include "ocs/plan/residual_columns.h"
#include "ocs/plan/weight_problem.h"
#include "ocs/quant/row_blocks.h"
#include "ocs/quant/scale_index.h"

namespace ocs {
namespace {

// Scales go up by what they lack each time, so that a few are enough.
constexpr int most_attempts = 100;

std::span<const float> bias_in_sums(const LayerPlan& plan) {
  return plan.adds_bias ? std::span<const float>() : std::span(plan.bias);
}

// A row of zeros has no scale of its own: one that leaves room for its bias and no more makes that
// exact. So has a tensor of zeros.
void fit_rows_of_zeros_to_bias(const ChannelMatrix& weight, const ScaleFloors& floors,
                               std::vector<float>& scales) {
  if (floors.bias.empty()) return;
  std::vector<bool> is_zero(static_cast<std::size_t>(weight.rows()), true);
  for_each_weight(weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
    if (weight.data[at] != 0.0F) is_zero[static_cast<std::size_t>(row)] = false;
  });
  if (scales.size() == 1) {
    const float most = *std::ranges::max_element(floors.bias);
    if (most > 0.0F && std::ranges::find(is_zero, false) == is_zero.end()) scales[0] = most;
    return;
  }
  for (std::size_t row = 0; row < is_zero.size(); ++row)
    if (is_zero[row] && floors.bias[row] > 0.0F) scales[row] = floor_of(floors, row);
}

// Row scales |g| * D and negated integers where g < 0: BatchNormalization absorbed exactly after
// rounding (docs/quantization.md). Returns the scales without their floors.
std::vector<float> absorb_multiplier(LayerPlan& plan, const WeightProblem& problem,
                                     const ChannelMatrix& weight, const ScaleFloors& floors) {
  const std::vector<float> steps = plan.params.scale;
  std::vector<float> exact(static_cast<std::size_t>(weight.rows()));
  for (std::size_t row = 0; row < exact.size(); ++row) {
    const float scale =
        std::fabs(problem.multiplier[row]) * (steps.size() == 1 ? steps[0] : steps[row]);
    exact[row] = std::max(scale, std::numeric_limits<float>::min());
    // Nothing is left of such a row.
    if (problem.multiplier[row] == 0.0F && !floors.bias.empty()) exact[row] = floor_of(floors, row);
  }
  const std::vector<float> scales = raised(floors, exact);
  for_each_weight(weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
    const auto r = static_cast<std::size_t>(row);
    auto level = static_cast<float>(plan.stored[at]);
    if (problem.multiplier[r] == 0.0F) level = 0.0F;
    if (problem.multiplier[r] < 0.0F) level = -level;
    if (scales[r] != exact[r]) level = std::nearbyint(level * exact[r] / scales[r]);
    plan.stored[at] = static_cast<std::int16_t>(level);
  });
  plan.params.scale = scales;
  return exact;
}

// Of one weight: what it stands for, its integer and scale, the energy h of its input.
inline void add_energy(float real, float stood_for, std::int16_t stored, double scale, double h,
                       double& signal, double& noise) {
  const auto value = static_cast<double>(real);
  const double error = static_cast<double>(stood_for) - scale * stored;
  signal += h * value * value;
  noise += h * error * error;
}

// Of rows whose weights of one input lie side by side. The rows do not depend on one another, so that several are added at once.
void add_energies(std::span<const float> real, const float* __restrict stood_for,
                  const std::int16_t* __restrict stored, const double* __restrict scales, double h,
                  double* __restrict signal, double* __restrict noise) {
  for (std::size_t i = 0; i < real.size(); ++i)
    add_energy(real[i], stood_for[i], stored[i], scales[i], h, signal[i], noise[i]);
}

// 10 log10 of the output energy over the energy that weight rounding puts in its place, inputs
// taken as uncorrelated. `stood_for`: the weights that the integers stand for, in the layout of `weight`.
double predict_sqnr(const LayerPlan& plan, const ChannelMatrix& weight,
                    std::span<const float> stood_for, const std::vector<double>& energy) {
  // By row, and these added in their order: the same for any number of threads.
  std::vector<double> signals(static_cast<std::size_t>(weight.rows()), 0.0);
  std::vector<double> noises(signals.size(), 0.0);
  const ScaleIndex index(weight, plan.params.scale.size(), plan.params.block);
  for_each_row_block(weight, [&](const RowBlock& block) {
    const std::int64_t first_row = block.group * weight.outputs + block.first;
    std::array<double, largest_row_block> scales{};
    std::array<double, largest_row_block> signal{};
    std::array<double, largest_row_block> noise{};
    const auto count = static_cast<std::size_t>(block.rows());
    // Weights of one input and rows [begin, end).
    const auto add_input = [&](std::int64_t input, std::size_t begin, std::size_t end) {
      const std::int64_t column = block.group * weight.inputs + input;
      const double h = energy.empty() ? 1.0 : energy[static_cast<std::size_t>(column)];
      if (index.begins_at(column))
        for (std::size_t i = begin; i < end; ++i)
          scales[i] = static_cast<double>(
              plan.params.scale[index(first_row + static_cast<std::int64_t>(i), column)]);
      const std::size_t start =
          weight.index(block.group, block.first + static_cast<std::int64_t>(begin), input, 0);
      if (end - begin > 1) {  // turned: side by side
        add_energies(weight.data.subspan(start, end - begin), &stood_for[start],
                     &plan.stored[start], &scales[begin], h, &signal[begin], &noise[begin]);
        return;
      }
      for (std::int64_t tap = 0; tap < weight.taps; ++tap) {
        const std::size_t at = start + static_cast<std::size_t>(tap * weight.tap_stride);
        add_energy(weight.data[at], stood_for[at], plan.stored[at], scales[begin], h, signal[begin],
                   noise[begin]);
      }
    };
    if (is_turned(weight)) {
      for (std::int64_t input = 0; input < weight.inputs; ++input) add_input(input, 0, count);
    } else {
      for (std::size_t i = 0; i < count; ++i)
        for (std::int64_t input = 0; input < weight.inputs; ++input) add_input(input, i, i + 1);
    }
    std::copy_n(signal.begin(), count, signals.begin() + first_row);
    std::copy_n(noise.begin(), count, noises.begin() + first_row);
  });
  const double signal = std::accumulate(signals.begin(), signals.end(), 0.0);
  const double noise = std::accumulate(noises.begin(), noises.end(), 0.0);
  if (noise == 0.0) return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(signal / noise);
}

// `residual`: what residual columns add to the weights; empty: nothing.
void correct(LayerPlan& plan, const WeightProblem& problem, const ChannelMatrix& stood_for,
             std::span<const float> residual) {
  const std::vector<double> means = channel_values(problem, stood_for, false);
  if (means.empty()) return;
  // Without data the extents are free: as if no tap lay in the padding.
  const Shape shape = problem.data != nullptr ? problem.data->shape : Shape{-1, -1};
  const std::vector<double> coverage = tap_coverage(*problem.node, shape, stood_for.taps);
  std::vector<double> shift = mean_shift(stood_for, plan.stored, plan.params.scale, means, coverage,
                                         problem.mean_drift, plan.params.block);
  if (!residual.empty() && !problem.mean_drift.empty())  // residual columns see it too
    for_each_weight(stood_for, [&](std::int64_t row, std::int64_t column, std::size_t at) {
      shift[static_cast<std::size_t>(row)] +=
          static_cast<double>(residual[at]) * problem.mean_drift[static_cast<std::size_t>(column)];
    });
  if (plan.bias.empty()) plan.bias.assign(shift.size(), 0.0F);
  for (std::size_t row = 0; row < shift.size(); ++row)
    plan.bias[row] = static_cast<float>(static_cast<double>(plan.bias[row]) + shift[row]);
}

// Integers, scales and bias, the scales not below their floors; returns what they would be without.
std::vector<float> round_above(const ScaleFloors& floors, const WeightProblem& problem,
                               const RoundProblem& rounding, const SaturationProblem* guard,
                               LayerPlan& plan) {
  const bool is_unfolded = !problem.multiplier.empty();
  RoundProblem above = rounding;
  std::vector<float> free(rounding.scales.begin(), rounding.scales.end());
  // What is absorbed later has its floors then.
  std::vector<float> scales = is_unfolded ? free : raised(floors, free);
  if (target_form(problem.settings.target).powers_of_two)
    std::ranges::transform(scales, scales.begin(), power_of_two_above);
  above.scales = scales;
  Rounded rounded = round_weights(problem.settings.rounding, above);
  if (!above.exact.empty()) plan.residual = residual_columns(problem.settings, above, rounded);
  plan.stored = std::move(rounded.stored);
  plan.params.scale = std::move(rounded.scales);
  if (guard != nullptr) limit_pairs(*guard, plan.stored);
  if (is_unfolded) free = absorb_multiplier(plan, problem, rounding.weight, floors);
  return free;
}

// Rounds, and again with higher scales as long as a row's proof fails (proofs.h).
void round_until_proven(const WeightProblem& problem, RoundProblem rounding,
                        const SaturationProblem* guard, LayerPlan& plan) {
  ChannelMatrix folded = rounding.weight;
  folded.data = problem.weight.as<float>();
  ScaleFloors floors;  // none
  if (problem.activation != nullptr && has_integer_sums(*problem.activation))
    floors = scale_floors(rounding.weight.rows(), bias_in_sums(plan),
                          problem.activation->params.scale[0]);
  std::vector<float> wanted(rounding.scales.begin(), rounding.scales.end());
  fit_rows_of_zeros_to_bias(rounding.weight, floors, wanted);
  rounding.scales = wanted;
  const std::optional<int> axis = plan.params.axis;
  bool is_proven = false;
  for (int attempt = 0; !is_proven; ++attempt) {
    if (attempt == most_attempts) throw_internal("no scale is large enough for int32 sums");
    rounding.fits_scales = rounding.fits_scales && attempt == 0;
    const std::vector<float> free = round_above(floors, problem, rounding, guard, plan);
    plan.params.axis = plan.params.scale.size() > 1 ? axis : std::nullopt;
    plan.params.zero_point.assign(plan.params.scale.size(), 0);
    const std::vector<float> residual = residual_weights(folded, plan);
    std::vector<float> rest(residual.size());
    std::ranges::transform(folded.data.first(rest.size()), residual, rest.begin(), std::minus());
    ChannelMatrix stood_for = folded;  // by the integers alone
    if (!rest.empty()) stood_for.data = rest;
    plan.predicted_sqnr_db =
        predict_sqnr(plan, folded, stood_for.data, channel_values(problem, folded, true));
    plan.bias = problem.bias;
    // The bias of a recurrent node goes through its gates: a mean of the whole sequence says little
    // there.
    if (problem.settings.bias_correction && !problem.layer->op->is_recurrent)
      correct(plan, problem, stood_for, residual);
    plan.raised = count_raised(floors, free);
    is_proven =
        floors.bias.empty() || !raise_where_proofs_fail(floors, {.weight = folded,
                                                                 .stored = plan.stored,
                                                                 .scales = plan.params.scale,
                                                                 .bias = bias_in_sums(plan),
                                                                 .data = problem.activation});
  }
}

// Whether integer kernels multiply the weights by unsigned bytes.
bool meets_bytes(const WeightProblem& problem) {
  return problem.rounds_as_it_runs ||
         (problem.activation != nullptr && problem.activation->params.grid.bits == 8);
}

std::int32_t highest_level(const WeightProblem& problem) {
  constexpr std::int32_t largest_byte = 255;
  if (problem.rounds_as_it_runs) return largest_byte;
  return problem.activation != nullptr ? problem.activation->level_high : 1;
}

// How scales and copies are laid out, which the recipe asks for and the layer allows.
struct Layout {
  bool per_row = false;
  bool has_blocks = false;
  bool has_residual = false;
};

// The plan before anything is rounded: what it is of, copies, remarks.
LayerPlan begin_plan(const WeightProblem& problem, const ChannelMatrix& matrix,
                     std::optional<int> axis, Layout& layout) {
  const Layer& layer = *problem.layer;
  const Recipe& settings = problem.settings;
  LayerPlan plan{.node = layer.node,
                 .op = std::string(layer.op->op_type),
                 .is_in_body = layer.is_in_body,
                 .operand = layer.operand,
                 .weight = layer.weight,
                 .weight_bits = settings.weight_bits,
                 .act_bits = problem.activation != nullptr ? settings.act_bits : std::nullopt,
                 .rounds_as_it_runs = problem.rounds_as_it_runs,
                 .bias = problem.bias,
                 .adds_bias = !layer.operand.bias_input.has_value()};
  const bool wants_blocks = settings.weight_granularity == Granularity::block;
  const std::string no_blocks = wants_blocks ? block_refusal(problem, matrix) : "";
  layout.per_row = settings.weight_granularity != Granularity::tensor && axis.has_value();
  layout.has_blocks = wants_blocks && no_blocks.empty();
  const bool wants_residual = layout.has_blocks && settings.expand_ratio > 0.0;
  if (settings.expand_ratio > 0.0 || copy_budget(settings) > 0.0)
    plan.remark =
        wants_residual ? residual_refusal(problem, matrix) : split_refusal(problem, matrix);
  layout.has_residual = wants_residual && plan.remark.empty();
  if (!problem.copies.empty())
    plan.copies = problem.copies;
  else if (settings.expand_ratio > 0.0 && !layout.has_blocks && plan.remark.empty())
    plan.copies = choose_copies(problem, matrix, layout.per_row);
  if (settings.weight_granularity != Granularity::tensor && !axis)
    add_remark(plan, "one scale: no axis of the weight is the output channel");
  else
    add_remark(plan, no_blocks);
  add_remark(plan, problem.float_data);
  plan.params.grid = {.bits = settings.weight_bits};
  plan.params.axis = axis;
  if (layout.has_blocks) plan.params.block = settings.weight_block;
  return plan;
}

}  // namespace

LayerPlan plan_weights(const WeightProblem& problem) {
  const Layer& layer = *problem.layer;
  const Recipe& settings = problem.settings;
  const Tensor& source = problem.multiplier.empty() ? problem.weight : problem.unfolded;
  const ChannelMatrix matrix =
      layer.op->view(*problem.node, layer.operand, source.shape, source.as<float>());
  Layout layout;
  LayerPlan plan = begin_plan(
      problem, matrix, layer.op->output_axis(*problem.node, layer.operand, source.shape), layout);
  const Grid grid = plan.params.grid;
  plan.storage_bits = storage_bits(problem, matrix);
  const std::vector<int> copies =
      plan.copies.empty() ? std::vector<int>(static_cast<std::size_t>(matrix.columns()), 1)
                          : plan.copies;
  std::vector<float> scales =
      choose_scales(settings, matrix, copies, layout.per_row, grid, plan.params.block);
  const SaturationProblem saturation{.weight = matrix,
                                     .copies = plan.copies,
                                     .across_taps = layer.op->op_type != "MatMul",
                                     .highest = grid.highest(),
                                     .highest_level = highest_level(problem)};
  // Recurrent nodes have no integer kernels whose sums could saturate.
  const TargetForm& target = target_form(settings.target);
  const bool is_guarded = target.guards_16_bits && !layer.op->is_recurrent &&
                          meets_bytes(problem) && can_saturate(saturation);
  if (is_guarded) scales = scales_against_saturation(saturation, scales);
  // Scales that keep sums in range stay.
  RoundProblem rounding{.weight = matrix,
                        .scales = scales,
                        .block = plan.params.block,
                        .copies = plan.copies,
                        .highest = grid.highest(),
                        .kind = settings.split,
                        .parts = settings.split_parts,
                        .energy = problem.energy,
                        .drift = problem.drift,
                        .fits_scales = fits_scales(settings.rounding) && layout.per_row &&
                                       !layout.has_blocks && !is_guarded && !target.powers_of_two};
  std::vector<std::int64_t> exact;
  if (layout.has_residual) exact = residual_channels(problem, rounding);
  rounding.exact = exact;
  round_until_proven(problem, rounding, is_guarded ? &saturation : nullptr, plan);
  return plan;
}

}  // namespace ocs
