#include "ocs/recipe/recipe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/recipe/glob.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/recipe/recipe_keys.h"
#include "ocs/recipe/target_form.h"

namespace ocs {
namespace {

void require(bool fulfilled, const std::string& message) {
  if (!fulfilled) throw_bad_input(message);
}

// Every number inside its bounds; overrides and patterns are checked apart.
void check_values(const Recipe& recipe) {
  const int weight_bits = recipe.weight_bits;
  require(weight_bits >= 2 && weight_bits <= 8,
          fmt::format("weight_bits: {} is not in 2..8", weight_bits));
  const int block = recipe.weight_block;
  require((recipe.weight_granularity != Granularity::block && block == 0) ||
              (block >= 16 && block <= 1024 && (block & (block - 1)) == 0),
          fmt::format("weight_granularity: {} is no power of two from 16 to 1024", block));
  if (recipe.act_bits) {
    const int act_bits = *recipe.act_bits;
    require((act_bits >= 2 && act_bits <= 8) || act_bits == 16,
            fmt::format("act_bits: {} is neither in 2..8 nor 16 nor float", act_bits));
  }
  require(recipe.expand_ratio >= 0.0 && recipe.expand_ratio <= 4.0,  // false for NaN too
          fmt::format("expand_ratio: {} is not in 0..4", recipe.expand_ratio));
  require(recipe.act_expand_ratio >= 0.0 && recipe.act_expand_ratio <= 4.0,
          fmt::format("act_expand_ratio: {} is not in 0..4", recipe.act_expand_ratio));
  require(recipe.calib_settle >= 0.0 && recipe.calib_settle <= 1.0,
          fmt::format("calib_settle: {} is not in 0..1", recipe.calib_settle));
  require(recipe.opset == 0 || (recipe.opset >= 13 && recipe.opset <= 25),
          fmt::format("opset: {} is neither 0 nor in 13..25", recipe.opset));
  require(!(recipe.recurrent_inputs && recipe.recurrent_form == RecurrentForm::dynamic),
          "recurrent_inputs: with recurrent_form dynamic the nodes round their inputs themselves");
  const TargetForm& target = target_form(recipe.target);
  require(
      recipe.fold_batchnorm || !target.one_weight_scale,
      fmt::format("target {}: one scale a tensor, so only with fold_batchnorm on", target.name));
  require(recipe.act_bits.value_or(8) <= 8 || !target.signed_activations,
          fmt::format("target {}: activations have 8 bits there", target.name));
  require(recipe.act_scales == ActScales::calibrated || !target.signed_activations,
          fmt::format("target {}: scales of each run are of uint8, act_scales dynamic does not do",
                      target.name));
  require(
      recipe.act_expand_ratio == 0.0 || !target.signed_activations,
      fmt::format("target {}: act_expand_ratio splits uint8 activations, not int8", target.name));
}

// Applies an override that is known to name a key that may stand in one.
void apply(Recipe& recipe, const Override& entry) { set_option(recipe, entry.key, entry.value); }

// Under the recipe's target, which no node can leave.
void check_override(const Override& entry, const TargetForm& target) {
  while_doing(fmt::format("override '{}'", to_string(entry)), [&] {
    require(!entry.pattern.empty(), "the pattern is empty");
    const RecipeKey* key = find_recipe_key(entry.key);
    const std::vector<std::string> known = per_node_key_names();
    if (key == nullptr)
      throw_bad_input(fmt::format("unknown key '{}'{}", entry.key, did_you_mean(entry.key, known)));
    require(key->per_node,
            fmt::format("'{}' holds for the whole model, not for single nodes", entry.key));
    Recipe probe;
    probe.target = target.name;
    apply(probe, entry);
    check_values(probe);
    require(!target.one_weight_scale || entry.key != "weight_granularity" ||
                probe.weight_granularity == Granularity::tensor,
            fmt::format("target {}: one scale a tensor", target.name));
  });
}

Recipe paper() {
  Recipe recipe;
  recipe.name = "paper";
  recipe.target =
      "ort-cpu-vnni";  // its integers are those of the paper, whatever an engine makes of them
  recipe.act_clip = MaxClip{};
  recipe.weight_granularity = Granularity::tensor;
  recipe.act_range = ActRange::symmetric;
  recipe.act_scope = ActScope::inputs;
  recipe.split_parts = SplitParts::halving;
  recipe.act_split = ActSplit::halving;
  recipe.fill_multiples = false;
  recipe.fold_batchnorm = false;
  recipe.smooth = false;
  recipe.bias_correction = false;
  recipe.fallback = false;
  recipe.first_float = true;
  recipe.recurrent_float = true;
  return recipe;
}

Recipe int8() { return {}; }

Recipe int8_per_tensor() {
  Recipe recipe;
  recipe.name = "int8-per-tensor";
  recipe.weight_granularity = Granularity::tensor;
  recipe.weight_clip = MseClip{};
  recipe.latency_budget = 0.01;  // copies where they pay (docs/costs.md)
  recipe.equalize = true;
  return recipe;
}

Recipe best() {
  Recipe recipe;
  recipe.name = "best";
  recipe.weight_bits = 4;
  recipe.weight_clip = MseClip{};
  recipe.mac_budget = 0.02;
  recipe.equalize = true;
  recipe.rounding = GptqRounding{.sequential = true, .refine = true};
  recipe.energy_count = 512;
  recipe.overrides = {{.pattern = "first", .key = "weight_bits", .value = "8"},
                      {.pattern = "last", .key = "weight_bits", .value = "8"}};
  return recipe;
}

Recipe dynamic() {
  Recipe recipe;
  recipe.name = "dynamic";
  recipe.act_scales = ActScales::dynamic;
  recipe.recurrent_form = RecurrentForm::dynamic;
  return recipe;
}

Recipe weights_only() {
  Recipe recipe;
  recipe.name = "weights-only";
  recipe.act_bits.reset();
  return recipe;
}

constexpr std::array<std::pair<std::string_view, Recipe (*)()>, 6> built_in{
    {{"int8", int8},
     {"int8-per-tensor", int8_per_tensor},
     {"best", best},
     {"dynamic", dynamic},
     {"weights-only", weights_only},
     {"paper", paper}}};

// One number decides about copies.
void check_budgets(const Recipe& recipe) {
  std::string_view decides = recipe.expand_ratio > 0.0 ? "expand_ratio" : "";
  for (const auto& [name, budget] :
       {std::pair<std::string_view, double>{"mac_budget", recipe.mac_budget},
        {"byte_budget", recipe.byte_budget},
        {"latency_budget", recipe.latency_budget}}) {
    require(budget >= 0.0 && budget <= 4.0, fmt::format("{}: {} is not in 0..4", name, budget));
    if (budget == 0.0) continue;
    require(decides.empty(), fmt::format("{}: {} decides about copies already", name, decides));
    require(recipe.fold_batchnorm,
            fmt::format("{}: only with fold_batchnorm on (expand_ratio 0: no copies)", name));
    decides = name;
  }
  require(recipe.cost_table.empty() || recipe.cost_table.size() == 64,
          "cost_table: not the hash of a table (64 hexadecimal digits)");
}

}  // namespace

double copy_budget(const Recipe& recipe) {
  return std::max({recipe.mac_budget, recipe.byte_budget, recipe.latency_budget});
}

void clear_copies(Recipe& recipe) {
  recipe.expand_ratio = recipe.mac_budget = recipe.byte_budget = recipe.latency_budget = 0.0;
}

std::size_t samples_for_budget(const Recipe& recipe) {
  constexpr std::size_t enough_for_latency = 16;
  if (copy_budget(recipe) == 0.0) return 0;
  return recipe.budget_samples.value_or(recipe.latency_budget > 0.0 ? enough_for_latency : 0);
}

void check(const Recipe& recipe) {
  check_values(recipe);
  for (const std::string& pattern : recipe.keep_float)
    require(!pattern.empty(), "keep_float: a pattern is empty");
  for (const Override& entry : recipe.overrides) check_override(entry, target_form(recipe.target));
  const auto is_overridden = [&](std::string_view name) {
    return std::ranges::any_of(recipe.overrides,
                               [&](const Override& entry) { return entry.key == name; });
  };
  require(!recipe.recurrent_inputs || recipe.act_bits || is_overridden("act_bits"),
          "recurrent_inputs: they are rounded to act_bits, which is float here");
  const bool has_blocks =
      recipe.weight_granularity == Granularity::block ||
      std::ranges::any_of(recipe.overrides, [](const Override& entry) {
        return entry.key == "weight_granularity" && entry.value.starts_with("block");
      });
  require(
      !has_blocks || std::holds_alternative<NearestRounding>(recipe.rounding) ||
          (std::holds_alternative<GptqRounding>(recipe.rounding) && !fits_scales(recipe.rounding)),
      "weight_granularity: blocks are rounded by nearest, gptq or gptq:sequential");
  const bool splits_activations =
      recipe.act_expand_ratio > 0.0 || is_overridden("act_expand_ratio");
  require(!splits_activations || recipe.act_scope == ActScope::inputs,
          "act_expand_ratio: channels of activations are split only with act_scope inputs");
  check_budgets(recipe);
  require(!recipe.equalize || recipe.fold_batchnorm,
          "equalize: weights that are rounded as stored (fold_batchnorm off) are not scaled");
  if (recipe.act_scales == ActScales::dynamic) {
    require(recipe.act_bits.value_or(8) == 8 && !is_overridden("act_bits"),
            "act_scales: data are rounded to 8 bits where each run gives the scale");
    require(!splits_activations && recipe.act_split != ActSplit::oracle,
            "act_scales: dynamic scales leave no range to split channels for");
    require(!recipe.recurrent_inputs,
            "recurrent_inputs: with act_scales dynamic no scale of theirs is known");
  }
  if (recipe.act_split != ActSplit::oracle) return;
  require(recipe.act_scope == ActScope::inputs,
          "act_split: oracle quantizes activations only with act_scope inputs");
  require(recipe.act_bits.value_or(8) <= 8, "act_split: oracle knows 2..8 act_bits");
}

Recipe built_in_recipe(std::string_view name) {
  for (const auto& [known, make] : built_in) {
    if (known == name) return make();
  }
  throw_bad_input(
      fmt::format("no recipe named '{}'{}", name, did_you_mean_any(name, built_in_recipe_names())));
}

std::vector<std::string> built_in_recipe_names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : built_in) names.emplace_back(name);
  return names;
}

Recipe recipe_for(const Recipe& recipe, std::string_view node, NodePosition position) {
  Recipe result = recipe;
  for (const Override& entry : recipe.overrides) {
    if (matches(entry.pattern, node, position)) apply(result, entry);
  }
  // Whatever was asked for, the engine takes nothing else.
  const TargetForm& target = target_form(recipe.target);
  if (target.signed_activations) result.act_range = ActRange::symmetric;
  if (target.one_weight_scale) result.weight_granularity = Granularity::tensor;
  return result;
}

bool matches(std::string_view pattern, std::string_view node, NodePosition position) {
  if (pattern == "first") return position.first;
  if (pattern == "last") return position.last;
  // A name that was copied from a report means its node even where it holds characters of patterns.
  if (pattern == node || glob_matches(pattern, node)) return true;
  if (position.part.empty()) return false;
  const std::string whole = fmt::format("{}.{}", node, position.part);
  return pattern == whole || glob_matches(pattern, whole);
}

}  // namespace ocs
