#pragma once

#include <cstdint>
#include <optional>

#include <onnx/onnx_pb.h>

#include "ocs/passes/value_facts.h"

namespace ocs {

// What becomes of a value [N, C, spatial...] in a step along its spatial axes that does the same to every channel and takes a factor of it to
// its result: Pad with zeros or with what is there, ReduceMean and the like, Slice, Resize.
struct SpatialStep {
  bool leaves_one = false;  // value a channel
};

// Nothing where `node` is no such step on a value of `rank` axes and `channels` channels, or that cannot be told from constants.
[[nodiscard]] std::optional<SpatialStep> spatial_step(const ValueFacts& facts,
                                                      const onnx::NodeProto& node, int rank,
                                                      std::int64_t channels);

}  // namespace ocs
