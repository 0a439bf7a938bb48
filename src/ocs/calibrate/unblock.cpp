#include "ocs/calibrate/unblock.h"

#include <algorithm>
#include <memory>

#include "ocs/core/error.h"

namespace ocs {
void unblock_scalar(std::span<const float> from, std::size_t block, std::size_t inner,
                    std::span<float> to) {
  for (std::size_t channel = 0; channel < block; ++channel)
    for (std::size_t i = 0; i < inner; ++i) to[channel * inner + i] = from[i * block + channel];
}

void BlockedItem::check() const {
  const std::int64_t blocks = block > 0 ? (channels + block - 1) / block : 0;
  if (channels < 0 || inner < 0 || block < 1 || block % 4 != 0 ||
      std::ssize(values) != blocks * inner * block)
    throw_internal("blocks of channels: the extents do not fit the values");
}

void for_each_channels(const BlockedItem& item, std::int64_t at_once, const VisitChannels& visit) {
  item.check();
  if (item.values.empty()) return;
  const std::int64_t block_size = item.inner * item.block;
  const std::int64_t blocks = std::ssize(item.values) / block_size;
  const std::int64_t most = std::clamp<std::int64_t>(at_once / block_size, 1, blocks);
  const auto size = static_cast<std::size_t>(most * block_size);
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-c-arrays,modernize-avoid-c-arrays): a vector would be cleared first
  const auto memory = std::make_unique_for_overwrite<float[]>(size);
  const std::span<float> room(memory.get(), size);
  for (std::int64_t first = 0; first < blocks; first += most) {
    const std::int64_t count = std::min(most, blocks - first);
    for (std::int64_t i = 0; i < count; ++i)
      unblock(item.values.subspan(static_cast<std::size_t>((first + i) * block_size),
                                  static_cast<std::size_t>(block_size)),
              static_cast<std::size_t>(item.block), static_cast<std::size_t>(item.inner),
              room.subspan(static_cast<std::size_t>(i * block_size),
                           static_cast<std::size_t>(block_size)));
    const std::int64_t channel = first * item.block;
    const std::int64_t channels = std::min(count * item.block, item.channels - channel);
    visit(channel, room.first(static_cast<std::size_t>(channels * item.inner)));
  }
}

std::vector<BlockedItem> blocked_items(const OutputView& value) {
  const std::span<const std::int64_t> shape = value.tensor.shape;
  if (shape.size() < 2 || value.tensor.type != ElementType::float32)
    throw_internal("blocks of channels in what has none, or no floats");
  BlockedItem item{
      .channels = shape[1], .inner = element_count(shape.subspan(2)), .block = value.block};
  const auto size = static_cast<std::size_t>((item.channels + item.block - 1) / item.block *
                                             item.inner * item.block);
  const std::span<const float> all(static_cast<const float*>(value.tensor.data),
                                   static_cast<std::size_t>(shape[0]) * size);
  std::vector<BlockedItem> items;
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape[0]); ++i) {
    item.values = all.subspan(i * size, size);
    items.push_back(item);
  }
  return items;
}

Tensor in_order(const OutputView& value) {
  if (value.block == 1) return copy(value.tensor);
  const std::span<const std::int64_t> shape = value.tensor.shape;
  Tensor tensor{.shape = {shape.begin(), shape.end()}};
  auto& values = tensor.values.emplace<std::vector<float>>();
  values.reserve(static_cast<std::size_t>(element_count(shape)));
  for (const BlockedItem& item : blocked_items(value))
    for_each_channels(item, 0, [&](std::int64_t, std::span<const float> part) {
      values.insert(values.end(), part.begin(), part.end());
    });
  return tensor;
}

}  // namespace ocs
