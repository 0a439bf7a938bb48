// Streaming histogram with fixed memory: bins of a power-of-two width, doubled when the range
// grows. Since the width depends only on the largest magnitude seen, the result is the same for any
// order, batching and merging.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ocs {

class Histogram {
 public:
  static constexpr int half = 2048;  // bins on each side of zero

  // Adds finite values. Throws Error(bad_input) "holds NaN" / "holds infinity" (the caller names
  // the tensor); the histogram is then to be dropped.
  void add(std::span<const float> values);
  // Count, zeros, minimum and maximum only; never makes bins. One histogram takes either add or
  // add_range.
  void add_range(std::span<const float> values);
  // Throws Error(bad_input) where one side has bins and the other only a range.
  void merge(const Histogram& other);

  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::int64_t zeros() const { return zeros_; }  // exact zeros, not in the bins
  [[nodiscard]] float min() const { return min_; }             // 0 where count() == 0
  [[nodiscard]] float max() const { return max_; }
  // Width of a bin: 2^exponent(). Bin i of [0, 2 * half) covers [(i - half), (i - half + 1)) *
  // width. 0 without bins.
  [[nodiscard]] int exponent() const { return exponent_; }
  [[nodiscard]] std::span<const std::int64_t> bins() const {
    return bins_;
  }  // empty: only zeros so far, or range_only()
  // Values other than zero came by add_range: there are no bins to choose a threshold from.
  [[nodiscard]] bool range_only() const { return bins_.empty() && count_ > zeros_; }

  // Non-empty bins as values with counts in ascending order (centres, clamped to [min, max]; exact
  // zero apart): what clip methods take.
  struct Weighted {
    std::vector<float> values{};
    std::vector<double> counts{};
  };
  [[nodiscard]] Weighted weighted() const;
  bool operator==(const Histogram&) const = default;

  // For reading a saved file; check the invariants, throw Error(bad_input) saying which is broken.
  static Histogram from_parts(std::int64_t zeros, float min, float max, int exponent,
                              std::vector<std::int64_t> bins);
  static Histogram from_range(std::int64_t count, std::int64_t zeros, float min, float max);

 private:
  friend class HistogramFiller;
  void include_range(float min, float max, std::int64_t count);
  void widen(int exponent);

  std::int64_t count_ = 0;
  std::int64_t zeros_ = 0;
  float min_ = 0.0F;
  float max_ = 0.0F;
  int exponent_ = 0;
  std::vector<std::int64_t> bins_{};  // empty until a value other than zero was seen
};

// Adds values to a histogram in pieces, as Histogram::add does at once; nobody else may use the
// histogram meanwhile. What it throws is what add throws.
class HistogramFiller {
 public:
  // `expected`: about how many values will come.
  HistogramFiller(Histogram& histogram, std::size_t expected);
  ~HistogramFiller();
  HistogramFiller(const HistogramFiller&) = delete;
  HistogramFiller& operator=(const HistogramFiller&) = delete;
  HistogramFiller(HistogramFiller&&) = delete;
  HistogramFiller& operator=(HistogramFiller&&) = delete;

  void add(std::span<const float> values);

 private:
  struct Tables;
  void add_block(std::span<const float> values, std::size_t start,
                 std::span<std::uint32_t> numbers);
  void count(std::span<const std::uint32_t> numbers);
  void flush();

  Histogram& histogram_;
  std::unique_ptr<Tables> tables_{};  // none for few values: moving them would cost more
};

}  // namespace ocs
