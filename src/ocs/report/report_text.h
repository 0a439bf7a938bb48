#pragma once

#include <string>

#include "ocs/report/report.h"

namespace ocs {

// The summary that `ocs quantize` prints: a dozen lines, one matter a line, ends in a line break.
[[nodiscard]] std::string summary(const Report& report);

// How many layers are float for which reason: the most frequent first, each with up to `names` node
// names.
struct FloatReason {
  std::string reason{};
  std::vector<std::string> nodes{};
};
[[nodiscard]] std::vector<FloatReason> float_reasons(const Report& report);

}  // namespace ocs
