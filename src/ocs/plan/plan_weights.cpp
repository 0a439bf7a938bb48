#include "ocs/plan/plan_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/plan/avoid_saturation.h"
#include "ocs/plan/correct_bias.h"

namespace ocs {
namespace {

// Input channels that the engine's kernels take without a cliff: integer kernels multiples of 4,
// blocked float kernels of 16 (measured in ONNX Runtime: 65 channels cost 2.2 times 64, 68
// cost 1.05 times).
constexpr std::int64_t integer_multiple = 4;
constexpr std::int64_t float_multiple = 16;

// |bias| / (s_x * s_w) stays below this, so that the int32 bias has room for what rounding and
// correction add, and for scales that rounding halves.
constexpr double largest_bias_level = 536870912.0;  // 2^29

// Why this layer is not split though its recipe asks for it, "" where it is.
std::string split_refusal(const WeightProblem& problem, const ChannelMatrix& weight) {
  if (weight.groups > 1 && weight.inputs == 1)
    return "not split: depthwise, an input channel belongs to one output channel alone";
  if (weight.groups > 1)
    return "not split: grouped, every group would need the same number of copies";
  const bool is_narrow = !problem.layer->operand.is_hidden() && weight.columns() <= 4;
  if (is_narrow && problem.layer->position.first && !problem.settings.split_first)
    return "not split: first layer, its few input channels are the image";
  if (is_narrow && problem.layer->is_in_body && !problem.settings.split_first)
    return "not split: in a body its few input channels may be the image";
  return "";
}

int wanted_splits(const WeightProblem& problem, const ChannelMatrix& weight) {
  const int splits = split_count(problem.settings.expand_ratio, weight.columns());
  if (splits == 0 || !problem.settings.fill_multiples) return splits;
  const bool is_integer = problem.activation != nullptr && !problem.layer->op->is_recurrent;
  const std::int64_t multiple = is_integer ? integer_multiple : float_multiple;
  const std::int64_t filled = (weight.columns() + splits + multiple - 1) / multiple * multiple;
  return static_cast<int>(filled - weight.columns());
}

// The matrix with each row divided by its root mean square: what "largest" means where every row
// has a scale of its own.
std::vector<float> rows_of_equal_spread(const ChannelMatrix& weight) {
  std::vector<double> squares(static_cast<std::size_t>(weight.rows()), 0.0);
  for_each_weight(weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
    squares[static_cast<std::size_t>(row)] +=
        static_cast<double>(weight.data[at]) * static_cast<double>(weight.data[at]);
  });
  std::vector<float> scaled(weight.data.size(), 0.0F);
  const auto row_size = static_cast<double>(weight.inputs * weight.taps);
  for_each_weight(weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
    const double spread = std::sqrt(squares[static_cast<std::size_t>(row)] / row_size);
    scaled[at] =
        spread > 0.0 ? static_cast<float>(static_cast<double>(weight.data[at]) / spread) : 0.0F;
  });
  return scaled;
}

std::vector<int> choose_copies(const WeightProblem& problem, const ChannelMatrix& weight,
                               bool per_row) {
  const int splits = wanted_splits(problem, weight);
  if (splits == 0) return {};
  if (!per_row) return select_largest(weight, splits, problem.settings.split_parts).copies;
  const std::vector<float> scaled = rows_of_equal_spread(weight);
  ChannelMatrix matrix = weight;
  matrix.data = scaled;
  return select_largest(matrix, splits, problem.settings.split_parts).copies;
}

float step_of(const std::vector<float>& values, const Recipe& settings, const Grid& grid) {
  const float limit = threshold(settings.weight_clip, clip_input(values, grid));
  const float step = limit / static_cast<float>(grid.steps());
  // A row of zeros (or of denormals) has no scale of its own; any normal one stores it.
  return step >= std::numeric_limits<float>::min() ? step : 1.0F;
}

std::vector<float> choose_scales(const WeightProblem& problem, const ChannelMatrix& weight,
                                 const std::vector<int>& copies, bool per_row, const Grid& grid) {
  const SplitParts parts = problem.settings.split_parts;
  if (!per_row) return {step_of(physical_weights(weight, copies, parts), problem.settings, grid)};
  std::vector<float> scales(static_cast<std::size_t>(weight.rows()));
  for (std::int64_t row = 0; row < weight.rows(); ++row)
    scales[static_cast<std::size_t>(row)] =
        step_of(physical_weights(weight, copies, parts, row), problem.settings, grid);
  return scales;
}

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

std::vector<double> channel_values(const WeightProblem& problem, const ChannelMatrix& weight,
                                   bool squares) {
  if (problem.data == nullptr) return {};
  const int axis = problem.layer->op->data_axis(*problem.node, problem.layer->operand);
  const auto moments = problem.data->moments.find(problem.data->axis_key(axis));
  if (moments == problem.data->moments.end() || moments->second.channels() != weight.columns())
    return {};
  std::vector<double> values(static_cast<std::size_t>(weight.columns()));
  for (std::int64_t c = 0; c < weight.columns(); ++c)
    values[static_cast<std::size_t>(c)] =
        squares ? moments->second.second_moment(c) : moments->second.mean(c);
  return values;
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
  if (settings.expand_ratio > 0.0) plan.remark = split_refusal(problem, matrix);
  if (settings.weight_granularity == Granularity::channel && !axis)
    plan.remark += "one scale: no axis of the weight is the output channel";
  if (settings.expand_ratio > 0.0 && split_refusal(problem, matrix).empty())
    plan.copies = choose_copies(problem, matrix, per_row);

  const std::vector<int> copies =
      plan.copies.empty() ? std::vector<int>(static_cast<std::size_t>(matrix.columns()), 1)
                          : plan.copies;
  std::vector<float> scales = choose_scales(problem, matrix, copies, per_row, grid);
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
