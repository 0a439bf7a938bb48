#include "ocs/calibrate/moments.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "ocs/calibrate/sums.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using Fixed = ChannelMoments::Fixed;

constexpr int fraction_bits = 56;

// A double on the grid of 2^-56, ties to even.
Fixed to_fixed(double value) {
  const double scaled = value * 0x1p56;                       // exact, or infinite
  if (std::abs(scaled) < 0x1p62) return std::llrint(scaled);  // nearly all: 128 bits take longer
  // Not below: also for NaN. 2^126 leaves room for one addition to be checked. An integer by its size.
  if (!(std::abs(scaled) < 0x1p126)) throw_bad_input("holds values too large for sums of squares");
  return static_cast<Fixed>(scaled);
}

void add_to(Fixed& total, Fixed value) {
  if (__builtin_add_overflow(total, value, &total))
    throw_bad_input("holds values too large for sums of squares");
}

// Values that fit in the nearest cache. Whole channels make a piece, so that sums are those of the
// whole item.
constexpr std::size_t piece_size = 4096;

double mean_of(Fixed total, std::int64_t count) {
  return count == 0
             ? 0.0
             : std::ldexp(static_cast<double>(total), -fraction_bits) / static_cast<double>(count);
}

}  // namespace

// Of one item, in double.
struct ChannelMoments::ItemSums {
  std::vector<double> sums;
  std::vector<double> squares;
  std::vector<float> max_abs;

  explicit ItemSums(std::size_t channels) : sums(channels), squares(channels), max_abs(channels) {}

  void add(std::span<const float> values, const sums::Extents& extents, std::size_t first) {
    sums::channel_sums(values, extents,
                       {.sums = std::span(sums).subspan(first, extents.channels),
                        .squares = std::span(squares).subspan(first, extents.channels),
                        .max_abs = std::span(max_abs).subspan(first, extents.channels)});
  }

  // Whole channels from `first` on, [count, run], a few at a time.
  void add_pieces(std::span<const float> values, std::size_t run, std::size_t first,
                  const Besides& besides) {
    const std::size_t channels = values.size() / run;
    const std::size_t at_once = std::max<std::size_t>(piece_size / run, 1);
    for (std::size_t channel = 0; channel < channels; channel += at_once) {
      const std::size_t count = std::min(at_once, channels - channel);
      const std::span<const float> piece = values.subspan(channel * run, count * run);
      if (besides) besides(piece);
      add(piece, {.outer = 1, .channels = count, .inner = run}, first + channel);
    }
  }
};

void ChannelMoments::expect(std::int64_t channels) {
  const auto size = static_cast<std::size_t>(channels);
  if (sums_.empty()) {
    sums_.resize(size);
    squares_.resize(size);
    max_abs_.resize(size);
  }
  if (sums_.size() != size)
    throw_bad_input("has " + std::to_string(channels) + " channels here and " +
                    std::to_string(sums_.size()) + " before");
}

void ChannelMoments::add(const ItemSums& sums, std::int64_t count) {
  for (std::size_t channel = 0; channel < sums_.size(); ++channel) {
    add_to(sums_[channel], to_fixed(sums.sums[channel]));
    add_to(squares_[channel], to_fixed(sums.squares[channel]));
    max_abs_[channel] = std::max(max_abs_[channel], sums.max_abs[channel]);
  }
  count_ += count;
}

void ChannelMoments::add(std::span<const float> item, std::int64_t outer, std::int64_t channels,
                         std::int64_t inner, const Besides& besides) {
  if (outer < 0 || channels <= 0 || inner < 0 ||
      static_cast<std::int64_t>(item.size()) != outer * channels * inner)
    throw_internal("channel moments: the extents do not fit the values");
  expect(channels);
  if (item.empty()) return;
  ItemSums sums(sums_.size());
  const auto run = static_cast<std::size_t>(inner);
  if (besides && outer == 1 && run > 1) {
    sums.add_pieces(item, run, 0, besides);
  } else {
    if (besides) besides(item);
    sums.add(item,
             {.outer = static_cast<std::size_t>(outer), .channels = sums_.size(), .inner = run}, 0);
  }
  add(sums, outer * inner);
}

void ChannelMoments::add(const BlockedItem& item, const Besides& besides) {
  item.check();
  expect(item.channels);
  if (item.values.empty()) return;
  ItemSums sums(sums_.size());
  const auto run = static_cast<std::size_t>(item.inner);
  for_each_channels(item, piece_size, [&](std::int64_t first, std::span<const float> part) {
    sums.add_pieces(part, run, static_cast<std::size_t>(first), besides);
  });
  add(sums, item.inner);
}

void ChannelMoments::merge(const ChannelMoments& other) {
  if (other.sums_.empty()) return;
  if (sums_.empty()) {
    *this = other;
    return;
  }
  if (sums_.size() != other.sums_.size())
    throw_bad_input("has " + std::to_string(other.sums_.size()) + " channels in one part and " +
                    std::to_string(sums_.size()) + " in another");
  for (std::size_t channel = 0; channel < sums_.size(); ++channel) {
    add_to(sums_[channel], other.sums_[channel]);
    add_to(squares_[channel], other.squares_[channel]);
    max_abs_[channel] = std::max(max_abs_[channel], other.max_abs_[channel]);
  }
  count_ += other.count_;
}

double ChannelMoments::mean(std::int64_t channel) const {
  return mean_of(sums_.at(static_cast<std::size_t>(channel)), count_);
}

double ChannelMoments::second_moment(std::int64_t channel) const {
  return mean_of(squares_.at(static_cast<std::size_t>(channel)), count_);
}

float ChannelMoments::max_abs(std::int64_t channel) const {
  return max_abs_.at(static_cast<std::size_t>(channel));
}

ChannelMoments ChannelMoments::from_parts(std::int64_t count, std::vector<Fixed> sums,
                                          std::vector<Fixed> squares, std::vector<float> max_abs) {
  if (count < 0) throw_bad_input("the count is negative");
  if (sums.size() != squares.size() || sums.size() != max_abs.size())
    throw_bad_input("sums, squares and max_abs differ in length");
  const auto is_magnitude = [](float value) { return std::isfinite(value) && value >= 0.0F; };
  if (!std::ranges::all_of(max_abs, is_magnitude))
    throw_bad_input("max_abs holds what is no magnitude");
  if (std::ranges::any_of(squares, [](Fixed value) { return value < 0; }))
    throw_bad_input("a sum of squares is negative");
  ChannelMoments result;
  result.count_ = count;
  result.sums_ = std::move(sums);
  result.squares_ = std::move(squares);
  result.max_abs_ = std::move(max_abs);
  return result;
}

}  // namespace ocs
