// Models that differ in their scales and zero points, held against what the engine really makes of them: refused, in float, on integers, or
// on integers and wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ocs/core/tensor.h"

namespace ocs {

// Lines for text_model: scales .01, .03, ..., zero points `first`, `first` + 1, ..., and weights between -20 and 20.
[[nodiscard]] std::string scale_init(std::string_view name, const Shape& shape);
[[nodiscard]] std::string zero_init(std::string_view name, std::string_view type,
                                    const Shape& shape, std::int64_t first);
[[nodiscard]] std::string weight_init(std::string_view name, const Shape& shape);

// Test failures where the forecast for the model of this text is not what the engine does: whether it opens and runs it, each node on
// integers or in float, and, where the model runs without any rewrite too, with the same results or with a warning.
void expect_foreseen(const std::string& text);

}  // namespace ocs
