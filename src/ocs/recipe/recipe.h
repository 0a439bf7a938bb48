// The whole input of the user that can change a byte of the result (docs/recipe.md). Threads, memory limit and paths are not here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/clip/clip.h"
#include "ocs/round/round.h"
#include "ocs/split/select.h"

namespace ocs {

// One weight scale for the tensor, for each output channel, or for each block of an output channel's inputs.
enum class Granularity { tensor, channel, block };
// Integers of weights in tensors of int8, or of int4 and int2 where they fit. `automatic`: blocks of at most 4 bits packed, all
// else int8.
enum class WeightStorage { int8, packed, automatic };
enum class ActRange { symmetric, asymmetric };
// Which activations are quantized: `inputs` - the inputs of the quantized layers and no others (the paper);
// `regions` - also their outputs and what lies between (residual adds, pools), so that integer kernels meet.
enum class ActScope { inputs, regions };
// How channels of activations are split: in halves (the paper), in parts that each take what the one before cannot hold, or in
// halves of the channels that are largest in each batch, with a scale of each batch (the paper's oracle).
enum class ActSplit { halving, saturating, oracle };
// Where the scales of the data of MatMul and Gemm come from: a calibration, or each run.
enum class ActScales { calibrated, dynamic };
// How the weights of an LSTM are written: behind DequantizeLinear, or in ONNX Runtime's own operator.
enum class RecurrentForm { dequantize, dynamic };
// How copies of input channels get into the graph (docs/splitting.md).
enum class SplitForm { gather, slice, fold, virtual_, automatic };

// "PATTERN:key=value": other settings for the nodes that match.
struct Override {
  std::string pattern{};  // glob on node names, or `first` / `last`
  std::string
      key{};  // weight_bits, act_bits, weight_clip, act_clip, weight_granularity, expand_ratio
  std::string value{};
  bool operator==(const Override&) const = default;
};

struct Recipe {
  std::string name = "int8";
  int weight_bits = 8;              // 2..8
  std::optional<int> act_bits = 8;  // 2..8, 16; none: activations stay float
  Granularity weight_granularity = Granularity::channel;
  int weight_block =
      0;  // with Granularity::block: inputs that share a scale, a power of two from 16
          // to 1024
  WeightStorage weight_storage = WeightStorage::automatic;
  ActRange act_range = ActRange::asymmetric;
  ActScope act_scope = ActScope::regions;
  ActScales act_scales = ActScales::calibrated;
  Clip weight_clip = MaxClip{};
  Clip act_clip = MseClip{};
  double expand_ratio = 0.0;  // paper: ceil(r * C) splits in each layer; [0, 4]
  // Copies for this share of the network's MACs, of its bytes of weights, or of its predicted latency, where they pay most; [0, 4], one
  // of them at most.
  double mac_budget = 0.0;
  double byte_budget = 0.0;
  double latency_budget = 0.0;
  std::string cost_table{};  // hash of the table that predicts latencies; "": the program's own
  // Budgets: samples that a layer's weight in the outputs is measured on; 0: all layers alike; none: samples_for_budget decides.
  std::optional<std::size_t> budget_samples{};
  SplitKind split = SplitKind::quantization_aware;
  SplitParts split_parts = SplitParts::equal;
  SplitForm split_form = SplitForm::automatic;
  double act_expand_ratio = 0.0;  // ceil(r * C) copies of channels of each layer's data; [0, 4]
  ActSplit act_split = ActSplit::saturating;
  bool split_first = false;  // also a first layer of 3 channels
  bool fill_multiples =
      true;  // further useful splits up to the engine's channel multiple (never in `paper`)
  Rounding rounding = NearestRounding{};
  bool fold_batchnorm = true;  // off: rounded as stored, absorbed exactly afterwards
  bool equalize = false;       // channels scaled for the least noise of rounding
  bool smooth = true;          // factors of channels between normalizations and the layers behind
  bool bias_correction = true;
  bool fallback = true;      // a layer that spoils the network goes back to float
  bool first_float = false;  // the paper: the first Conv/Gemm/MatMul stays float
  bool recurrent_float =
      false;  // the paper: activations of a model with LSTM, GRU or RNN stay float
  RecurrentForm recurrent_form = RecurrentForm::dequantize;
  bool recurrent_inputs = false;          // also round the inputs X of LSTM, GRU and RNN
  bool quantize_embeddings = false;       // tables that a Gather looks up
  std::vector<std::string> keep_float{};  // globs on node names, `first`, `last`
  std::vector<Override> overrides{};
  int opset = 0;  // 0: the lowest that holds what is used
  std::uint64_t seed = 0;
  std::size_t calib_count = 0;     // samples used of the calibration data, 0: all
  double calib_settle = 0.0;       // calibration ends once no range moves by this share; 0: never
  std::size_t energy_count = 128;  // samples that roundings look at, 0: all
  std::size_t measure_count = 16;  // samples of the measured signal-to-noise
  // ort-cpu: weights that no x86 kernel's 16-bit sums saturate; ort-cpu-vnni: the whole range
  std::string target = "ort-cpu";
  bool operator==(const Recipe&) const = default;
};

// The one budget for the copies of the whole network; 0: none.
[[nodiscard]] double copy_budget(const Recipe& recipe);
// No copies of input channels: expand_ratio and all budgets 0.
void clear_copies(Recipe& recipe);
// Samples to weigh the layers on before that budget is spent; 0: all count alike, or there is no budget. By itself 16 under
// latency_budget, which goes to a few layers, so that it matters which (docs/costs.md), and 0 otherwise (docs/splitting.md).
[[nodiscard]] std::size_t samples_for_budget(const Recipe& recipe);

// Throws Error(bad_input) naming the key: bits out of range, negative ratio, unknown override key, ...
void check(const Recipe& recipe);

// paper, int8, int8-per-tensor, best, dynamic, weights-only. Throws Error(bad_input) for another name.
[[nodiscard]] Recipe built_in_recipe(std::string_view name);
[[nodiscard]] std::vector<std::string> built_in_recipe_names();

// The settings that hold for one layer: overrides applied in order. `position`: matches `first` / `last`; a node with several weights is
// meant whole by its name, one of them by name and part (lstm.W).
struct NodePosition {
  bool first = false;
  bool last = false;
  std::string_view part{};  // which weight of the node, "" where it has one
};
[[nodiscard]] Recipe recipe_for(const Recipe& recipe, std::string_view node, NodePosition position);
// Whether a pattern of keep_float or of an override means this node: glob with * ? [..], or the words first / last.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view node, NodePosition position);

}  // namespace ocs
