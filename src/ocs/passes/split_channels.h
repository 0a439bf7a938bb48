#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ocs/graph/pass_result.h"
#include "ocs/ops/op.h"

namespace ocs {

struct SplitReader {
  std::string node{};
  Operand operand{};  // whose data are the value, and whose weight has one group
  bool operator==(const SplitReader&) const = default;
};

// Which channels of one activation become several, and what each of them carries.
struct ChannelSplit {
  std::string value{};
  std::vector<int> copies{};  // of each channel, at least 1
  // a: part j carries clip(x - clip(x, -j a, j a), -a, a), the last without that bound. None: the
  // paper's halves, x / copies in each.
  std::optional<float> threshold{};
  bool not_negative = false;  // no x is below zero
  std::vector<SplitReader>
      readers{};  // they read the parts; all other readers go on with the whole
};

// How the weights of a node have grown: for each channel of now the one of before; empty: unchanged.
struct ChannelGrowth {
  std::vector<std::int64_t> inputs{};
  std::vector<std::int64_t> rows{};
  bool operator==(const ChannelGrowth&) const = default;
};

struct SplitChannelsResult {
  PassResult pass{};
  std::map<std::string, std::string> parts_of{};  // value -> the value that holds its parts
  std::map<std::string, ChannelGrowth> grown{};   // by node
};

// Repeats channels of activations together with the weights that read them, so that the parts of a
// channel add up in the readers (paper section 3.5; docs/activation_splitting.md): parts stand
// behind all channels, first all second ones, then the third. Saturating parts of the result of
// Conv and Relu that only `readers` read become rows of the Conv: relu(y - j a) is the Relu of a row
// with the bias b - j a. Equal but for rounding. Throws Error(internal) where reader and value do not
// fit. Notes: one for each value, at its first reader.
[[nodiscard]] SplitChannelsResult split_channels(Model model,
                                                 const std::vector<ChannelSplit>& splits);

// Makes the halves of `split`, which stand in `parts`, quantization-aware: x/2 - step/4 and x/2 +
// step/4 round to what x rounds to (paper section 3.3); they still add up to x.
[[nodiscard]] Model shift_halves(Model model, const ChannelSplit& split, const std::string& parts,
                                 float step);

// The channel of each part in that order.
[[nodiscard]] std::vector<std::int64_t> part_channels(const std::vector<int>& copies);
// Which part (0 .. copies - 1) of its channel each of them is.
[[nodiscard]] std::vector<int> part_numbers(const std::vector<int>& copies);

// `tensor` with the entries `sources` along `axis`.
[[nodiscard]] Tensor take(const Tensor& tensor, int axis, const std::vector<std::int64_t>& sources);

}  // namespace ocs
