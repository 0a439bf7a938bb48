#include "ocs/calibrate/stats.h"

#include <string>

#include "ocs/core/error.h"

namespace ocs {

void include_shape(TensorStats& stats, const Shape& shape) {
  if (stats.shape.empty() && stats.histogram.count() == 0) {
    stats.shape = shape;
    return;
  }
  if (stats.shape.size() != shape.size())
    throw_bad_input("has the shape " + to_string(shape) + " here and " + to_string(stats.shape) +
                    " before");
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (stats.shape[axis] != shape[axis]) stats.shape[axis] = -1;
}

namespace {

// What is kept for each channel axis: both sides must have the same axes, unless one has seen
// nothing.
template <typename ByAxis>
void merge_axes(ByAxis& whole, const ByAxis& part, bool whole_is_new, bool part_is_new,
                const std::string& what) {
  for (const auto& [axis, values] : part) {
    if (!whole_is_new && !whole.contains(axis))
      throw_bad_input("only one part has " + what + " along axis " + std::to_string(axis));
    whole[axis].merge(values);
  }
  for (const auto& [axis, values] : whole)
    if (!part_is_new && !part.contains(axis))
      throw_bad_input("only one part has " + what + " along axis " + std::to_string(axis));
}

}  // namespace

void merge(TensorStats& whole, const TensorStats& part) {
  const bool nothing = part.shape.empty() && part.histogram.count() == 0;
  const bool first = whole.shape.empty() && whole.histogram.count() == 0;
  if (!nothing) include_shape(whole, part.shape);
  whole.histogram.merge(part.histogram);
  merge_axes(whole.moments, part.moments, first, nothing, "moments");
  merge_axes(whole.magnitudes, part.magnitudes, first, nothing, "magnitudes");
}

void merge(CalibrationStats& whole, const CalibrationStats& part) {
  // First: whoever takes the wrong file hears so, and not of tensors.
  if (whole.origin.has_value() != part.origin.has_value())
    throw_bad_input("only one part of the statistics says where it was collected");
  if (whole.origin) merge(*whole.origin, *part.origin);
  for (const auto& [name, stats] : part.tensors)
    if (!whole.tensors.contains(name))
      throw_bad_input("tensor '" + name + "' is in one part of the statistics only");
  for (const auto& [name, stats] : whole.tensors)
    if (!part.tensors.contains(name))
      throw_bad_input("tensor '" + name + "' is in one part of the statistics only");
  for (auto& [name, stats] : whole.tensors)
    while_doing("tensor '" + name + "'", [&] { merge(stats, part.tensors.at(name)); });
  whole.samples += part.samples;
  whole.synthetic = whole.synthetic || part.synthetic;
}

}  // namespace ocs
