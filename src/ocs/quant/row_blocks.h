// Passes over a weight that keep to the order in which it lies, whichever of its axes that is: strides over a large transposed
// weight cost a cache line a value.
#pragma once

#include <cstdint>
#include <functional>

#include "ocs/quant/channel_matrix.h"

namespace ocs {

// Whether the outputs of an input lie side by side, as in a MatMul with weights [inputs, outputs].
[[nodiscard]] inline bool is_turned(const ChannelMatrix& weight) {
  return weight.taps == 1 && weight.output_stride == 1 && weight.outputs > 1;
}

// Neighbouring output channels [first, last) of a group.
struct RowBlock {
  std::int64_t group = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  [[nodiscard]] std::int64_t rows() const { return last - first; }
};

// Rows of a block at most, for arrays with a place for each. A large transposed weight has a page for each input: with few of its values
// read at a time, addresses cost more than they do.
inline constexpr std::int64_t largest_row_block = 128;

// Calls work(block) for blocks that together are all rows, several at once. What is written for one row must not
// depend on another.
void for_each_row_block(const ChannelMatrix& weight,
                        const std::function<void(const RowBlock& block)>& work);

// Calls visit(output, input) for every pair of a block, in the order in which the weights lie. For one output the inputs ascend
// in either order.
template <typename Visit>
void for_each_pair(const ChannelMatrix& weight, const RowBlock& block, Visit&& visit) {
  if (weight.output_stride >= weight.input_stride) {
    for (std::int64_t output = block.first; output < block.last; ++output)
      for (std::int64_t input = 0; input < weight.inputs; ++input) visit(output, input);
  } else {
    for (std::int64_t input = 0; input < weight.inputs; ++input)
      for (std::int64_t output = block.first; output < block.last; ++output) visit(output, input);
  }
}

}  // namespace ocs
