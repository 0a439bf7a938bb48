// Which of a weight's scales a weight has: one for all, one for each row, or one for each block of a row.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ocs/quant/channel_matrix.h"

namespace ocs {

class ScaleIndex {
 public:
  // `count`: scales there are; 1 means one for all. `block`: neighbouring inputs of a row that share a scale, 0:
  // all of them. The scales of a row's blocks lie side by side, the last block may be shorter.
  ScaleIndex(const ChannelMatrix& weight, std::size_t count, std::int64_t block)
      : inputs_(weight.inputs),
        block_(block > 0 ? block : weight.inputs),
        blocks_(count_of(weight.inputs, block)),
        is_single_(count == 1) {}

  // Blocks of a row.
  [[nodiscard]] static std::int64_t count_of(std::int64_t inputs, std::int64_t block) {
    return block > 0 ? (inputs + block - 1) / block : 1;
  }

  // Whether the columns `column` and `column` - 1 of a row have different scales, or `column` is the first of its group.
  [[nodiscard]] bool begins_at(std::int64_t column) const { return column % inputs_ % block_ == 0; }

  // `row` and `column` as for_each_weight counts them.
  [[nodiscard]] std::size_t operator()(std::int64_t row, std::int64_t column) const {
    if (is_single_) return 0;
    const std::int64_t within = blocks_ == 1 ? 0 : column % inputs_ / block_;
    return static_cast<std::size_t>(row * blocks_ + within);
  }

 private:
  std::int64_t inputs_;
  std::int64_t block_;
  std::int64_t blocks_;
  bool is_single_;
};

}  // namespace ocs
