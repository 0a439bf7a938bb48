#include <algorithm>
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

std::vector<float> physical_weights(const ChannelMatrix& weight, std::span<const int> copies,
                                    SplitParts parts, std::int64_t row) {
  if (!copies.empty() && copies.size() != static_cast<std::size_t>(weight.columns())) {
    throw_internal(fmt::format("physical_weights: {} copy counts for {} channels", copies.size(),
                               weight.columns()));
  }
  // One row is a matrix of one group and one output.
  ChannelMatrix part = weight;
  std::int64_t first_column = 0;
  if (row >= 0) {
    const std::int64_t group = row / weight.outputs;
    part.groups = part.outputs = 1;
    part.data = weight.data.subspan(weight.index(group, row % weight.outputs, 0, 0));
    first_column = group * weight.inputs;
  }
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(part.size()));
  for_each_weight(part, [&](std::int64_t, std::int64_t column, std::size_t index) {
    const float whole = part.data[index];
    const int count = copies.empty() ? 1 : copies[static_cast<std::size_t>(first_column + column)];
    if (count == 1) {
      values.push_back(whole);
      return;
    }
    for (int j = 0; j < count; ++j) values.push_back(real_part(whole, count, j, parts));
  });
  return values;
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
