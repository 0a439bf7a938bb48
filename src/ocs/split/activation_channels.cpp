#include "ocs/split/activation_channels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

namespace ocs {
namespace {

constexpr double frequent_share = 0.01;  // above the 99th percentile

// Sums over the bins from one on: number, sum and sum of squares of the values there.
struct Tail {
  double count = 0.0;
  double sum = 0.0;
  double squares = 0.0;
};

// Errors of one channel for any threshold in closed form, from sums made once.
class Channel {
 public:
  Channel(std::span<const float> magnitudes, std::span<const std::int64_t> counts)
      : magnitudes_(magnitudes), tails_(magnitudes.size() + 1) {
    for (std::size_t bin = magnitudes.size(); bin-- > 0;) {
      const auto count = static_cast<double>(counts[bin]);
      const auto x = static_cast<double>(magnitudes[bin]);
      tails_[bin] = {.count = tails_[bin + 1].count + count,
                     .sum = tails_[bin + 1].sum + count * x,
                     .squares = tails_[bin + 1].squares + count * x * x};
    }
  }

  // Squared error of all values with parts up to `limit` and steps of `step`.
  [[nodiscard]] double error(double limit, double step) const {
    const Tail& all = tails_.front();
    const Tail& clipped = above(limit);
    const Tail& rounded = above(std::min(step / 2.0, limit));  // the others round to zero
    return clipped.squares - 2.0 * limit * clipped.sum + limit * limit * clipped.count +
           (rounded.count - clipped.count) * step * step / 12.0 + all.squares - rounded.squares;
  }

 private:
  [[nodiscard]] const Tail& above(double value) const {
    const auto first = std::ranges::upper_bound(magnitudes_, value, {},
                                                [](float x) { return static_cast<double>(x); });
    return tails_[static_cast<std::size_t>(first - magnitudes_.begin())];
  }

  std::span<const float> magnitudes_;
  std::vector<Tail> tails_;
};

std::vector<Channel> channels_of(const MagnitudeTable& table) {
  const std::size_t bins = table.magnitudes.size();
  std::vector<Channel> channels;
  for (std::size_t c = 0; c < static_cast<std::size_t>(table.channels()); ++c)
    channels.emplace_back(table.magnitudes, table.counts.subspan(c * bins, bins));
  return channels;
}

double error_of(const std::vector<Channel>& channels, std::span<const double> energy,
                std::span<const int> copies, double threshold, int levels) {
  double error = 0.0;
  for (std::size_t c = 0; c < channels.size(); ++c)
    error += energy[c] * channels[c].error(copies[c] * threshold, threshold / levels);
  return error;
}

// The copies that `splits` buy at this threshold.
std::vector<int> buy(const std::vector<Channel>& channels, std::span<const double> energy,
                     double threshold, int levels, int splits) {
  std::vector<int> copies(channels.size(), 1);
  struct Offer {
    double gain = 0.0;
    std::size_t channel = 0;
    bool operator<(const Offer& other) const {
      return gain != other.gain ? gain < other.gain : channel > other.channel;
    }
  };
  const auto offer = [&](std::size_t c) {
    const double step = threshold / levels;
    return Offer{.gain = energy[c] * (channels[c].error(copies[c] * threshold, step) -
                                      channels[c].error((copies[c] + 1) * threshold, step)),
                 .channel = c};
  };
  std::priority_queue<Offer> offers;
  for (std::size_t c = 0; c < channels.size(); ++c) offers.push(offer(c));
  for (int split = 0; split < splits; ++split) {
    const std::size_t channel = offers.top().channel;
    offers.pop();
    ++copies[channel];
    offers.push(offer(channel));
  }
  return copies;
}

// Magnitude of the largest bin that holds a value; 0 for none.
double largest_magnitude(const MagnitudeTable& table) {
  const std::size_t bins = table.magnitudes.size();
  for (std::size_t bin = bins; bin-- > 0;)
    for (std::size_t at = bin; at < table.counts.size(); at += bins)
      if (table.counts[at] > 0) return static_cast<double>(table.magnitudes[bin]);
  return 0.0;
}

}  // namespace

std::vector<int> select_frequent(const MagnitudeTable& table, int splits) {
  const std::size_t bins = table.magnitudes.size();
  const auto count = static_cast<std::size_t>(table.channels());
  std::vector<double> frequency(count, 0.0);
  double wanted = frequent_share * static_cast<double>(table.total);
  for (std::size_t bin = bins; bin-- > 0 && wanted > 0.0;) {
    std::int64_t in_bin = 0;
    for (std::size_t c = 0; c < count; ++c) in_bin += table.counts[c * bins + bin];
    if (in_bin == 0) continue;
    const double share = std::min(1.0, wanted / static_cast<double>(in_bin));
    for (std::size_t c = 0; c < count; ++c)
      frequency[c] += share * static_cast<double>(table.counts[c * bins + bin]);
    wanted -= static_cast<double>(in_bin);
  }
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater(),
                           [&](std::size_t c) { return frequency[c]; });
  std::vector<int> copies(count, 1);
  for (std::size_t i = 0; i < std::min(count, static_cast<std::size_t>(splits)); ++i)
    copies[order[i]] = 2;
  return copies;
}

SaturatingSplit select_saturating(const MagnitudeTable& table, std::span<const double> energy,
                                  int splits, int levels) {
  const std::vector<Channel> channels = channels_of(table);
  const double largest = largest_magnitude(table);
  SaturatingSplit best{.threshold = largest, .copies = std::vector<int>(channels.size(), 1)};
  if (largest == 0.0) return best;
  double least = HUGE_VAL;
  // Eight candidates an octave, from the largest magnitude down to 1/256 of it.
  constexpr int candidates = 8 * 8;
  constexpr double per_octave = 8.0;
  for (int i = 0; i <= candidates; ++i) {
    const double threshold = largest * std::exp2(-i / per_octave);
    std::vector<int> copies = buy(channels, energy, threshold, levels, splits);
    const double error = error_of(channels, energy, copies, threshold, levels);
    if (error >= least) continue;
    least = error;
    best = {.threshold = threshold, .copies = std::move(copies)};
  }
  // The copies stay; the threshold between the neighbours of the best.
  constexpr int finer = 16;
  const double coarse = best.threshold;
  for (int i = 1 - finer; i < finer; ++i) {
    const double threshold = std::min(largest, coarse * std::exp2(i / (finer * per_octave)));
    const double error = error_of(channels, energy, best.copies, threshold, levels);
    if (error >= least) continue;
    least = error;
    best.threshold = threshold;
  }
  return best;
}

double saturating_error(const MagnitudeTable& table, std::span<const double> energy,
                        std::span<const int> copies, double threshold, int levels) {
  return error_of(channels_of(table), energy, copies, threshold, levels);
}

}  // namespace ocs
