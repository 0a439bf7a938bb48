#include "ocs/calibrate/histogram.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <new>
#include <string>
#include <utility>

#include "ocs/calibrate/bins.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

static_assert(Histogram::half == bins::half);

constexpr std::size_t block =
    4096;  // values whose numbers fit in the nearest cache together with what they count into

// 32-bit counters in several tables: equal values in a row (zeros behind a Relu) then do not wait
// for each other's increments.
class Counters {
 public:
  // Adds the numbers of one block.
  void add(std::span<const std::uint32_t> numbers) {
    std::size_t i = 0;
    for (; i + tables <= numbers.size(); i += tables)
      for (std::size_t table = 0; table < tables; ++table)
        ++counts_[table * stride + numbers[i + table]];
    for (; i < numbers.size(); ++i) ++counts_[numbers[i]];
    held_ += numbers.size();
  }

  // No counter may wrap.
  [[nodiscard]] bool full() const { return held_ > (std::uint64_t{1} << 32U) - 2 * block; }
  [[nodiscard]] bool empty() const { return held_ == 0; }

  // Moves everything to `bins` and returns the zeros.
  std::int64_t move_to(std::span<std::int64_t> to) {
    for (std::size_t table = 0; table < tables; ++table)
      for (std::size_t bin = 0; bin < to.size(); ++bin) to[bin] += counts_[table * stride + bin];
    std::int64_t zeros = 0;
    for (std::size_t table = 0; table < tables; ++table)
      zeros += counts_[table * stride + bins::zero];
    counts_.fill(0);
    held_ = 0;
    return zeros;
  }

 private:
  static constexpr std::size_t tables = 4;
  static constexpr std::size_t stride =
      bins::count + 64;  // no power of two: the tables' lines would share cache sets
  std::uint64_t held_ = 0;
  std::array<std::uint32_t, tables * stride> counts_{};
};

// Fewer values than this are counted straight into the bins: clearing and adding up the tables
// would cost more.
constexpr std::size_t few = 2048;

[[noreturn]] void throw_not_finite(std::span<const float> values) {
  throw_bad_input(std::ranges::any_of(values, [](float value) { return std::isnan(value); })
                      ? "holds NaN"
                      : "holds infinity");
}

std::uint32_t magnitude_of(float value) {
  return std::bit_cast<std::uint32_t>(value) & 0x7FFFFFFFU;
}

}  // namespace

void Histogram::include_range(float min, float max, std::int64_t count) {
  min_ = count_ == 0 ? min : std::min(min_, min);
  max_ = count_ == 0 ? max : std::max(max_, max);
  count_ += count;
}

// Pairs of bins merge until they are 2^exponent wide: floor(floor(x) / 2) = floor(x / 2), so this
// is what bins of the new width would have counted.
void Histogram::widen(int exponent) {
  if (bins_.empty()) {
    bins_.assign(bins::count, 0);
    exponent_ = exponent;
  }
  const int shift = std::min(exponent - exponent_, 31);
  if (shift <= 0) return;
  std::vector<std::int64_t> wide(bins::count, 0);
  for (int bin = 0; bin < bins::count; ++bin) {
    const int to = ((bin - half) >> shift) + half;
    wide[static_cast<std::size_t>(to)] += bins_[static_cast<std::size_t>(bin)];
  }
  bins_ = std::move(wide);
  exponent_ = exponent;
}

// How one call, or one filler, counts: in tables that are moved to the bins at the end, or before
// these are widened, and are empty then.
struct HistogramFiller::Tables {
  std::array<std::uint32_t, block + bins::slack> numbers{};
  Counters counters{};

  // Each thread keeps those that it is done with: clearing new ones for each tensor of each sample would take a tenth of the time.
  static std::unique_ptr<Tables> take() {
    if (spare().empty()) return std::make_unique<Tables>();
    std::unique_ptr<Tables> tables = std::move(spare().back());
    spare().pop_back();
    return tables;
  }
  static void give_back(std::unique_ptr<Tables> tables) noexcept {
    try {
      spare().push_back(std::move(tables));
    } catch (const std::bad_alloc&) {
      // They are not kept.
    }
  }

