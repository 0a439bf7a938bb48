#include "ocs/recipe/recipe_keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/recipe/recipe_access.h"

namespace ocs {
namespace {

constexpr std::array keys{
    RecipeKey{.name = "weight_bits",
              .values = "2..8",
              .help = "bits of the weights",
              .per_node = true,
              .set = set_number<&Recipe::weight_bits>,
              .get = get_plain<&Recipe::weight_bits>},
    RecipeKey{
        .name = "act_bits",
        .values = "2..8 | 16 | float",
        .help = "bits of the activations; float: they are not quantized and no data is needed",
        .per_node = true,
        .set = set_act_bits,
        .get = get_act_bits},
    RecipeKey{.name = "weight_granularity",
              .values = "tensor | channel | block:K",
              .help =
                  "one weight scale for a whole tensor, for each output channel, or for every K "
                  "inputs of each (MatMul and Gemm with float activations; others: channel)",
              .per_node = true,
              .set = set_granularity,
              .get = get_granularity},
    RecipeKey{.name = "weight_storage",
              .values = "int8 | packed | auto",
              .help =
                  "integers of weights in tensors of int8, or of int4 and int2 where activations "
                  "are float; auto: packed for blocks of at most 4 bits",
              .set = set_word<&Recipe::weight_storage, weight_storages>,
              .get = get_word<&Recipe::weight_storage, weight_storages>},
    RecipeKey{.name = "act_range",
              .values = "symmetric | asymmetric",
              .help = "whether the range of an activation is centred on zero",
              .set = set_word<&Recipe::act_range, act_ranges>,
              .get = get_word<&Recipe::act_range, act_ranges>},
    RecipeKey{.name = "act_scope",
              .values = "inputs | regions",
              .help = "which activations are quantized: the inputs of the layers alone, or also "
                      "their outputs and what lies between",
              .set = set_word<&Recipe::act_scope, act_scopes>,
              .get = get_word<&Recipe::act_scope, act_scopes>},
    RecipeKey{
        .name = "act_scales",
        .values = "static | dynamic",
        .help =
            "where the scales of activations come from: calibration data, or each run (MatMul and "
            "Gemm with 8-bit weights, other layers keep float activations; no data is needed)",
        .set = set_word<&Recipe::act_scales, act_scales>,
        .get = get_word<&Recipe::act_scales, act_scales>},
    RecipeKey{.name = "weight_clip",
              .values = clip_values,
              .help = "how the largest weight that is still represented is chosen",
              .per_node = true,
              .set = set_clip<&Recipe::weight_clip>,
              .get = get_method<&Recipe::weight_clip>},
    RecipeKey{.name = "act_clip",
              .values = clip_values,
              .help = "the same for activations",
              .per_node = true,
              .set = set_clip<&Recipe::act_clip>,
              .get = get_method<&Recipe::act_clip>},
    RecipeKey{.name = "expand_ratio",
              .values = "0..4",
              .help = "outlier channel splitting: ceil(ratio * channels) copies of input channels "
                      "in each layer; 0: no copies, whatever budget the recipe has; with "
                      "`weight_granularity` block:K residual columns, up to a "
                      "whole number of blocks",
              .per_node = true,
              .set = set_copies<&Recipe::expand_ratio>,
              .get = get_plain<&Recipe::expand_ratio>},
    RecipeKey{.name = "mac_budget",
              .values = "0..4",
              .help =
                  "in place of expand_ratio: copies of input channels for this share of all "
                  "multiply-accumulates, in the layers where they lessen the error most; only with "
                  "fold_batchnorm",
              .set = set_copies<&Recipe::mac_budget>,
              .get = get_plain<&Recipe::mac_budget>},
    RecipeKey{.name = "byte_budget",
              .values = "0..4",
              .help = "the same for this share of the bytes of all weights",
              .set = set_copies<&Recipe::byte_budget>,
              .get = get_plain<&Recipe::byte_budget>},
    RecipeKey{
        .name = "latency_budget",
        .values = "0..4",
        .help =
            "the same for this share of the latency without copies, as a cost table predicts it "
            "(--costs FILE)",
        .set = set_copies<&Recipe::latency_budget>,
        .get = get_plain<&Recipe::latency_budget>},
    RecipeKey{.name = "cost_table",
              .values = "HASH",
              .help = "the cost table that latency_budget was chosen with, by its hash; empty: the "
                      "program's own",
              .set = [](Recipe& recipe, std::string_view text) { recipe.cost_table = text; },
              .get = get_plain<&Recipe::cost_table>},
    RecipeKey{.name = "budget_samples",
              .values = "N | auto",
              .help = "budgets: samples of the calibration data on which each layer is weighed by "
                      "what its error does to the outputs of the network; 0: all layers alike; "
                      "auto: 16 under a latency budget, else 0",
              .set = set_budget_samples,
              .get = get_budget_samples},
    RecipeKey{.name = "split",
              .values = "qa | naive",
              .help = "parts of a split weight whose rounded values add up exactly, or parts "
                      "rounded one by one",
              .set = set_word<&Recipe::split, split_kinds>,
              .get = get_word<&Recipe::split, split_kinds>},
    RecipeKey{.name = "split_parts",
              .values = "equal | halving",
              .help = "m copies carry 1/m each, or one copy is halved at a time (the paper)",
              .set = set_word<&Recipe::split_parts, split_parts>,
              .get = get_word<&Recipe::split_parts, split_parts>},
    RecipeKey{.name = "split_form",
              .values = "gather | slice | fold | virtual | auto",
              .help = "how copies of channels get into the graph",
              .set = set_word<&Recipe::split_form, split_forms>,
              .get = get_word<&Recipe::split_form, split_forms>},
    RecipeKey{
        .name = "act_expand_ratio",
        .values = "0..4",
        .help = "ceil(ratio * channels) copies of channels in the data of each layer, for outliers "
                "of activations; only with act_scope inputs",
        .per_node = true,
        .set = [](Recipe& recipe,
                  std::string_view text) { recipe.act_expand_ratio = parse_number<double>(text); },
        .get = get_plain<&Recipe::act_expand_ratio>},
    RecipeKey{.name = "act_split",
              .values = "halving | saturating | oracle",
              .help = "halves of the channels that are often large (the paper), or parts that each "
                      "take what the one before cannot hold, channels and range chosen together, "
                      "or halves of the channels that are largest in each batch, with the scale "
                      "of the batch (act_clip is used by halving alone)",
              .set = set_word<&Recipe::act_split, act_splits>,
              .get = get_word<&Recipe::act_split, act_splits>},
    RecipeKey{.name = "split_first",
              .values = "on | off",
              .help = "also split a first layer, which reads the few channels of an image",
              .is_flag = true,
              .set = set_flag<&Recipe::split_first>,
              .get = get_plain<&Recipe::split_first>},
    RecipeKey{
        .name = "fill_multiples",
        .values = "on | off",
        .help =
            "further useful copies up to the multiple of channels that the engine's kernels want",
        .is_flag = true,
        .set = set_flag<&Recipe::fill_multiples>,
        .get = get_plain<&Recipe::fill_multiples>},
    RecipeKey{.name = "rounding",
              .values = "nearest | gptq | adaround",
              .help = "how scaled weights become integers",
              .set = [](Recipe& recipe,
                        std::string_view text) { recipe.rounding = parse_rounding(text); },
              .get = get_method<&Recipe::rounding>},
    RecipeKey{.name = "fold_batchnorm",
              .values = "on | off",
              .help = "fold BatchNormalization into the weights before rounding; off: rounded as "
                      "stored, absorbed exactly afterwards",
              .is_flag = true,
              .set = set_flag<&Recipe::fold_batchnorm>,
              .get = get_plain<&Recipe::fold_batchnorm>},
    RecipeKey{.name = "equalize",
              .values = "on | off",
              .help = "scale channels across layers so that rounding leaves the least noise; the "
                      "float network stays the same",
              .is_flag = true,
              .set = set_flag<&Recipe::equalize>,
              .get = get_plain<&Recipe::equalize>},
    RecipeKey{
        .name = "smooth",
        .values = "on | off",
        .help = "scale the channels that MatMul and Gemm read, into the LayerNormalization before "
                "them or by a Mul, so that outliers cost less; the float network stays the same",
        .is_flag = true,
        .set = set_flag<&Recipe::smooth>,
        .get = get_plain<&Recipe::smooth>},
    RecipeKey{.name = "bias_correction",
              .values = "on | off",
              .help = "shift each bias by the mean error that rounding the weights makes; without "
                      "data by what BatchNormalization tells of it",
              .is_flag = true,
              .set = set_flag<&Recipe::bias_correction>,
              .get = get_plain<&Recipe::bias_correction>},
    RecipeKey{
        .name = "fallback",
        .values = "on | off",
        .help = "leave a layer in float that spoils the network; nothing is done without data",
        .is_flag = true,
        .set = set_flag<&Recipe::fallback>,
        .get = get_plain<&Recipe::fallback>},
    RecipeKey{.name = "first_float",
              .values = "on | off",
              .help = "leave the first Conv, Gemm or MatMul in float (the paper)",
              .is_flag = true,
              .set = set_flag<&Recipe::first_float>,
              .get = get_plain<&Recipe::first_float>},
    RecipeKey{.name = "recurrent_float",
              .values = "on | off",
              .help = "leave all activations of a model with LSTM, GRU or RNN nodes in float, "
                      "whatever `act_bits` says (the paper)",
              .is_flag = true,
              .set = set_flag<&Recipe::recurrent_float>,
              .get = get_plain<&Recipe::recurrent_float>},
    RecipeKey{.name = "recurrent_form",
              .values = "dequantize | dynamic",
              .help = "the weights of LSTM behind DequantizeLinear, or in ONNX Runtime's own "
                      "DynamicQuantizeLSTM, which rounds inputs and states as it runs (8 bits)",
              .set = set_word<&Recipe::recurrent_form, recurrent_forms>,
              .get = get_word<&Recipe::recurrent_form, recurrent_forms>},
    RecipeKey{.name = "recurrent_inputs",
              .values = "on | off",
              .help = "also quantize the inputs X of LSTM, GRU and RNN nodes, with `act_bits` and "
                      "`act_clip`; not under `recurrent_float`",
              .is_flag = true,
              .set = set_flag<&Recipe::recurrent_inputs>,
              .get = get_plain<&Recipe::recurrent_inputs>},
    RecipeKey{.name = "quantize_embeddings",
              .values = "on | off",
              .help =
                  "also quantize the float tables that a Gather looks up, with `weight_bits`, "
                  "`weight_clip`, `weight_storage` and scales by `weight_granularity` (`channel`: "
                  "for each entry)",
              .is_flag = true,
              .set = set_flag<&Recipe::quantize_embeddings>,
              .get = get_plain<&Recipe::quantize_embeddings>},
    RecipeKey{
        .name = "keep_float",
        .values = "PATTERN",
        .help = "nodes that stay in float: a name with * ? [..], or `first` or `last`",
        .is_list = true,
        .clear = [](Recipe& recipe) { recipe.keep_float.clear(); },
        .set = [](Recipe& recipe, std::string_view text) { recipe.keep_float.emplace_back(text); },
        .get = get_plain<&Recipe::keep_float>},
    RecipeKey{
        .name = "override",
        .values = "PATTERN:key=value",
        .help = "another value of a per-node key for the nodes that match",
        .is_list = true,
        .clear = [](Recipe& recipe) { recipe.overrides.clear(); },
        .set = [](Recipe& recipe,
                  std::string_view text) { recipe.overrides.push_back(parse_override(text)); },
        .get = get_overrides},
    RecipeKey{
        .name = "target",
        .values =
            "ort-cpu | ort-cpu-vnni | ort-cpu-avx2 | ort-arm | openvino | tensorrt | qnn | vitis",
        .help = "the engine that the model is written for (docs/linting.md): what it does not take "
                "is not written, and ocs lint with the same target finds nothing",
        .set = [](Recipe& recipe, std::string_view text) { recipe.target = text; },
        .get = get_plain<&Recipe::target>},
    RecipeKey{.name = "opset",
              .values = "0 | 13..25",
              .help = "operator set of the written model; 0: the lowest that holds what is used",
              .set = set_number<&Recipe::opset>,
              .get = get_plain<&Recipe::opset>},
    RecipeKey{.name = "seed",
              .values = "N",
              .help = "seed of everything random",
              .set = set_number<&Recipe::seed>,
              .get = get_plain<&Recipe::seed>},
    RecipeKey{.name = "calib_count",
              .values = "N",
              .help = "samples of the calibration data that are used; 0: all",
              .set = set_number<&Recipe::calib_count>,
              .get = get_plain<&Recipe::calib_count>},
    RecipeKey{.name = "calib_settle",
              .values = "0..1",
              .help =
                  "calibration ends before the last sample where no range of an activation, as "
                  "act_clip chooses it, moved by more than this share of itself over the last 64 "
                  "samples; 0: never",
              .set = set_number<&Recipe::calib_settle>,
              .get = get_plain<&Recipe::calib_settle>},
    RecipeKey{.name = "energy_count",
              .values = "N",
              .help = "samples of the calibration data that a rounding like gptq looks at; 0: all",
              .set = set_number<&Recipe::energy_count>,
              .get = get_plain<&Recipe::energy_count>},
    RecipeKey{
        .name = "measure_count",
        .values = "N",
        .help = "samples on which the signal-to-noise of the result is measured; 0: not measured",
        .set = set_number<&Recipe::measure_count>,
        .get = get_plain<&Recipe::measure_count>},
};

}  // namespace

std::span<const RecipeKey> recipe_keys() { return keys; }

void set_key(Recipe& recipe, const RecipeKey& key, std::string_view text) {
  key.set(recipe, text);
  if (key.name == "expand_ratio" && recipe.expand_ratio == 0.0) clear_copies(recipe);
}

const RecipeKey* find_recipe_key(std::string_view name) {
  std::string wanted(name);
  std::ranges::replace(wanted, '-', '_');
  const auto found = std::ranges::find(keys, wanted, &RecipeKey::name);
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> recipe_key_names() {
  std::vector<std::string> names;
  for (const RecipeKey& key : keys) names.emplace_back(key.name);
  return names;
}

std::vector<std::string> per_node_key_names() {
  std::vector<std::string> names;
  for (const RecipeKey& key : keys) {
    if (key.per_node) names.emplace_back(key.name);
  }
  return names;
}

Override parse_override(std::string_view text) {
  // Node names may hold ':' and '='; a value holds no '=' and a key neither, so the last '=' and
  // the ':' before it are ours.
  const std::size_t equals = text.rfind('=');
  const std::size_t colon = equals == std::string_view::npos ? equals : text.rfind(':', equals);
  if (colon == std::string_view::npos || colon == 0 || equals == colon + 1 ||
      equals + 1 == text.size()) {
    throw_bad_input(fmt::format("'{}' is not PATTERN:key=value, as in conv1:weight_bits=8", text));
  }
  std::string key(text.substr(colon + 1, equals - colon - 1));
  std::ranges::replace(key, '-', '_');
  return {.pattern = std::string(text.substr(0, colon)),
          .key = std::move(key),
          .value = std::string(text.substr(equals + 1))};
}

std::string to_string(const Override& override_) {
  return fmt::format("{}:{}={}", override_.pattern, override_.key, override_.value);
}

}  // namespace ocs
