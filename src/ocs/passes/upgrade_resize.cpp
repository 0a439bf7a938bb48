// Upsample and Resize of opset 10 knew neither where a pixel lies nor how it is rounded:
//
//   Upsample(x, scales)  ->  Resize(x, , scales; asymmetric, floor)
//   Resize(x, scales)    ->  Resize(x, , scales; asymmetric, floor) where all scales are >= 1,
//                            Resize(x, , scales; asymmetric, ceil)  where all are <= 1,
//                            both, one behind the other, where that is not known
//
// Opset 10 says nothing of the rounding; its conformance test resize_downsample_nearest fixes it:
// up, where an extent shrinks, down elsewhere.
#include <algorithm>

#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/passes/upgrade_rewrite.h"
#include "ocs/passes/upgrade_rules.h"

namespace ocs {
namespace {

void make_asymmetric(Rewrite& rewrite, const std::string& scales, const std::string& nearest_mode) {
  const bool nearest = string_attribute(rewrite.node(), "mode", "nearest") == "nearest";
  rewrite.set_string("coordinate_transformation_mode", "asymmetric");
  if (nearest) rewrite.set_string("nearest_mode", nearest_mode);
  rewrite.set_input(1, "");  // no region of interest
  rewrite.set_input(2, scales);
}

}  // namespace

void upgrade_upsample_11(Rewrite& rewrite) {
  const std::string scales = rewrite.input(1);
  rewrite.node().set_op_type("Resize");
  make_asymmetric(rewrite, scales, "floor");  // the scales of Upsample are >= 1
}

void upgrade_resize_11(Rewrite& rewrite) {
  const std::string scales = rewrite.input(1);
  const bool nearest = string_attribute(rewrite.node(), "mode", "nearest") == "nearest";
  const Tensor* known = rewrite.constant(1);
  const auto all = [&](auto condition) {
    return known != nullptr && known->type() == ElementType::float32 &&
           std::ranges::all_of(known->as<float>(), condition);
  };
  if (!nearest || all([](float scale) { return scale >= 1.0F; })) {
    make_asymmetric(rewrite, scales, "floor");
    return;
  }
  if (all([](float scale) { return scale <= 1.0F; })) {
    make_asymmetric(rewrite, scales, "ceil");
    return;
  }
  // Each of the two leaves alone the extents that are the other's.
  const std::string one = rewrite.floats("one", {1.0F});
  const std::string shrinking = rewrite.before("Min", {scales, one}).output(0);
  const std::string growing = rewrite.before("Max", {scales, one}).output(0);
  make_asymmetric(rewrite, growing, "floor");
  onnx::NodeProto& second = rewrite.after("Resize", {"", shrinking});
  *second.mutable_attribute() = rewrite.node().attribute();
  for (auto& attribute : *second.mutable_attribute())
    if (attribute.name() == "nearest_mode") attribute.set_s("ceil");
}

// tf_half_pixel_for_nn takes the pixel at (x + 0.5) / scale. Rounded down, that is half_pixel's
// (x + 0.5) / scale - 0.5 rounded to the nearest, upwards from the middle.
void upgrade_resize_13(Rewrite& rewrite) {
  const std::string mode =
      string_attribute(rewrite.node(), "coordinate_transformation_mode", "half_pixel");
  if (mode != "tf_half_pixel_for_nn") return;
  const bool nearest = string_attribute(rewrite.node(), "mode", "nearest") == "nearest";
  if (!nearest || string_attribute(rewrite.node(), "nearest_mode", "round_prefer_floor") != "floor")
    rewrite.refuse("tf_half_pixel_for_nn is gone, and only nearest_mode floor has a successor");
  rewrite.set_string("coordinate_transformation_mode", "half_pixel");
  rewrite.set_string("nearest_mode", "round_prefer_ceil");
}

}  // namespace ocs
