#include "ocs/plan/residual_columns.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "ocs/plan/choose_scales.h"
#include "ocs/plan/weight_problem.h"
#include "ocs/quant/scale_index.h"
#include "ocs/split/select.h"

namespace ocs {
namespace {

// E[x_c^2] of each input channel, in any unit.
std::vector<double> energies_of(const WeightProblem& problem, const RoundProblem& rounding) {
  const auto side = static_cast<std::size_t>(rounding.weight.inputs);
  std::vector<double> energies;
  if (!rounding.energy.empty())
    for (std::size_t c = 0; c < side; ++c)
      energies.push_back(static_cast<double>(rounding.energy[c * side + c]));
  else
    energies = channel_values(problem, rounding.weight, true);
  if (energies.empty()) energies.assign(side, 1.0);
  return energies;
}

}  // namespace

std::string residual_refusal(const WeightProblem& problem, const ChannelMatrix& weight) {
  if (weight.inputs % problem.settings.weight_block != 0)
    return fmt::format("no residual columns: its {} inputs do not fill blocks of {}", weight.inputs,
                       problem.settings.weight_block);
  if (problem.settings.act_bits && problem.settings.act_split == ActSplit::oracle)
    return "no residual columns: the oracle splits the data as they are";
  return "";
}

std::vector<std::int64_t> residual_channels(const WeightProblem& problem,
                                            const RoundProblem& rounding) {
  const ChannelMatrix& weight = rounding.weight;
  const Rounded plain = round_weights(NearestRounding{}, rounding);
  const ScaleIndex index(weight, rounding.scales.size(), rounding.block);
  std::vector<double> losses(static_cast<std::size_t>(weight.inputs), 0.0);
  for_each_weight(weight, [&](std::int64_t row, std::int64_t column, std::size_t at) {
    const double error =
        static_cast<double>(weight.data[at]) -
        static_cast<double>(rounding.scales[index(row, column)]) * plain.stored[at];
    losses[static_cast<std::size_t>(column)] += error * error;
  });
  const std::vector<double> energies = energies_of(problem, rounding);
  for (std::size_t c = 0; c < losses.size(); ++c) losses[c] *= energies[c];

  const std::int64_t asked = split_count(problem.settings.expand_ratio, weight.inputs);
  const std::int64_t count =
      std::min(ScaleIndex::count_of(asked, rounding.block) * rounding.block, weight.inputs);
  std::vector<std::int64_t> channels(losses.size());
  std::iota(channels.begin(), channels.end(), 0);
  std::ranges::stable_sort(channels, std::greater<>(),
                           [&](std::int64_t c) { return losses[static_cast<std::size_t>(c)]; });
  channels.resize(static_cast<std::size_t>(count));
  std::ranges::sort(channels);
  return channels;
}

ResidualColumns residual_columns(const Recipe& settings, const RoundProblem& rounding,
                                 Rounded& rounded) {
  const ChannelMatrix left = dense_view(rounded.left, 1, rounding.weight.rows(),
                                        static_cast<std::int64_t>(rounding.exact.size()), 1);
  ResidualColumns residual{.channels = {rounding.exact.begin(), rounding.exact.end()}};
  residual.scale = choose_scales(settings, left, std::vector<int>(rounding.exact.size(), 1), true,
                                 {.bits = settings.weight_bits}, rounding.block);
  // Now that their grid is known, their own errors can be made up for too.
  RoundProblem again = rounding;
  again.exact_scales = residual.scale;
  rounded = round_weights(settings.rounding, again);
  residual.stored = std::move(rounded.residual);
  return residual;
}

std::vector<float> residual_weights(const ChannelMatrix& weight, const LayerPlan& layer) {
  const ResidualColumns& residual = layer.residual;
  if (residual.channels.empty()) return {};
  std::vector<float> added(weight.data.size(), 0.0F);
  const auto count = static_cast<std::int64_t>(residual.channels.size());
  const std::int64_t blocks = ScaleIndex::count_of(count, layer.params.block);
  for (std::int64_t row = 0; row < weight.rows(); ++row)
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t column = residual.channels[static_cast<std::size_t>(i)];
      const std::int16_t level = residual.stored[static_cast<std::size_t>(row * count + i)];
      const auto scale = static_cast<std::size_t>(row * blocks + i / layer.params.block);
      added[weight.index(0, row, column, 0)] = static_cast<float>(level) * residual.scale[scale];
    }
  return added;
}

}  // namespace ocs
