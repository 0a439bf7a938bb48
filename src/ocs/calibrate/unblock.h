// Values that an engine gives in blocks of channels (OutputView::block), put back into ONNX's order a few channels at a time: what reads
// them next still finds them in the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ocs/core/tensor.h"
#include "ocs/engine/engine.h"

namespace ocs {

// One item, [ceil(channels / block), inner, block] in memory.
struct BlockedItem {
  std::span<const float> values{};
  std::int64_t channels = 0;
  std::int64_t inner = 0;
  std::int64_t block = 1;

  // Throws Error(internal) where the extents do not fit the values.
  void check() const;
};

// Calls visit(first, part) for groups of neighbouring channels in their order; part is [count, inner] for those from `first` on. As many
// at once as whole blocks that hold about `at_once` values.
using VisitChannels = std::function<void(std::int64_t first, std::span<const float> part)>;
void for_each_channels(const BlockedItem& item, std::int64_t at_once, const VisitChannels& visit);

// One block: value (i, channel) of `from`, [inner, block], becomes (channel, i) of `to`. `block`: a multiple of 4.
void unblock(std::span<const float> from, std::size_t block, std::size_t inner,
             std::span<float> to);
void unblock_scalar(std::span<const float> from, std::size_t block, std::size_t inner,
                    std::span<float> to);

// The N items of a value [N, channels, ...] that comes in blocks.
[[nodiscard]] std::vector<BlockedItem> blocked_items(const OutputView& value);

// A whole tensor, copied; one that comes in no blocks as it is.
[[nodiscard]] Tensor in_order(const OutputView& value);

}  // namespace ocs
