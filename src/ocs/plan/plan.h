// Every decision of the quantizer as a value: which layers, which integers, which activations at
// which scale. The model is still float.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/note.h"
#include "ocs/ops/op.h"
#include "ocs/quant/params.h"
#include "ocs/recipe/recipe.h"
#include "ocs/recipe/target_form.h"

namespace ocs {

// One quantized activation tensor: where its Q/DQ pair stands.
struct ActivationPlan {
  QuantParams params{};        // container grid: uint8 (or uint16), scalar scale and zero point
  std::int32_t level_low = 0;  // levels in use: narrower than the container for fewer than 8 bits
                               // and for symmetric grids
  std::int32_t level_high = 255;
  bool operator==(const ActivationPlan&) const = default;
};

// Channels [begin, end) of a tensor.
struct ChannelRun {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const ChannelRun&) const = default;
};

// Data that are quantized while the model runs, with the scale of each batch: the paper's oracle.
struct DynamicSplit {
  int bits = 8;
  std::int64_t channels = 0;
  std::int64_t copies = 0;  // channels that are halved: those with the largest magnitudes
  SplitKind kind = SplitKind::quantization_aware;
  bool operator==(const DynamicSplit&) const = default;
};

// The weights of ONNX Runtime's DynamicQuantizeLSTM; none: behind DequantizeLinear.
enum class DynamicWeights { none, int8, uint8 };

// Rows whose scale is above what their weights alone would have, by what needs it (proofs.h).
struct RaisedRows {
  std::int64_t for_bias = 0;   // the bias would not fit int32
  std::int64_t for_sum = 0;    // int32 sums could overflow
  std::int64_t for_scale = 0;  // the scale, or its product with that of the data, would be denormal
  [[nodiscard]] std::int64_t rows() const { return for_bias + for_sum + for_scale; }
  bool operator==(const RaisedRows&) const = default;
};

// Further inputs of a weight in blocks, each a channel that is there already: what rounding has left of its weights, rounded once more
// in blocks of its own (residual_columns.h).
struct ResidualColumns {
  std::vector<std::int64_t> channels{};  // ascending; they fill blocks
  std::vector<std::int16_t> stored{};    // [rows, channels]
  std::vector<float> scale{};            // [rows, blocks of channels]
  bool operator==(const ResidualColumns&) const = default;
};

struct LayerPlan {
  std::string node{};
  std::string op{};
  bool is_in_body = false;  // of an If, Loop or Scan
  Operand operand{};
  std::string weight{};  // initializer of the float weight (as the float model holds it)
  QuantParams params{};  // of the weight, in its layout; BatchNormalization that was rounded first
                         // sits in the scales
  int weight_bits = 8;
  int storage_bits = 8;           // of the tensor that holds the integers: 8, 4 or 2
  std::optional<int> act_bits{};  // of its data input, where a plan gives the scale
  bool rounds_as_it_runs =
      false;  // its data are rounded to 8 bits with a scale of each run; then act_bits is none
  std::vector<std::int16_t>
      stored{};  // integers in the layout of the weight, unsplit; |q| <= copies * N
  // The same as they are written, once their bytes lie in the written model's file of weights; then
  // `stored` is empty. Layers that share a tensor share this.
  std::shared_ptr<const onnx::TensorProto> kept{};
  std::vector<int> copies{};           // physical channels of each input channel; empty: no splits
  ResidualColumns residual{};          // instead of copies, where blocks have scales
  SplitForm form = SplitForm::gather;  // how copies are written, decided (never automatic)
  // Real copies cost least time so, by the cost table (cheapest_forms); automatic: not known.
  SplitForm cheapest_form = SplitForm::automatic;
  // Physical layout, in indices of the float weight; the k-th occurrence of an input channel
  // carries part k of its weights.
  std::vector<std::int64_t> rows{};  // output channels as written; empty: as they are. Where the
                                     // hidden state is split, both weights of the node have them
  std::vector<std::int64_t>
      inputs{};  // input channels as written; empty: as they are (no splits, or virtual)
  std::vector<ChannelRun>
      slices{};  // form slice: runs of the data's channels that are concatenated behind it
  std::vector<float> bias{};  // one for each output channel, corrected; empty: none
  bool becomes_gemm =
      false;  // of a MatMul: the engine joins it with the Add behind it (engine_gemm.h)
  bool adds_bias = false;  // the operator has no bias input: `bias` is an Add behind it (MatMul)
  std::int64_t macs = 0;   // of one item, without copies of any kind; 0 until shapes are known
  DynamicWeights dynamic_weights = DynamicWeights::none;  // the same in both layers of a node
  std::int64_t activations =
      0;  // numbers in its data, likewise; of a hidden state those of all steps
  std::optional<DynamicSplit> dynamic{};  // then act_bits is none
  std::int64_t act_copies = 0;     // input channels that the splitting of activations has added
  double act_growth = 1.0;         // weights now over weights before that splitting
  double data_growth = 1.0;        // and numbers in its data
  double predicted_sqnr_db = 0.0;  // weight error alone
  RaisedRows raised{};
  std::string remark{};  // what a reader should know: "depthwise: not split", ...

  // Of its data, whoever chooses the scale; none: float.
  [[nodiscard]] std::optional<int> data_bits() const {
    if (dynamic) return dynamic->bits;
    return rounds_as_it_runs ? std::optional<int>(8) : act_bits;
  }
  [[nodiscard]] LayerId id() const { return {.node = node, .part = std::string(operand.part)}; }
};

// A table that a Gather looks up: its entries become integers, what is looked up is dequantized.
struct EmbeddingPlan {
  std::string node{};
  std::string weight{};  // initializer of the float table
  // One scale; or of a table [entries, channels] one for each entry (axis 0) or block of an entry.
  QuantParams params{};
  int storage_bits = 8;  // below 8: several integers in a byte (write_embeddings.h)
  std::vector<std::int8_t> stored{};
  std::shared_ptr<const onnx::TensorProto> kept{};  // as in LayerPlan
  double predicted_sqnr_db = 0.0;  // energy of the table over that of its rounding error
};

struct Skipped {
  std::string node{};
  std::string part{};  // of the operand; "" where the node has one, and for a node that is no layer
  std::string op{};
  std::string reason{};
  std::int64_t macs = 0;
  bool operator==(const Skipped&) const = default;
};

// How much an error of a layer's result, relative to the energy of that result, counts in the network: relative
// error of the network's outputs over relative error of the result (measured: weigh_layers). A layer without an entry counts 1.
using LayerGains = std::map<LayerId, double>;

struct Plan {
  std::vector<LayerPlan> layers{};                      // in graph order
  std::vector<EmbeddingPlan> embeddings{};              // in graph order
  std::map<std::string, ActivationPlan> activations{};  // by value name
  // Activations of which only layers and integer steps read the rounded form, all else (a residual Add, Softmax) the float one.
  std::set<std::string> float_values{};
  std::set<std::string> integer_steps{};  // nodes without weights that run on integers
  std::vector<Skipped> skipped{};         // layers left in float, each with its reason
  TargetForm target{};                    // what the engine asks of the integers
  std::vector<Note> notes{};  // what else a reader should know: steps that stay float, ...
};

}  // namespace ocs
