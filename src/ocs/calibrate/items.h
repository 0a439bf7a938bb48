// Items of a batch: a tensor of one run falls apart into what each item alone would have given.
#pragma once

#include <cstdint>
#include <span>

#include "ocs/core/samples.h"
#include "ocs/core/tensor.h"

namespace ocs {

// Items in a sample: the first extent that all its inputs (scalars aside) share; 1 where they share
// none.
[[nodiscard]] std::int64_t batch_of(const Sample& sample);

struct Items {
  Shape shape{};           // of one item: the first extent divided by the batch
  std::int64_t count = 1;  // items that lie one after the other in the tensor
  std::int64_t repeats =
      1;  // how often each counts: a tensor without a batch counts once for every item
};
// A tensor whose first extent is no multiple of the batch is one item.
[[nodiscard]] Items items_of(std::span<const std::int64_t> shape, std::int64_t batch);

}  // namespace ocs
