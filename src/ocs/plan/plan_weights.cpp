#include "ocs/plan/plan_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/plan/avoid_saturation.h"
#include "ocs/plan/choose_copies.h"
#include "ocs/plan/choose_scales.h"
#include "ocs/plan/correct_bias.h"
#include "ocs/plan/weight_problem.h"

namespace ocs {
namespace {

// |bias| / (s_x * s_w) stays below this, so that the int32 bias has room for what rounding and
// correction add, and for scales that rounding halves.
constexpr double largest_bias_level = 536870912.0;  // 2^29

// Raises the scale of rows whose bias would not fit into int32 (BatchNormalization leaves dead rows
// with scales near zero).
void keep_bias_in_range(std::vector<float>& scales, const std::vector<float>& bias,
                        float data_scale) {
  for (std::size_t row = 0; row < bias.size(); ++row) {
    float& scale = scales.size() == 1 ? scales[0] : scales[row];
    const double least = std::fabs(static_cast<double>(bias[row])) /
                         (largest_bias_level * static_cast<double>(data_scale));
    if (static_cast<double>(scale) < least) scale = static_cast<float>(least * 1.0001);
  }
}

// Row scales |g| * D and negated integers where g < 0: BatchNormalization absorbed exactly after
// rounding (docs/quantization.md).
void absorb_multiplier(LayerPlan& plan, const WeightProblem& problem, const ChannelMatrix& weight) {
  const std::vector<float> steps = plan.params.scale;
  std::vector<float> scales(static_cast<std::size_t>(weight.rows()));
  for (std::size_t row = 0; row < scales.size(); ++row) {
    const float scale =
        std::fabs(problem.multiplier[row]) * (steps.size() == 1 ? steps[0] : steps[row]);
    scales[row] = std::max(scale, std::numeric_limits<float>::min());
  }
  const std::vector<float> exact = scales;
  if (problem.activation != nullptr && !problem.bias.empty())
    keep_bias_in_range(scales, problem.bias, problem.activation->params.scale[0]);
  for_each_weight(weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
    const auto r = static_cast<std::size_t>(row);
    auto level = static_cast<float>(plan.stored[at]);
    if (problem.multiplier[r] == 0.0F) level = 0.0F;
    if (problem.multiplier[r] < 0.0F) level = -level;
    if (scales[r] != exact[r]) level = std::nearbyint(level * exact[r] / scales[r]);
    plan.stored[at] = static_cast<std::int16_t>(level);
  });
  plan.params.scale = std::move(scales);
}

// 10 log10 of the output energy over the energy that weight rounding puts in its place, inputs
// taken as uncorrelated.
double predict_sqnr(const LayerPlan& plan, const ChannelMatrix& weight,
                    const std::vector<double>& energy) {
  double signal = 0.0;
  double noise = 0.0;
  for_each_weight(weight, [&](std::int64_t row, std::int64_t column, std::size_t at) {
    const double h = energy.empty() ? 1.0 : energy[static_cast<std::size_t>(column)];
    const auto real = static_cast<double>(weight.data[at]);
    const std::vector<float>& scale = plan.params.scale;
    const double rounded =
        static_cast<double>(scale.size() == 1 ? scale[0] : scale[static_cast<std::size_t>(row)]) *
        plan.stored[at];
    signal += h * real * real;
    noise += h * (real - rounded) * (real - rounded);
  });
  if (noise == 0.0) return std::numeric_limits<double>::infinity();
  return 10.0 * std::log10(signal / noise);
}

void correct(LayerPlan& plan, const WeightProblem& problem, const ChannelMatrix& weight) {
  const std::vector<double> means = channel_values(problem, weight, false);
  if (means.empty()) return;
  const std::vector<double> coverage =
      tap_coverage(*problem.node, problem.data->shape, weight.taps);
  const std::vector<double> shift =
      mean_shift(weight, plan.stored, plan.params.scale, means, coverage, problem.mean_drift);
  if (plan.bias.empty()) plan.bias.assign(shift.size(), 0.0F);
  for (std::size_t row = 0; row < shift.size(); ++row)
    plan.bias[row] = static_cast<float>(static_cast<double>(plan.bias[row]) + shift[row]);
}

}  // namespace

