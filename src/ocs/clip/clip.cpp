#include "ocs/clip/clip.h"

#include <algorithm>
#include <type_traits>

#include "ocs/clip/range_search.h"
#include "ocs/core/error.h"
#include "ocs/core/methods.h"

namespace ocs {

ClipInput clip_input(std::span<const float> values, const Grid& grid) {
  if (values.empty()) throw_internal("a clip threshold of no values");
  // Not std::ranges::minmax: its branches miss, which costs three times as much.
  ClipInput input{.values = values, .min = values[0], .max = values[0], .grid = grid};
  for (const float value : values) {
    input.min = std::min(input.min, value);
    input.max = std::max(input.max, value);
  }
  return input;
}

float threshold(const Clip& clip, const ClipInput& input) {
  return std::visit([&](const auto& method) { return threshold(method, input); }, clip);
}

namespace {

// One threshold for both ends, or for the one end that the values have.
ClipRange symmetric_range(const Clip& clip, ClipInput input) {
  const bool one_sided = input.min >= 0.0F || input.max <= 0.0F;
  input.grid.is_signed = !one_sided;
  input.grid.symmetric = true;
  std::vector<float> mirrored;  // never negative, as the unsigned grid asks
  if (one_sided && input.min < 0.0F) {
    mirrored.resize(input.values.size());
    std::ranges::transform(input.values, mirrored.begin(), [](float v) { return -v; });
    const float max = -input.min;
    input.min = -input.max;
    input.max = max;
    input.values = mirrored;
  }
  const float a = threshold(clip, input);
  if (!mirrored.empty()) return {.low = -a, .high = 0.0F};
  return {.low = std::max(std::min(input.min, 0.0F), -a), .high = std::min(input.max, a)};
}

}  // namespace

ClipRange clip_range(const Clip& clip, const ClipInput& input) {
  if (std::holds_alternative<MaxClip>(clip)) {
    return {.low = std::min(input.min, 0.0F), .high = std::max(input.max, 0.0F)};
  }
  const bool two_sided = input.min < 0.0F && input.max > 0.0F;
  if (std::holds_alternative<MseClip>(clip) && two_sided) return least_error_range(input);
  return symmetric_range(clip, input);
}

Clip parse_clip(std::string_view text) { return parse_method<Clip>(text, "clip method"); }

std::string to_string(const Clip& clip) { return method_text(clip); }

std::vector<std::string> clip_names() { return method_names<Clip>(); }

}  // namespace ocs
