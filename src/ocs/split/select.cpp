#include "ocs/split/select.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

// A physical channel in the queue: the largest magnitude is taken first, then the lowest index.
struct Physical {
  float max_abs = 0.0F;
  int index = 0;
  int channel = 0;  // the input channel that it is a copy of

  bool operator<(const Physical& other) const {
    return max_abs != other.max_abs ? max_abs < other.max_abs : index > other.index;
  }
};

}  // namespace

std::vector<float> column_max_abs(const ChannelMatrix& weight) {
  std::vector<float> largest(static_cast<std::size_t>(weight.columns()), 0.0F);
  for_each_weight(weight, [&](std::int64_t, std::int64_t column, std::size_t index) {
    float& max_abs = largest[static_cast<std::size_t>(column)];
    max_abs = std::max(max_abs, std::abs(weight.data[index]));
  });
  return largest;
}

Split select_largest(const ChannelMatrix& weight, int splits, SplitParts parts) {
  if (weight.groups != 1) {
    throw_internal(fmt::format("select_largest: a weight with {} groups", weight.groups));
  }
  if (splits < 0 || (splits > 0 && weight.inputs == 0)) {
    throw_internal(fmt::format("select_largest: {} splits of {} channels", splits, weight.inputs));
  }
  const std::vector<float> largest = column_max_abs(weight);
  const int inputs = static_cast<int>(largest.size());
  std::vector<Physical> channels;
  for (int i = 0; i < inputs; ++i) {
    channels.push_back({.max_abs = largest[static_cast<std::size_t>(i)], .index = i, .channel = i});
  }
  std::priority_queue<Physical> queue({}, std::move(channels));
  Split split{.copies = std::vector<int>(largest.size(), 1)};
  for (int s = 0; s < splits; ++s) {
    Physical top = queue.top();
    queue.pop();
    const auto channel = static_cast<std::size_t>(top.channel);
    const int copies = ++split.copies[channel];
    split.order.push_back(top.channel);
    if (parts == SplitParts::halving) {
      top.max_abs *= 0.5F;
      queue.push({.max_abs = top.max_abs, .index = inputs + s, .channel = top.channel});
    } else {  // one entry stands for all copies: they are equal, the original has the lowest index
      top.max_abs = largest[channel] / static_cast<float>(copies);
    }
    queue.push(top);
  }
  split.max_abs_after = queue.empty() ? 0.0F : queue.top().max_abs;
  return split;
}

int split_count(double ratio, std::int64_t inputs) {
  const double exact = ratio * static_cast<double>(inputs);
  return static_cast<int>(std::ceil(exact - 1e-9 * std::max(1.0, exact)));
}

}  // namespace ocs
