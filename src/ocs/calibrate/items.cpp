#include "ocs/calibrate/items.h"

namespace ocs {

std::int64_t batch_of(const Sample& sample) {
  std::int64_t batch = 0;
  for (const auto& [name, tensor] : sample.inputs) {
    if (tensor.shape.empty()) continue;
    if (batch != 0 && batch != tensor.shape.front()) return 1;
    batch = tensor.shape.front();
  }
  return batch > 0 ? batch : 1;
}

Items items_of(std::span<const std::int64_t> shape, std::int64_t batch) {
  Items items{.shape = Shape(shape.begin(), shape.end())};
  if (shape.empty() || shape.front() == 1) {
    items.repeats = batch;
  } else if (shape.front() % batch == 0) {
    items.count = batch;
    items.shape.front() /= batch;
  }
  return items;
}

}  // namespace ocs
