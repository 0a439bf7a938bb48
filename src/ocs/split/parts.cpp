#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/quant/affine.h"
#include "ocs/split/copies.h"
#include "ocs/split/select.h"

namespace ocs {
namespace {

// The real weight of copy j.
float real_part(float weight, int copies, int j, SplitParts parts) {
  return parts == SplitParts::equal ? weight / static_cast<float>(copies)
                                    : std::ldexp(weight, -halvings(copies, j));
}

// Integers up to here are exact in float, which quantize() clamps in.
constexpr std::int64_t largest_exact = std::int64_t{1} << 24;

std::int32_t limit(std::int64_t copies, std::int32_t highest) {
  return static_cast<std::int32_t>(std::min(copies * highest, largest_exact));
}

// Cut out of the rounded whole by halving. Unlike equal parts, the largest part may not fit.
std::int32_t halved_sum(float weight, float scale, std::int32_t highest, int copies) {
  // Beyond this every part is clamped anyway.
  const std::int32_t whole_limit = limit(std::int64_t{2} * copies, highest);
  const std::int32_t whole = quantize(weight, scale, 0, -whole_limit, whole_limit);
  std::int32_t sum = 0;
  for (int j = 0; j < copies; ++j) {
    sum += std::clamp(halving_part_of(whole, copies, j), -highest, highest);
  }
  return sum;
}

}  // namespace

std::vector<float> shares(int copies, SplitParts parts) {
  std::vector<float> all;
  for (int j = 0; j < copies; ++j) all.push_back(real_part(1.0F, copies, j, parts));
  return all;
}

namespace {

void check_copies(const ChannelMatrix& weight, std::span<const int> copies) {
  if (!copies.empty() && copies.size() != static_cast<std::size_t>(weight.columns()))
    throw_internal(fmt::format("physical weights: {} copy counts for {} channels", copies.size(),
                               weight.columns()));
}

void append_parts(std::vector<float>& values, float whole, std::span<const int> copies,
                  std::int64_t column, SplitParts parts) {
  const int count = copies.empty() ? 1 : copies[static_cast<std::size_t>(column)];
  if (count == 1) return values.push_back(whole);
  for (int j = 0; j < count; ++j) values.push_back(real_part(whole, count, j, parts));
}

}  // namespace

std::vector<float> physical_weights(const ChannelMatrix& weight, std::span<const int> copies,
                                    SplitParts parts) {
  check_copies(weight, copies);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(weight.size()));
  for_each_weight(weight, [&](std::int64_t, std::int64_t column, std::size_t index) {
    append_parts(values, weight.data[index], copies, column, parts);
  });
  return values;
}

namespace {

// Rows of weights [inputs, outputs]: an input after the other, as they lie.
void turn_into(std::vector<std::vector<float>>& rows, const ChannelMatrix& weight,
               const RowBlock& block) {
  std::array<float*, largest_row_block> to{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].resize(static_cast<std::size_t>(weight.inputs));
    to[i] = rows[i].data();
  }
  for (std::int64_t input = 0; input < weight.inputs; ++input) {
    const float* from = weight.data.data() + weight.index(block.group, block.first, input, 0);
    for (std::size_t i = 0; i < rows.size(); ++i) to[i][input] = from[i];
  }
}

}  // namespace

std::vector<std::vector<float>> physical_rows(const ChannelMatrix& weight,
                                              std::span<const int> copies, SplitParts parts,
                                              const RowBlock& block) {
  check_copies(weight, copies);
  std::vector<std::vector<float>> rows(static_cast<std::size_t>(block.rows()));
  const bool are_whole = std::ranges::all_of(copies, [](int count) { return count == 1; });
  const bool is_dense = weight.tap_stride == 1 && weight.input_stride == weight.taps;
  if (are_whole && is_turned(weight)) {
    turn_into(rows, weight, block);
    return rows;
  }
  if (are_whole && is_dense) {
    const auto length = static_cast<std::size_t>(weight.inputs * weight.taps);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::span<const float> row = weight.data.subspan(
          weight.index(block.group, block.first + static_cast<std::int64_t>(i), 0, 0), length);
      rows[i].assign(row.begin(), row.end());
    }
    return rows;
  }
  for (std::vector<float>& row : rows)
    row.reserve(static_cast<std::size_t>(weight.inputs * weight.taps));
  for_each_pair(weight, block, [&](std::int64_t output, std::int64_t input) {
    std::vector<float>& row = rows[static_cast<std::size_t>(output - block.first)];
    for (std::int64_t tap = 0; tap < weight.taps; ++tap)
      append_parts(row, weight.at(block.group, output, input, tap), copies,
                   block.group * weight.inputs + input, parts);
  });
  return rows;
}

std::int32_t rounded_sum(float weight, float scale, std::int32_t highest, int copies,
                         SplitKind kind, SplitParts parts) {
  if (kind == SplitKind::naive) {
    std::int32_t sum = 0;
    for (int j = 0; j < copies; ++j) {
      sum += quantize(real_part(weight, copies, j, parts), scale, 0, -highest, highest);
    }
    return sum;
  }
  if (parts == SplitParts::halving) return halved_sum(weight, scale, highest, copies);
  return quantize(weight, scale, 0, -limit(copies, highest), limit(copies, highest));
}

}  // namespace ocs