 private:
  static std::vector<std::unique_ptr<Tables>>& spare() {
    thread_local std::vector<std::unique_ptr<Tables>> tables;
    return tables;
  }
};

HistogramFiller::HistogramFiller(Histogram& histogram, std::size_t expected)
    : histogram_(histogram) {
  if (histogram.range_only()) throw_internal("a histogram takes either values or ranges");
  if (expected > few) tables_ = Tables::take();
}

HistogramFiller::~HistogramFiller() {
  flush();
  if (tables_) Tables::give_back(std::move(tables_));
}

void HistogramFiller::flush() {
  if (tables_ && !tables_->counters.empty())
    histogram_.zeros_ += tables_->counters.move_to(histogram_.bins_);
}

void HistogramFiller::add(std::span<const float> values) {
  if (tables_) {
    for (std::size_t start = 0; start < values.size(); start += block)
      add_block(values, start, tables_->numbers);
    return;
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read
  std::array<std::uint32_t, few + bins::slack> numbers;
  for (std::size_t start = 0; start < values.size(); start += few)
    add_block(values, start, numbers);
}

// `numbers`: room for a block and the slack behind it. The pass that numbers the values finds their extremes as well: it is made with
// the width so far, and once more where a block turns out to need wider bins.
void HistogramFiller::add_block(std::span<const float> values, std::size_t start,
                                std::span<std::uint32_t> numbers) {
  const std::span<const float> part =
      values.subspan(start, std::min(numbers.size() - bins::slack, values.size() - start));
  // As behind a Relu, where about half of the values are zero: they need no counter each. The bins themselves have none for them.
  const bool skips_zeros = !tables_ || (histogram_.count_ > 0 && histogram_.min_ == 0.0F);
  const auto number = [&] {
    return skips_zeros ? bins::number_nonzero(part, histogram_.exponent_, numbers.data())
                       : bins::number_all(part, histogram_.exponent_, numbers.data());
  };
  bins::Numbered found = number();
  if (found.extremes.magnitude >= bins::infinity_bits) throw_not_finite(values);
  histogram_.include_range(found.extremes.min, found.extremes.max,
                           static_cast<std::int64_t>(part.size()));
  if (found.extremes.magnitude == 0) {
    histogram_.zeros_ += static_cast<std::int64_t>(part.size());
    return;
  }
  const int exponent = bins::exponent_for(found.extremes.magnitude);
  if (histogram_.bins_.empty() || exponent > histogram_.exponent_) {
    flush();
    histogram_.widen(exponent);
    found = number();
  }
  histogram_.zeros_ += static_cast<std::int64_t>(part.size() - found.count);
  count(numbers.first(found.count));
}

void HistogramFiller::count(std::span<const std::uint32_t> numbers) {
  if (tables_) {
    tables_->counters.add(numbers);
    if (tables_->counters.full()) flush();
    return;
  }
  for (const std::uint32_t number : numbers) ++histogram_.bins_[number];
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  HistogramFiller(*this, values.size()).add(values);
}

void Histogram::add_range(std::span<const float> values) {
  if (values.empty()) return;
  if (!bins_.empty()) throw_internal("a histogram takes either values or ranges");
  for (std::size_t start = 0; start < values.size(); start += block) {
    const std::span<const float> part =
        values.subspan(start, std::min(block, values.size() - start));
    const bins::Extremes extremes = bins::extremes(part);
    if (extremes.magnitude >= bins::infinity_bits) throw_not_finite(values);
    include_range(extremes.min, extremes.max, static_cast<std::int64_t>(part.size()));
    zeros_ += std::ranges::count(part, 0.0F);
  }
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  if ((range_only() && !other.bins_.empty()) || (other.range_only() && !bins_.empty()))
    throw_bad_input("one part has a histogram and the other only a range");
  include_range(other.min_, other.max_, other.count_);
  zeros_ += other.zeros_;
  if (other.bins_.empty()) return;
  widen(other.exponent_);
  const int shift = std::min(exponent_ - other.exponent_, 31);
  for (int bin = 0; bin < bins::count; ++bin) {
    const int to = ((bin - half) >> shift) + half;
    bins_[static_cast<std::size_t>(to)] += other.bins_[static_cast<std::size_t>(bin)];
  }
}

Histogram::Weighted Histogram::weighted() const {
  Weighted result;
  const auto push = [&](double value, std::int64_t count) {
    if (count == 0) return;
    result.values.push_back(std::clamp(static_cast<float>(value), min_, max_));
    result.counts.push_back(static_cast<double>(count));
  };
  const auto push_bins = [&](int begin, int end) {
    for (int bin = begin; bin < end; ++bin)
      push(std::ldexp(bin - half + 0.5, exponent_), bins_[static_cast<std::size_t>(bin)]);
  };
  if (!bins_.empty()) push_bins(0, half);
  push(0.0, zeros_);
  if (!bins_.empty()) push_bins(half, bins::count);
  return result;
}

Histogram Histogram::from_range(std::int64_t count, std::int64_t zeros, float min, float max) {
  if (count < 0 || zeros < 0 || zeros > count)
    throw_bad_input("count and zeros do not fit together");
  if (!std::isfinite(min) || !std::isfinite(max) || min > max)
    throw_bad_input("minimum and maximum are no range");
  if (zeros > 0 && (min > 0.0F || max < 0.0F))
    throw_bad_input("there are zeros outside of the range");
  if (count == zeros && (min != 0.0F || max != 0.0F)) throw_bad_input("the range holds no value");
  if (count > 0 && zeros == 0 && (min == 0.0F || max == 0.0F))
    throw_bad_input("the range ends at a zero that was not counted");
  Histogram result;
  result.count_ = count;
  result.zeros_ = zeros;
  result.min_ = min + 0.0F;
  result.max_ = max + 0.0F;
  return result;
}

Histogram Histogram::from_parts(std::int64_t zeros, float min, float max, int exponent,
                                std::vector<std::int64_t> bins) {
  if (bins.empty()) {
    if (exponent != 0) throw_bad_input("there is an exponent but no bins");
    return from_range(zeros, zeros, min, max);
  }
  if (bins.size() != bins::count)
    throw_bad_input("there must be " + std::to_string(bins::count) + " bins");
  std::int64_t count = zeros;
  for (const std::int64_t held : bins) {
    if (held < 0) throw_bad_input("a bin holds a negative count");
    if (__builtin_add_overflow(count, held, &count)) throw_bad_input("the counts are too large");
  }
  Histogram result = from_range(count, zeros, min, max);
  const std::uint32_t magnitude = std::max(magnitude_of(min), magnitude_of(max));
  if (magnitude == 0 || exponent != bins::exponent_for(magnitude))
    throw_bad_input("the exponent does not fit the range");
  // The lowest and the highest value lie in the first and the last bin that is not empty, unless
  // they are zero.
  const std::array<float, 2> ends{result.min_, result.max_};
  std::array<std::uint32_t, 2> numbers{};
  (void)bins::number_all_scalar(ends, exponent, numbers.data());
  const auto occupied = [](std::int64_t held) { return held > 0; };
  const auto first = std::ranges::find_if(bins, occupied) - bins.begin();
  const auto last = bins.rend() - std::find_if(bins.rbegin(), bins.rend(), occupied) - 1;
  const bool low_fits = numbers[0] == bins::zero ? first >= half : first == numbers[0];
  const bool high_fits = numbers[1] == bins::zero ? last < half : last == numbers[1];
  if (!low_fits || !high_fits) throw_bad_input("the bins do not fit the range");
  result.exponent_ = exponent;
  result.bins_ = std::move(bins);
  return result;
}

}  // namespace ocs
