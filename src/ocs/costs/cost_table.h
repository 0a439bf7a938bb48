// What integer kernels cost on one machine, as a table of measured coefficients (docs/costs.md): the prices of copies of channels.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ocs {

// Kernels that the engine has for integers. A pointwise Conv has a kernel of one tap and no stride. A depthwise one whose channels are no
// multiple of CostTable::depthwise_tile goes through all of them in another way than one whose are, at half the speed.
enum class Kernel { pointwise, spatial, depthwise, depthwise_off_tile, matmul };
// How further channels get to a layer: Gather of all channels, or Slice and Concat of some.
enum class Move { gather, slice };

inline constexpr std::array<std::string_view, 5> kernel_names{"pointwise", "spatial", "depthwise",
                                                              "depthwise_off_tile", "matmul"};
inline constexpr std::array<std::string_view, 2> move_names{"gather", "slice"};

// One node: `inputs` channels of each group are read, `outputs` written, at `positions` places (those of a map, or the rows of a matrix).
// For depthwise `outputs` counts all channels and `inputs` is 1; whether they fill the tile is seen from them (priced_as).
struct KernelWork {
  Kernel kernel = Kernel::pointwise;
  double inputs = 0.0;
  double outputs = 0.0;
  double taps = 1.0;
  double positions = 0.0;
};

// Nanoseconds. A kernel takes
//   node + multiply * M + weight * weights + patch * inputs * taps * positions + result * outputs * positions,
// M = multiply-accumulates with inputs rounded up to a multiple of CostTable::input_multiple and outputs to one of output_tile, each
// of them nothing below it; a depthwise one counts its products only.
struct KernelCost {
  double node = 0.0;
  double multiply = 0.0;
  double weight = 0.0;  // read once: what a product with few rows waits for
  double patch = 0.0;
  double result = 0.0;
  bool operator==(const KernelCost&) const = default;
};

// Nanoseconds: node + value * numbers that the node gives.
struct MoveCost {
  double node = 0.0;
  double value = 0.0;
  bool operator==(const MoveCost&) const = default;
};

struct CostTable {
  std::string machine{};  // processor and instruction sets, as the machine names them
  std::string engine{};   // version of ONNX Runtime
  double median_error =
      0.0;  // of the fit: |predicted - measured| / measured over the measured models, as fit_costs sees it
  std::int64_t input_multiple = 4;
  std::int64_t output_tile = 16;
  std::int64_t depthwise_tile = 16;
  std::array<KernelCost, kernel_names.size()> kernels{};
  std::array<MoveCost, move_names.size()> moves{};
  bool operator==(const CostTable&) const = default;
};

// Whose coefficients price the work: its kernel's, or depthwise_off_tile.
[[nodiscard]] Kernel priced_as(const CostTable& costs, const KernelWork& work);

// Nanoseconds of one run of a node.
[[nodiscard]] double predicted_ns(const CostTable& costs, const KernelWork& work);
// The same for what brings copies to a layer; `values`: numbers that it gives.
[[nodiscard]] double predicted_ns(const CostTable& costs, Move move, double values);

// M above: products of one run, padded as the kernels pad them.
[[nodiscard]] double padded_products(const CostTable& costs, const KernelWork& work);

}  // namespace ocs
