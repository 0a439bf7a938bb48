#pragma once

#include <string>

#include "ocs/lint/working_graph.h"

namespace ocs {

// What a Conv in an integer kernel loses because its channels are off the kernel's multiples, "" where it loses nothing worth a word:
// input channels (all but those of an image, up to 4) off multiples of 4, those of a depthwise one off multiples of 16. Measured in ONNX Runtime with AVX512-VNNI (docs/linting.md).
[[nodiscard]] std::string channel_hint(const WorkingGraph& graph, const Step& layer);

}  // namespace ocs
