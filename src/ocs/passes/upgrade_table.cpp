#include "ocs/passes/upgrade_table.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ocs/passes/upgrade_rules.h"

namespace ocs {
namespace {

struct Rewritten {
  int version = 0;
  std::string_view operators{};
  Rule rule = nullptr;
  std::string_view reason{};
};

constexpr std::string_view axes_moved = "axes became an input";

constexpr auto rewritten = std::to_array<Rewritten>({
    {9, "BatchNormalization", upgrade_batch_normalization_9, "spatial is gone"},
    {9, "Upsample", upgrade_upsample_9, "scales became an input"},
    {10, "Dropout", upgrade_dropout_10, "the mask became boolean"},
    {10, "Slice", upgrade_slice_10, "starts, ends and axes became inputs"},
    {10, "TopK", upgrade_topk_10, "k became an input"},
    {11, "Clip", upgrade_clip_11, "min and max became inputs"},
    {11, "Pad", upgrade_pad_11, "pads and value became inputs"},
    {11, "Resize", upgrade_resize_11, "coordinates and rounding became attributes"},
    {11, "Scatter", upgrade_scatter_11, "it became ScatterElements"},
    {11, "Upsample", upgrade_upsample_11, "it became Resize"},
    {12, "Dropout", upgrade_dropout_12, "ratio became an input, the mask of inference true"},
    {13, "Hardmax LogSoftmax Softmax", upgrade_softmax_13, "one axis counts, not all from it on"},
    {13, "ReduceSum Squeeze Unsqueeze", upgrade_axes, axes_moved},
    {13, "Resize", upgrade_resize_13, "tf_half_pixel_for_nn is gone"},
    {13, "Split", upgrade_split_13, "split became an input"},
    {14, "BatchNormalization", upgrade_batch_normalization_14,
     "the statistics of training became fewer, and a matter of training_mode"},
    {16, "RoiAlign", upgrade_roi_align_16, "the default of coordinates is another"},
    {18,
     "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd "
     "ReduceSumSquare",
     upgrade_axes, axes_moved},
    {18, "Split", upgrade_split_18, "the number of equal parts became an attribute"},
    {20, "DFT", upgrade_dft_20, "axis became an input"},
    {20, "GridSample", upgrade_grid_sample_20, "bilinear and bicubic became linear and cubic"},
    {21, "GroupNormalization", upgrade_group_normalization_21,
     "scale and bias are given for each channel, not each group"},
    {24, "Cast CastLike", upgrade_cast_24, "infinity saturates in float8 FNUZ"},
});

struct Stated {
  int version = 0;
  std::string_view reason{};
  std::string_view operators{};
};

constexpr auto refused = std::to_array<Stated>({
    {9, "the batch axis and sequence_lens are gone", "Scan"},
});

constexpr std::string_view wider = "more element types";
constexpr std::string_view narrower = "integers, which no runtime took, are gone";
constexpr std::string_view option = "a new attribute, mode, input or output: without it as before";
constexpr std::string_view negative = "negative axes and indices count from the end";
constexpr std::string_view once_invalid = "negative indices count from the end; they were invalid";
constexpr std::string_view broadcast = "inputs may be broadcast; they had to have one shape";
constexpr std::string_view wording = "other words for the same, or for what was left open";
constexpr std::string_view later = "deprecated; it becomes Resize at opset 11";

constexpr auto unchanged = std::to_array<Stated>({
    {8, broadcast, "Max Mean Min Sum"},
    {8, option, "MaxPool"},
    {9, wider, "Cast Constant Flatten Gemm Greater Less MatMul PRelu"},
    {10, later, "Upsample"},
    {10, option, "AveragePool MaxPool"},
    {11, negative,
     "ArgMax ArgMin Compress Concat Flatten Gather Hardmax LogSoftmax ReduceL1 ReduceL2 "
     "ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
     "ReduceSumSquare Scan Softmax Split Squeeze Unsqueeze"},
    {11, once_invalid, "OneHot"},
    {11, option, "Constant DepthToSpace Gemm TopK"},
    {11, wider, "Equal"},
    {11, wording,
     "AveragePool Conv ConvTranspose If Loop LpPool MaxPool MaxUnpool NonMaxSuppression "
     "Slice"},
    {12, option, "ArgMax ArgMin Constant GatherND"},
    {12, wider, "Clip Max MaxPool Min Pow ReduceMax ReduceMin"},
    {13, narrower, "Erf"},
    {13, option, "DequantizeLinear QuantizeLinear"},
    {13, wider,
     "Abs Add ArgMax ArgMin Cast Ceil Clip Concat Constant DepthToSpace Div Dropout Equal "
     "Exp Expand Flatten Floor Gather GatherElements GatherND Gemm Greater Identity If IsNaN "
     "LRN Less Log Loop MatMul Max Mean MeanVarianceNormalization Min Mod Mul Neg NonZero "
     "Pad Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean "
     "ReduceMin ReduceProd ReduceSumSquare Relu Reshape ScatterElements ScatterND Shape "
     "Sigmoid Sign Size Slice SoftmaxCrossEntropyLoss SpaceToDepth Sqrt Sub Sum Tanh Tile "
     "Transpose"},
    {13, wording, "NegativeLogLikelihoodLoss"},
    {14, option, "GRU LSTM RNN Reshape"},
    {14, wider, "Add CumSum Div Identity Mul Relu Sub"},
    {15, option, "Shape"},
    {15, wider, "BatchNormalization Pow"},
    {16, option, "ScatterElements ScatterND"},
    {16, wider, "GreaterOrEqual Identity If LeakyRelu LessOrEqual Loop PRelu Scan Where"},
    {18, option, "LpPool OptionalHasElement Pad Resize ScatterElements ScatterND"},
    {18, wider, "OptionalGetElement"},
    {19, option, "AveragePool Cast CastLike Pad QuantizeLinear Resize"},
    {19, wider, "Constant DequantizeLinear Equal Identity If Loop Reshape Scan Shape Size"},
    {20, wider, "ConstantOfShape IsInf IsNaN ReduceMax ReduceMin"},
    {21, option, "DequantizeLinear QuantizeLinear"},
    {21, wider,
     "Cast CastLike Constant ConstantOfShape Flatten Identity If Loop Pad QLinearMatMul "
     "Reshape Scan Shape Size Squeeze Transpose Unsqueeze"},
    {22, wider,
     "Acos Acosh Asin Asinh Atan Atanh AveragePool Bernoulli Conv ConvTranspose Cos Cosh "
     "DeformConv Det Dropout Elu EyeLike GRU GlobalAveragePool GlobalLpPool GlobalMaxPool "
     "GridSample HardSigmoid HardSwish InstanceNormalization LSTM LpNormalization LpPool "
     "MaxPool MaxRoiPool MaxUnpool Mish Multinomial NegativeLogLikelihoodLoss RNN "
     "RandomNormal RandomNormalLike RandomUniform RandomUniformLike RoiAlign Round Selu Sin "
     "Sinh Softplus Softsign Tan ThresholdedRelu"},
    {23, option, "DequantizeLinear QuantizeLinear"},
    {23, wider,
     "Cast CastLike Constant ConstantOfShape Flatten Identity If Loop Pad Reshape Scan Shape "
     "Size Squeeze Transpose Unsqueeze"},
    {24, option, "Attention"},
    {24, wider,
     "Constant ConstantOfShape DequantizeLinear Flatten Identity If Loop Pad QuantizeLinear "
     "Reshape Scan Shape Size SplitToSequence Squeeze TopK Transpose Unsqueeze"},
    {25, option, "Attention"},
    {25, wider,
     "Cast CastLike Constant ConstantOfShape DequantizeLinear Flatten Identity If Loop Pad "
     "QuantizeLinear Reshape Scan Shape Size Squeeze Transpose Unsqueeze"},
});

constexpr std::string_view never_changed =
    "AffineGrid And BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Celu "
    "CenterCropPad Col2Im ConcatFromSequence ConvInteger DynamicQuantizeLinear Einsum Gelu "
    "HammingWindow HannWindow ImageDecoder LayerNormalization MatMulInteger MelWeightMatrix Not "
    "Optional Or QLinearConv RMSNormalization Range RegexFullMatch ReverseSequence "
    "RotaryEmbedding STFT SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert "
    "SequenceLength SequenceMap Shrink StringConcat StringNormalizer StringSplit Swish "
    "TensorScatter TfIdfVectorizer Trilu Unique Xor";

template <typename Visit>
void for_each_word(std::string_view words, Visit&& visit) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    visit(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

struct Table {
  std::map<std::pair<std::string_view, int>, Change> changes{};
  std::set<std::string_view> operators{};
};

Table make_table() {
  Table table;
  const auto add = [&](std::string_view operators, int version, Change change) {
    for_each_word(operators, [&](std::string_view name) {
      table.changes.emplace(std::pair(name, version), change);
      table.operators.insert(name);
    });
  };
  for (const Rewritten& row : rewritten)
    add(row.operators, row.version,
        {.effect = Change::Effect::rewritten, .rule = row.rule, .reason = row.reason});
  for (const Stated& row : refused)
    add(row.operators, row.version, {.effect = Change::Effect::refused, .reason = row.reason});
  for (const Stated& row : unchanged)
    add(row.operators, row.version, {.effect = Change::Effect::unchanged, .reason = row.reason});
  for_each_word(never_changed, [&](std::string_view name) { table.operators.insert(name); });
  return table;
}

const Table& table() {
  static const Table made = make_table();
  return made;
}

}  // namespace

Change change_of(std::string_view op_type, int version) {
  const auto found = table().changes.find(std::pair(op_type, version));
  return found == table().changes.end() ? Change{} : found->second;
}

bool is_standard_operator(std::string_view op_type) { return table().operators.contains(op_type); }

}  // namespace ocs
