#include <array>

#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/passes/upgrade_rewrite.h"
#include "ocs/passes/upgrade_rules.h"

namespace ocs {
namespace {

// What the mask of inference holds was not defined before opset 12, nor its type before 10.
void drop_mask(Rewrite& rewrite) {
  if (rewrite.is_read(1)) rewrite.refuse("its mask is read, and has another meaning now");
  auto* outputs = rewrite.node().mutable_output();
  if (outputs->size() > 1) outputs->DeleteSubrange(1, outputs->size() - 1);
}

}  // namespace

void upgrade_dropout_10(Rewrite& rewrite) { drop_mask(rewrite); }

// The ratio became an input that counts in training alone: left out.
void upgrade_dropout_12(Rewrite& rewrite) {
  drop_mask(rewrite);
  remove_attribute(rewrite.node(), "ratio");
}

void upgrade_scatter_11(Rewrite& rewrite) { rewrite.node().set_op_type("ScatterElements"); }

// The default is half_pixel from here on; before, there was only what is now output_half_pixel.
void upgrade_roi_align_16(Rewrite& rewrite) {
  rewrite.set_string("coordinate_transformation_mode", "output_half_pixel");
}

void upgrade_grid_sample_20(Rewrite& rewrite) {
  const std::string mode = string_attribute(rewrite.node(), "mode", "bilinear");
  if (mode == "bilinear") rewrite.set_string("mode", "linear");
  if (mode == "bicubic") rewrite.set_string("mode", "cubic");
}

// Infinity to float8 of the kinds without infinity (FNUZ) gave NaN, and saturates now.
void upgrade_cast_24(Rewrite& rewrite) {
  constexpr std::int64_t float8_e4m3_fnuz = 18;
  constexpr std::int64_t float8_e5m2_fnuz = 20;
  const std::int64_t to = rewrite.node().op_type() == "CastLike"
                              ? std::int64_t{rewrite.element_type(1)}
                              : int_attribute(rewrite.node(), "to", 0);
  if (to == float8_e4m3_fnuz || to == float8_e5m2_fnuz)
    rewrite.refuse("casts to float8 FNUZ treat infinity differently now");
}

}  // namespace ocs
