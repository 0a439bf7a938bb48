#include "ocs/calibrate/stats.h"

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

void merge(TensorStats& whole, const TensorStats& part) {
  const bool nothing = part.shape.empty() && part.histogram.count() == 0;
  const bool first = whole.shape.empty() && whole.histogram.count() == 0;
  if (!nothing) include_shape(whole, part.shape);
  whole.histogram.merge(part.histogram);
  for (const auto& [axis, moments] : part.moments) {
    if (!first && !whole.moments.contains(axis))
      throw_bad_input("only one part has moments along axis " + std::to_string(axis));
    whole.moments[axis].merge(moments);
  }
  for (const auto& [axis, moments] : whole.moments)
    if (!nothing && !part.moments.contains(axis))
      throw_bad_input("only one part has moments along axis " + std::to_string(axis));
}

void merge(CalibrationStats& whole, const CalibrationStats& part) {
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
