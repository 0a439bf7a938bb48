#include "ocs/split/budget.h"

#include <algorithm>
#include <cmath>

namespace ocs {
namespace {

double square(double x) { return x * x; }

double scale_of(const CopyError& state, std::int64_t row) {
  return static_cast<double>(
      state.scales[state.scales.size() == 1 ? 0 : static_cast<std::size_t>(row)]);
}

double squared_error(double weight, double scale, double limit) {
  return square(weight - scale * std::nearbyint(std::clamp(weight / scale, -limit, limit)));
}

// How much less the error is with one more copy of each channel. Only clipped weights gain.
double gain(const CopyError& state, std::int64_t channel) {
  const ChannelMatrix& weight = state.weight;
  const auto c = static_cast<std::size_t>(channel);
  const double limit = static_cast<double>(state.copies[c]) * state.highest;
  const std::int64_t g = channel / weight.inputs;
  double sum = 0.0;
  for (std::int64_t o = 0; o < weight.outputs; ++o) {
    const double scale = scale_of(state, g * weight.outputs + o);
    for (std::int64_t k = 0; k < weight.taps; ++k) {
      const auto w = static_cast<double>(weight.at(g, o, channel % weight.inputs, k));
      if (std::abs(w) <= scale * limit) continue;
      sum += squared_error(w, scale, limit) - squared_error(w, scale, limit + state.highest);
    }
  }
  return state.importance[c] * sum;
}

}  // namespace

double output_error(const CopyError& state) {
  double sum = 0.0;
  for_each_weight(state.weight, [&](std::int64_t row, std::int64_t column, std::size_t at) {
    const auto c = static_cast<std::size_t>(column);
    sum += state.importance[c] *
           squared_error(static_cast<double>(state.weight.data[at]), scale_of(state, row),
                         static_cast<double>(state.copies[c]) * state.highest);
  });
  return sum;
}

void add_copies(CopyError& state, int count) {
  std::vector<double> gains;
  for (std::int64_t c = 0; c < state.weight.columns(); ++c) gains.push_back(gain(state, c));
  for (int i = 0; i < count; ++i) {
    const auto best = std::ranges::max_element(gains);
    const auto channel = best - gains.begin();
    ++state.copies[static_cast<std::size_t>(channel)];
    *best = gain(state, channel);
  }
}

std::vector<std::size_t> spend(const std::vector<std::vector<CopyOffer>>& layers, double budget) {
  std::vector<std::size_t> chosen(layers.size(), 0);
  double left = budget;
  while (true) {
    double best_slope = 0.0;
    std::size_t best_layer = 0;
    std::size_t best_offer = 0;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      for (std::size_t i = chosen[l] + 1; i < layers[l].size(); ++i) {
        const CopyOffer& now = layers[l][chosen[l]];
        const CopyOffer& then = layers[l][i];
        const double cost = then.cost - now.cost;
        const double slope = (now.error - then.error) / cost;
        if (cost > left || !(slope > best_slope)) continue;
        best_slope = slope;
        best_layer = l;
        best_offer = i;
      }
    }
    if (best_slope == 0.0) return chosen;
    left -= layers[best_layer][best_offer].cost - layers[best_layer][chosen[best_layer]].cost;
    chosen[best_layer] = best_offer;
  }
}

}  // namespace ocs
