#pragma once

#include <string>
#include <vector>

#include "ocs/graph/model.h"

namespace ocs {

// What a graph output is joined from. Detectors put boxes, objectness and class scores of several
// levels into one tensor; a signal-to-noise of the whole would show the boxes alone, whose values
// are largest.
struct OutputPart {
  std::string output{};  // graph output
  std::vector<std::string>
      values{};  // inner values of the same kind: the same position in Concats of several levels
};

// Parts of every graph output that is a Concat, seen through Transpose, Reshape and the like; none
// for other outputs.
[[nodiscard]] std::vector<OutputPart> output_parts(const Model& model);

}  // namespace ocs
