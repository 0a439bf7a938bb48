// Attributes that became inputs:
//
//   Slice(x; starts, ends, axes)  ->  Slice(x, starts, ends, axes)    and so on
#include <limits>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/passes/upgrade_rewrite.h"
#include "ocs/passes/upgrade_rules.h"

namespace ocs {
namespace {

// The list attribute `name` becomes input `index`. False where the node has no such attribute.
bool ints_to_input(Rewrite& rewrite, const std::string& name, int index) {
  if (attribute(rewrite.node(), name) == nullptr) return false;
  const std::vector<std::int64_t> values = ints_attribute(rewrite.node(), name);
  remove_attribute(rewrite.node(), name);
  rewrite.set_input(index, rewrite.ints(name, values));
  return true;
}

void require(const Rewrite& rewrite, bool found, std::string_view reason) {
  if (!found) rewrite.refuse(reason);
}

}  // namespace

void upgrade_upsample_9(Rewrite& rewrite) {
  const auto* scales = attribute(rewrite.node(), "scales");
  require(rewrite, scales != nullptr, "it has no scales");
  const std::vector<float> values(scales->floats().begin(), scales->floats().end());
  remove_attribute(rewrite.node(), "scales");
  rewrite.set_input(1, rewrite.floats("scales", values));
}

void upgrade_slice_10(Rewrite& rewrite) {
  require(rewrite, ints_to_input(rewrite, "starts", 1), "it has no starts");
  require(rewrite, ints_to_input(rewrite, "ends", 2), "it has no ends");
  ints_to_input(rewrite, "axes", 3);
}

void upgrade_topk_10(Rewrite& rewrite) {
  require(rewrite, attribute(rewrite.node(), "k") != nullptr, "it has no k");
  const std::int64_t k = int_attribute(rewrite.node(), "k", 0);
  remove_attribute(rewrite.node(), "k");
  rewrite.set_input(1, rewrite.ints("k", {k}));
}

void upgrade_clip_11(Rewrite& rewrite) {
  constexpr float highest = std::numeric_limits<float>::max();
  const float min = float_attribute(rewrite.node(), "min", -highest);
  const float max = float_attribute(rewrite.node(), "max", highest);
  remove_attribute(rewrite.node(), "min");
  remove_attribute(rewrite.node(), "max");
  // Without bounds: left out, which every element type has.
  if (min != -highest) rewrite.set_input(1, rewrite.scalar_like(0, "min", min));
  if (max != highest) rewrite.set_input(2, rewrite.scalar_like(0, "max", max));
}

void upgrade_pad_11(Rewrite& rewrite) {
  const float value = float_attribute(rewrite.node(), "value", 0.0F);
  require(rewrite, ints_to_input(rewrite, "pads", 1), "it has no pads");
  remove_attribute(rewrite.node(), "value");
  if (value != 0.0F) rewrite.set_input(2, rewrite.scalar_like(0, "value", value));
}

void upgrade_axes(Rewrite& rewrite) {
  // An empty list meant "all axes", as a missing one does now.
  if (ints_attribute(rewrite.node(), "axes").empty())
    remove_attribute(rewrite.node(), "axes");
  else
    ints_to_input(rewrite, "axes", 1);
}

void upgrade_split_13(Rewrite& rewrite) { ints_to_input(rewrite, "split", 1); }

void upgrade_split_18(Rewrite& rewrite) {
  if (rewrite.input(1).empty())
    set_attribute(rewrite.node(), "num_outputs", std::int64_t{rewrite.node().output_size()});
}

void upgrade_dft_20(Rewrite& rewrite) {
  const std::int64_t axis = int_attribute(rewrite.node(), "axis", 1);
  remove_attribute(rewrite.node(), "axis");
  rewrite.set_input(2, rewrite.int_scalar("axis", axis));
}

}  // namespace ocs
