// A Mul with a constant for each channel in front of layers: a place where factors of channels may go
// that nothing before can take (docs/equalization.md, "Smoothing").
//
//   v -> MatMul(W), Add      -->      v -> Mul(1) -> MatMul(W)
//                                     v -> Add
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "ocs/graph/pass_result.h"

namespace ocs {

// A value with its channels on the last axis, and the inputs of nodes that shall read it multiplied.
struct GainPoint {
  struct Reader {
    std::string node{};
    int input = 0;
    bool operator==(const Reader&) const = default;
  };
  std::string value{};
  std::int64_t channels = 0;
  std::vector<Reader> readers{};
  bool operator==(const GainPoint&) const = default;
};

struct AddedGains {
  Model model{};
  std::vector<std::string> nodes{};  // the Mul of each point
};
// A Mul by ones at each point. Nothing changes in what the model computes. Throws Error(internal) for a
// reader that does not read the value.
[[nodiscard]] AddedGains add_gains(Model model, const std::vector<GainPoint>& points);

// Takes these Mul out again, whatever their constants: what read them reads their data. Constants that nobody reads any more are
// left for `prune`.
[[nodiscard]] Model remove_gains(Model model, const std::set<std::string>& nodes);

}  // namespace ocs
