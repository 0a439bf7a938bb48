#include "ocs/quant/row_blocks.h"

#include <algorithm>
#include <cstddef>

#include "ocs/core/parallel.h"

namespace ocs {

void for_each_row_block(const ChannelMatrix& weight,
                        const std::function<void(const RowBlock& block)>& work) {
  constexpr std::int64_t rows = largest_row_block;
  const std::int64_t blocks = (weight.outputs + rows - 1) / rows;
  parallel_for(static_cast<std::size_t>(weight.groups * blocks), [&](std::size_t item) {
    const auto number = static_cast<std::int64_t>(item);
    const std::int64_t first = number % blocks * rows;
    work(
        {.group = number / blocks, .first = first, .last = std::min(first + rows, weight.outputs)});
  });
}

}  // namespace ocs
