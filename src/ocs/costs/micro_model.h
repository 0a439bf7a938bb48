// Small integer networks whose nodes are the kernels that a cost table prices.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ocs/costs/cost_table.h"
#include "ocs/graph/model.h"

namespace ocs {

// `pairs` times a layer from `narrow` to `wide` channels and one back, on a map of extent x extent (for matmul: extent rows), all integer.
struct MicroModel {
  Kernel kernel = Kernel::pointwise;
  std::int64_t narrow = 0;
  std::int64_t wide = 0;
  std::int64_t extent = 0;
  std::int64_t taps = 1;  // of one side of the kernel; odd
  int pairs = 1;
  // The second layer of each pair reads `copies` of its channels once more, by this move.
  std::optional<Move> move{};
  std::int64_t copies = 0;
};

// With a QuantizeLinear and a DequantizeLinear at every value, weights from a fixed seed. Input "x" float [1, narrow, extent, extent], or
// [extent, narrow].
[[nodiscard]] Model build(const MicroModel& micro);

// The nodes of one pair that a table prices, without the move.
[[nodiscard]] std::vector<KernelWork> work_of_pair(const MicroModel& micro);
// Numbers that the move of one pair gives; 0 without one.
[[nodiscard]] double moved_values(const MicroModel& micro);

// "pointwise 64-256-64 at 28": for people.
[[nodiscard]] std::string name_of(const MicroModel& micro);

// What `ocs bench --costs` measures, with pairs = 1: kernels first, then moves.
[[nodiscard]] std::vector<MicroModel> micro_models();

}  // namespace ocs
