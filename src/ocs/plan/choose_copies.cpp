#include "ocs/plan/choose_copies.h"

#include <algorithm>
#include <cmath>

#include "ocs/plan/choose_scales.h"
#include "ocs/plan/weight_problem.h"

namespace ocs {
namespace {

// Input channels that the engine's blocked float kernels take without a cliff (measured in ONNX
// Runtime); those of integer kernels are in the cost table.
constexpr std::int64_t float_multiple = 16;

std::int64_t engine_multiple(const WeightProblem& problem) {
  const bool is_integer = problem.activation != nullptr && !problem.layer->op->is_recurrent;
  if (!is_integer) return float_multiple;
  return problem.is_behind_depthwise ? problem.costs->depthwise_tile
                                     : problem.costs->input_multiple;
}

// Copies up to the next multiple of channels beyond `splits` of them.
std::int64_t filled(std::int64_t columns, std::int64_t splits, std::int64_t multiple) {
  return (columns + splits + multiple - 1) / multiple * multiple - columns;
}

int wanted_splits(const WeightProblem& problem, const ChannelMatrix& weight) {
  const int splits = split_count(problem.settings.expand_ratio, weight.columns());
  if (splits == 0 || !problem.settings.fill_multiples) return splits;
  return static_cast<int>(filled(weight.columns(), splits, engine_multiple(problem)));
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

std::vector<int> largest_copies(const ChannelMatrix& weight, int splits, SplitParts parts,
                                bool per_row) {
  if (!per_row) return select_largest(weight, splits, parts).copies;
  const std::vector<float> scaled = rows_of_equal_spread(weight);
  ChannelMatrix matrix = weight;
  matrix.data = scaled;
  return select_largest(matrix, splits, parts).copies;
}

// What an error of the weights of each channel costs: the energy of its input, or what is left of it when the bias makes up for the mean.
std::vector<double> importance(const WeightProblem& problem, const ChannelMatrix& weight) {
  std::vector<double> values = channel_values(problem, weight, true);
  if (values.empty()) return std::vector<double>(static_cast<std::size_t>(weight.columns()), 1.0);
  if (problem.settings.bias_correction) {
    const std::vector<double> means = channel_values(problem, weight, false);
    for (std::size_t c = 0; c < values.size(); ++c)
      values[c] = std::max(0.0, values[c] - means[c] * means[c]);
  }
  return values;
}

}  // namespace

std::string split_refusal(const WeightProblem& problem, const ChannelMatrix& weight) {
  if (weight.groups > 1 && weight.inputs == 1)
    return "not split: depthwise, an input channel belongs to one output channel alone";
  if (problem.settings.weight_granularity == Granularity::block &&
      block_refusal(problem, weight).empty())
    return "not split: blocks have scales of their own";
  if (weight.groups > 1)
    return "not split: grouped, every group would need the same number of copies";
  const bool is_narrow = !problem.layer->operand.is_hidden() && weight.columns() <= 4;
  if (is_narrow && problem.layer->position.first && !problem.settings.split_first)
    return "not split: first layer, its few input channels are the image";
  if (is_narrow && problem.layer->is_in_body && !problem.settings.split_first)
    return "not split: in a body its few input channels may be the image";
  return "";
}

std::vector<int> choose_copies(const WeightProblem& problem, const ChannelMatrix& weight,
                               bool per_row) {
  const int splits = wanted_splits(problem, weight);
  if (splits == 0) return {};
  return largest_copies(weight, splits, problem.settings.split_parts, per_row);
}

std::vector<CopyOffer> copy_offers(const WeightProblem& problem, const CopyPrice& price,
                                   double budget) {
  const Recipe& settings = problem.settings;
  const Layer& layer = *problem.layer;
  const ChannelMatrix weight = layer.op->view(*problem.node, layer.operand, problem.weight.shape,
                                              problem.weight.as<float>());
  if (copy_budget(settings) == 0.0 || !split_refusal(problem, weight).empty()) return {};
  const bool per_row = settings.weight_granularity != Granularity::tensor &&
                       layer.op->output_axis(*problem.node, layer.operand, problem.weight.shape);
  const Grid grid{.bits = settings.weight_bits};
  const std::vector<double> energy = importance(problem, weight);
  double signal = 0.0;
  for_each_weight(weight, [&](std::int64_t, std::int64_t column, std::size_t at) {
    const auto w = static_cast<double>(weight.data[at]);
    signal += energy[static_cast<std::size_t>(column)] * w * w;
  });
  if (signal == 0.0) return {};

  const std::int64_t multiple = settings.fill_multiples ? engine_multiple(problem) : 1;
  CopyError current{.weight = weight,
                    .importance = energy,
                    .copies = std::vector<int>(energy.size(), 1),
                    .highest = grid.highest()};
  const auto offer_of = [&](CopyError& state, std::int64_t copies) {
    state.scales = choose_scales(settings, weight, state.copies, per_row, grid);
    return CopyOffer{
        .copies = state.copies, .error = output_error(state) / signal, .cost = price(copies)};
  };
  std::vector<CopyOffer> offers{offer_of(current, 0)};
  std::int64_t count = 0;
  // Each half as much again as the one before, or the next multiple: a wide layer is not asked a thousand times.
  // More copies than channels is no split of outliers any more.
  while (true) {
    const std::int64_t next =
        filled(weight.columns(), std::max(count + 1, count + count / 2), multiple);
    if (next > weight.columns() || price(next) > budget) return offers;
    // By what is clipped now, or by what is largest, whichever comes out better: where nothing is
    // clipped only the second lowers the scale.
    CopyError largest = current;
    largest.copies = largest_copies(weight, static_cast<int>(next), settings.split_parts, per_row);
    add_copies(current, static_cast<int>(next - count));
    count = next;
    CopyOffer offer = offer_of(current, count);
    if (CopyOffer other = offer_of(largest, count); other.error < offer.error) {
      offer = std::move(other);
      current = std::move(largest);
    }
    offers.push_back(std::move(offer));
  }
}

}  // namespace ocs
