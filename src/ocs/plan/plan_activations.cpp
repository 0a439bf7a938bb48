#include "ocs/plan/plan_activations.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/quant/affine.h"
#include "ocs/quant/params.h"

namespace ocs {
namespace {

// Concat inputs closer than this share the result's scale: the engine then copies them without
// rounding again.
constexpr float largest_concat_ratio = 8.0F;

float largest_magnitude(const Histogram& histogram) {
  return std::max(histogram.max(), -histogram.min());
}

// Kept range of the statistics under a clip method on this grid.
ClipRange kept_range(const Histogram& histogram, const Clip& clip, int bits, bool symmetric) {
  const bool not_negative = histogram.min() >= 0.0F;
  const Grid grid{.bits = bits, .is_signed = symmetric || !not_negative};
  ClipInput input{.min = histogram.min(), .max = histogram.max(), .grid = grid};
  Histogram::Weighted weighted;
  if (!std::holds_alternative<MaxClip>(
          clip)) {  // max needs the extremes alone, which are there without bins too
    weighted = histogram.weighted();
    input.values = weighted.values;
    input.counts = weighted.counts;
  }
  if (largest_magnitude(histogram) == 0.0F) return {};
  if (!symmetric && !not_negative) return clip_range(clip, input);
  const float limit = threshold(clip, input);
  return {.low = not_negative ? 0.0F : -limit, .high = limit};
}

// Largest scale whose highest level stays at or below `bound`: a grid inside the bounds of a Clip,
// which the engine then drops.
float scale_inside(float bound, std::int32_t levels) {
  float scale = bound / static_cast<float>(levels);
  while (scale * static_cast<float>(levels) > bound) scale = std::nextafter(scale, 0.0F);
  return scale;
}

}  // namespace

const TensorStats& stats_of(const CalibrationStats& stats, const std::string& value) {
  const auto found = stats.tensors.find(value);
  if (found == stats.tensors.end())
    throw_bad_input("the calibration statistics have no tensor '" + value +
                    "': were they collected from another model?");
  return found->second;
}

ActivationPlan plan_activation(const TensorStats& stats, const Clip& clip, int bits, ActRange range,
                               const ValueBounds& bounds) {
  const bool symmetric = range == ActRange::symmetric;
  const bool not_negative = stats.histogram.min() >= 0.0F;
  const bool sees_function =
      bounds.function && !symmetric && std::holds_alternative<MseClip>(clip) && bits <= 8;
  ClipRange kept = sees_function
                       ? range_for_function(stats.histogram, *bounds.function, (1 << bits) - 1)
                       : kept_range(stats.histogram, clip, bits, symmetric);
  kept.low = std::min(kept.low, 0.0F);
  kept.high = std::max(kept.high, 0.0F);
  if (bounds.low) kept.low = std::max(kept.low, *bounds.low);
  if (bounds.high) kept.high = std::min(kept.high, *bounds.high);

  // A range of zero, or so small that the scale would be no normal float, holds nothing but zeros.
  constexpr float smallest_range = std::numeric_limits<float>::min() * 65536.0F;
  if (kept.high - kept.low < smallest_range) kept = {.low = 0.0F, .high = 1.0F};

  const Grid container{.bits = bits > 8 ? 16 : 8, .is_signed = false};
  const std::int32_t highest = symmetric ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
  ActivationPlan plan{.params = {.grid = container}, .level_low = 0, .level_high = highest};
  float& scale = plan.params.scale[0];
  std::int32_t& zero_point = plan.params.zero_point[0];
  if (not_negative) {
    scale = scale_inside(kept.high, highest);
  } else if (symmetric) {
    scale = std::max(kept.high, -kept.low) / static_cast<float>(highest);
    zero_point = 1 << (container.bits - 1);
    plan.level_low = zero_point - highest;
    plan.level_high = zero_point + highest;
  } else {
    scale = (kept.high - kept.low) / static_cast<float>(highest);
    zero_point = static_cast<std::int32_t>(
        std::clamp(std::nearbyint(-kept.low / scale), 0.0F, static_cast<float>(highest)));
    // Rounding the zero point shifts the grid by up to half a step; behind a Clip it must not leave
    // the bounds.
    const auto outside = [&] {
      return (bounds.high && scale * static_cast<float>(highest - zero_point) > *bounds.high) ||
             (bounds.low && -scale * static_cast<float>(zero_point) < *bounds.low);
    };
    if (outside()) {
      const float above = bounds.high
                              ? *bounds.high / static_cast<float>(std::max(1, highest - zero_point))
                              : scale;
      const float below =
          bounds.low ? -*bounds.low / static_cast<float>(std::max(1, zero_point)) : scale;
      scale = std::min({scale, above, below});
      while (outside()) scale = std::nextafter(scale, 0.0F);
    }
  }
  return plan;
}

namespace {

// Inputs of an integer Concat that nothing else reads and whose ranges are near take the result's
// scale.
void share_concat_scales(const Graph& graph, Regions& regions, const CalibrationStats& stats) {
  for (std::size_t i = 0; i < graph.node_count(); ++i) {
    const onnx::NodeProto& node = graph.node(i);
    if (node.op_type() != "Concat" || !in_default_domain(node) ||
        !regions.quantized.contains(node.output(0)))
      continue;
    const bool is_integer = std::ranges::all_of(
        node.input(), [&](const std::string& input) { return regions.quantized.contains(input); });
    if (!is_integer) continue;
    const float whole = largest_magnitude(stats_of(stats, node.output(0)).histogram);
    for (const std::string& input : node.input()) {
      const float range = largest_magnitude(stats_of(stats, input).histogram);
      if (graph.only_consumer(input) == nullptr || regions.scale_source.contains(input)) continue;
      if (range * largest_concat_ratio >= whole) regions.scale_source[input] = node.output(0);
    }
  }
}

}  // namespace

namespace {

double squared_error(const Histogram::Weighted& values, const ActivationPlan& plan) {
  double sum = 0.0;
  const float scale = plan.params.scale[0];
  const std::int32_t zero = plan.params.zero_point[0];
  for (std::size_t i = 0; i < values.values.size(); ++i) {
    const std::int32_t level =
        quantize(values.values[i], scale, zero, plan.level_low, plan.level_high);
    const double error =
        static_cast<double>(values.values[i]) - static_cast<double>(dequantize(level, scale, zero));
    sum += values.counts[i] * error * error;
  }
  return sum;
}

// The grid is symmetric here, so that the zero point stays whatever the scale.
void take_power_of_two(const Histogram& histogram, const Clip& clip, ActivationPlan& plan) {
  float& scale = plan.params.scale[0];
  scale = power_of_two_above(scale);
  if (std::holds_alternative<MaxClip>(clip)) return;
  ActivationPlan half = plan;
  half.params.scale[0] /= 2.0F;
  const Histogram::Weighted values = histogram.weighted();
  if (squared_error(values, half) < squared_error(values, plan)) plan = std::move(half);
}

// int8 with zero point 0. All of -128 .. 127 are in use where there are 8 bits: a Clip on the integers would keep nothing from
// the engine that rounding does.
void make_signed(int bits, ActivationPlan& plan) {
  const std::int32_t zero = plan.params.zero_point[0];
  const std::int32_t highest = (1 << (bits - 1)) - 1;
  plan.params.grid = {.bits = 8, .is_signed = true, .symmetric = false};
  plan.params.zero_point[0] = 0;
  plan.level_high -= zero;
  plan.level_low = bits == 8 ? -highest - 1 : -highest;
}

void fit_to_target(const TargetForm& target, const Histogram& histogram,
                   const ActivationSettings& settings, ActivationPlan& plan) {
  if (target.powers_of_two) take_power_of_two(histogram, settings.clip, plan);
  if (target.signed_activations) make_signed(settings.bits, plan);
}

}  // namespace

const std::string& scale_source_of(const Regions& regions, const std::string& value) {
  const auto source = regions.scale_source.find(value);
  return source == regions.scale_source.end() ? value : source->second;
}

std::map<std::string, ActivationSettings> activation_settings(const Regions& regions,
                                                              const std::vector<Layer>& layers,
                                                              const Recipe& recipe) {
  std::map<std::string, ActivationSettings> wishes;  // by scale source
  for (const Layer& layer : layers) {
    const Recipe own = recipe_for(recipe, layer.node, layer.position);
    if (!own.act_bits) continue;
    const auto [wish, is_first] =
        wishes.try_emplace(scale_source_of(regions, layer.data),
                           ActivationSettings{.bits = *own.act_bits, .clip = own.act_clip});
    if (!is_first && *own.act_bits > wish->second.bits)
      wish->second = {.bits = *own.act_bits, .clip = own.act_clip};
  }
  const ActivationSettings unread{.bits = std::max(8, recipe.act_bits.value_or(8)),
                                  .clip = recipe.act_clip};
  std::map<std::string, ActivationSettings> settings;
  for (const std::string& value : regions.quantized) {
    const auto wish = wishes.find(scale_source_of(regions, value));
    settings[value] = wish == wishes.end() ? unread : wish->second;
  }
  return settings;
}

std::map<std::string, ActivationPlan> plan_activations(
    const Graph& graph, const Regions& found, const std::vector<Layer>& layers,
    const CalibrationStats& stats, const Recipe& recipe,
    const std::map<std::string, float>& thresholds) {
  Regions regions = found;
  if (recipe.act_scope == ActScope::regions) share_concat_scales(graph, regions, stats);

  const TargetForm& target = target_form(recipe.target);
  const ActRange range = target.signed_activations ? ActRange::symmetric : recipe.act_range;
  std::map<std::string, ActivationPlan> plans;
  for (const auto& [value, settings] : activation_settings(regions, layers, recipe)) {
    const std::string& source = scale_source_of(regions, value);
    ValueBounds bounds;
    if (const auto high = regions.upper_bound.find(source); high != regions.upper_bound.end())
      bounds.high = high->second;
    if (const auto low = regions.lower_bound.find(source); low != regions.lower_bound.end())
      bounds.low = low->second;
    if (const auto given = thresholds.find(value); given != thresholds.end()) {
      const TensorStats& seen = stats_of(stats, value);
      const bool has_sign = seen.histogram.min() < 0.0F;
      bounds.high = std::min(given->second, bounds.high.value_or(given->second));
      bounds.low = has_sign ? std::max(-given->second, bounds.low.value_or(-given->second)) : 0.0F;
      plans[value] = plan_activation(seen, MaxClip{}, settings.bits,
                                     has_sign ? ActRange::symmetric : range, bounds);
      fit_to_target(target, seen.histogram, {.bits = settings.bits, .clip = MaxClip{}},
                    plans[value]);
      continue;
    }
    if (source == value) bounds.function = function_behind(graph, value);
    const TensorStats& seen = stats_of(stats, source);
    plans[value] = plan_activation(seen, settings.clip, settings.bits, range, bounds);
    fit_to_target(target, seen.histogram, settings, plans[value]);
  }
  return plans;
}

}  // namespace ocs