LayerPlan plan_weights(const WeightProblem& problem) {
  const Layer& layer = *problem.layer;
  const Recipe& settings = problem.settings;
  const bool is_unfolded = !problem.multiplier.empty();
  const Tensor& source = is_unfolded ? problem.unfolded : problem.weight;
  const ChannelMatrix matrix =
      layer.op->view(*problem.node, layer.operand, source.shape, source.as<float>());
  const std::optional<int> axis = layer.op->output_axis(*problem.node, layer.operand, source.shape);
  const bool per_row = settings.weight_granularity == Granularity::channel && axis.has_value();
  const Grid grid{.bits = settings.weight_bits};

  LayerPlan plan{.node = layer.node,
                 .op = std::string(layer.op->op_type),
                 .is_in_body = layer.is_in_body,
                 .operand = layer.operand,
                 .weight = layer.weight,
                 .weight_bits = settings.weight_bits,
                 .act_bits = problem.activation != nullptr ? settings.act_bits : std::nullopt,
                 .bias = problem.bias,
                 .adds_bias = !layer.operand.bias_input.has_value()};
  const bool is_to_split = settings.expand_ratio > 0.0 || settings.mac_budget > 0.0;
  if (is_to_split) plan.remark = split_refusal(problem, matrix);
  if (settings.weight_granularity == Granularity::channel && !axis)
    plan.remark += "one scale: no axis of the weight is the output channel";
  if (!problem.copies.empty())
    plan.copies = problem.copies;
  else if (settings.expand_ratio > 0.0 && split_refusal(problem, matrix).empty())
    plan.copies = choose_copies(problem, matrix, per_row);

  const std::vector<int> copies =
      plan.copies.empty() ? std::vector<int>(static_cast<std::size_t>(matrix.columns()), 1)
                          : plan.copies;
  std::vector<float> scales = choose_scales(settings, matrix, copies, per_row, grid);
  const SaturationProblem saturation{
      .weight = matrix,
      .copies = plan.copies,
      .highest = grid.highest(),
      .highest_level = problem.activation != nullptr ? problem.activation->level_high : 1};
  // Recurrent nodes have no integer kernels whose sums could saturate.
  const bool is_guarded = settings.target == "ort-cpu" && problem.activation != nullptr &&
                          !layer.op->is_recurrent && problem.activation->params.grid.bits == 8 &&
                          can_saturate(saturation);
  if (is_guarded) scales = scales_against_saturation(saturation, scales);
  if (!is_unfolded && problem.activation != nullptr && !plan.bias.empty())
    keep_bias_in_range(scales, plan.bias, problem.activation->params.scale[0]);
  // Scales that keep sums in range stay.
  const auto* gptq = std::get_if<GptqRounding>(&settings.rounding);
  const bool fits_scales = gptq != nullptr && gptq->refine;
  const RoundProblem rounding{.weight = matrix,
                              .scales = scales,
                              .copies = plan.copies,
                              .highest = grid.highest(),
                              .kind = settings.split,
                              .parts = settings.split_parts,
                              .energy = problem.energy,
                              .drift = problem.drift,
                              .fits_scales = fits_scales && per_row && !is_guarded};
  Rounded rounded = round_weights(settings.rounding, rounding);
  plan.stored = std::move(rounded.stored);
  scales = std::move(rounded.scales);
  if (is_guarded) limit_pairs(saturation, plan.stored);
  plan.params = {.grid = grid, .scale = std::move(scales)};
  if (is_unfolded) absorb_multiplier(plan, problem, matrix);
  if (plan.params.scale.size() > 1) plan.params.axis = axis;
  plan.params.zero_point.assign(plan.params.scale.size(), 0);

  ChannelMatrix folded = matrix;
  folded.data = problem.weight.as<float>();
  plan.predicted_sqnr_db = predict_sqnr(plan, folded, channel_values(problem, folded, true));
  // The bias of a recurrent node goes through its gates: a mean of the whole sequence says little there.
  if (settings.bias_correction && !layer.op->is_recurrent) correct(plan, problem, folded);
  return plan;
}

}  // namespace ocs
