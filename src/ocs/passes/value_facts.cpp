#include "ocs/passes/value_facts.h"

#include <algorithm>
#include <array>
#include <span>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

using onnx::TensorProto;
using Names = std::span<const std::string_view>;

bool contains(Names names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

constexpr auto gives_bool = std::to_array<std::string_view>(
    {"And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not",
     "Or", "OptionalHasElement", "RegexFullMatch", "Xor"});
constexpr auto gives_int64 = std::to_array<std::string_view>(
    {"ArgMax", "ArgMin", "NonMaxSuppression", "NonZero", "SequenceLength", "Shape", "Size"});
// Their outputs may be sequences, optionals or whatever a body gives.
constexpr auto gives_anything = std::to_array<std::string_view>(
    {"ConcatFromSequence", "If", "ImageDecoder", "Loop", "Optional", "OptionalGetElement", "Scan",
     "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert",
     "SequenceMap", "SplitToSequence", "StringSplit"});

// The output has the rank of the first input.
constexpr auto keeps_rank = std::to_array<std::string_view>({"Abs",
                                                             "Acos",
                                                             "Acosh",
                                                             "Asin",
                                                             "Asinh",
                                                             "Atan",
                                                             "Atanh",
                                                             "AveragePool",
                                                             "BatchNormalization",
                                                             "Bernoulli",
                                                             "BitwiseNot",
                                                             "Cast",
                                                             "CastLike",
                                                             "Ceil",
                                                             "Celu",
                                                             "CenterCropPad",
                                                             "Clip",
                                                             "Concat",
                                                             "Conv",
                                                             "ConvInteger",
                                                             "ConvTranspose",
                                                             "Cos",
                                                             "Cosh",
                                                             "CumSum",
                                                             "DeformConv",
                                                             "DepthToSpace",
                                                             "DequantizeLinear",
                                                             "Dropout",
                                                             "DynamicQuantizeLinear",
                                                             "Elu",
                                                             "Erf",
                                                             "Exp",
                                                             "EyeLike",
                                                             "Floor",
                                                             "GatherElements",
                                                             "Gelu",
                                                             "GlobalAveragePool",
                                                             "GlobalLpPool",
                                                             "GlobalMaxPool",
                                                             "GridSample",
                                                             "GroupNormalization",
                                                             "HardSigmoid",
                                                             "HardSwish",
                                                             "Hardmax",
                                                             "Identity",
                                                             "InstanceNormalization",
                                                             "IsInf",
                                                             "IsNaN",
                                                             "LRN",
                                                             "LayerNormalization",
                                                             "LeakyRelu",
                                                             "Log",
                                                             "LogSoftmax",
                                                             "LpNormalization",
                                                             "LpPool",
                                                             "MaxPool",
                                                             "MaxUnpool",
                                                             "MeanVarianceNormalization",
                                                             "Mish",
                                                             "Neg",
                                                             "Not",
                                                             "PRelu",
                                                             "Pad",
                                                             "QLinearConv",
                                                             "QuantizeLinear",
                                                             "RMSNormalization",
                                                             "RandomNormalLike",
                                                             "RandomUniformLike",
                                                             "Reciprocal",
                                                             "Relu",
                                                             "Resize",
                                                             "ReverseSequence",
                                                             "Round",
                                                             "Scatter",
                                                             "ScatterElements",
                                                             "ScatterND",
                                                             "Selu",
                                                             "Shrink",
                                                             "Sigmoid",
                                                             "Sign",
                                                             "Sin",
                                                             "Sinh",
                                                             "Slice",
                                                             "Softmax",
                                                             "Softplus",
                                                             "Softsign",
                                                             "SpaceToDepth",
                                                             "Split",
                                                             "Sqrt",
                                                             "Swish",
                                                             "Tan",
                                                             "Tanh",
                                                             "ThresholdedRelu",
                                                             "Tile",
                                                             "TopK",
                                                             "Transpose",
                                                             "Trilu",
                                                             "Upsample"});
// The inputs are broadcast to the largest rank.
constexpr auto broadcasts = std::to_array<std::string_view>(
    {"Add",        "And",         "BitShift", "BitwiseAnd", "BitwiseOr",
     "BitwiseXor", "Div",         "Equal",    "Greater",    "GreaterOrEqual",
     "Less",       "LessOrEqual", "Max",      "Mean",       "Min",
     "Mod",        "Mul",         "Or",       "Pow",        "Sub",
     "Sum",        "Where",       "Xor"});

int declared_type(const onnx::NodeProto& node, std::string_view attribute_name, int fallback) {
  return static_cast<int>(int_attribute(node, attribute_name, fallback));
}

int type_of_constant(const onnx::NodeProto& node) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_t()) return attribute.t().data_type();
    if (attribute.name() == "value_float" || attribute.name() == "value_floats")
      return TensorProto::FLOAT;
    if (attribute.name() == "value_int" || attribute.name() == "value_ints")
      return TensorProto::INT64;
    if (attribute.has_sparse_tensor()) return attribute.sparse_tensor().values().data_type();
  }
  return TensorProto::UNDEFINED;
}

std::string input_or_none(const onnx::NodeProto& node, int index) {
  return index < node.input_size() ? node.input(index) : std::string();
}

}  // namespace

ValueFacts::ValueFacts(const onnx::GraphProto& graph, const ValueFacts* outer) : outer_(outer) {
  // What the file declares comes first, so that what follows from the nodes takes precedence.
  for (const auto& info : graph.value_info()) add_declared(info);
  for (const auto& info : graph.output()) add_declared(info);
  for (const auto& info : graph.input()) add_declared(info);
  for (const auto& tensor : graph.initializer()) add_tensor(tensor.name(), tensor);
  for (const auto& tensor : graph.sparse_initializer())
    facts_[tensor.values().name()] = {.element_type = tensor.values().data_type(),
                                      .rank = tensor.dims_size()};
  for (const auto& node : graph.node()) add_node(node);
}

ValueFacts::ValueFacts(const onnx::FunctionProto& function) {
  for (const auto& node : function.node()) add_node(node);
}

ValueFact ValueFacts::fact(std::string_view value) const {
  if (const auto found = facts_.find(value); found != facts_.end()) return found->second;
  return outer_ == nullptr ? ValueFact{} : outer_->fact(value);
}

const Tensor* ValueFacts::constant(std::string_view value) const {
  if (const auto found = constants_.find(value); found != constants_.end()) return &found->second;
  if (facts_.contains(value)) return nullptr;  // ours, and no constant: outer names are hidden
  return outer_ == nullptr ? nullptr : outer_->constant(value);
}

void ValueFacts::add_declared(const onnx::ValueInfoProto& info) {
  if (!info.type().has_tensor_type()) return;
  const auto& tensor = info.type().tensor_type();
  ValueFact fact{.element_type = tensor.elem_type()};
  if (tensor.has_shape()) fact.rank = tensor.shape().dim_size();
  facts_[info.name()] = fact;
}

void ValueFacts::add_tensor(const std::string& name, const onnx::TensorProto& tensor) {
  facts_[name] = {.element_type = tensor.data_type(), .rank = tensor.dims_size()};
  constexpr std::int64_t small = 64;
  if (tensor.data_location() == TensorProto::EXTERNAL || element_count(tensor) > small) return;
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
    case TensorProto::INT32:
      constants_[name] = to_tensor(tensor);
      break;
    default:
      break;
  }
}

void ValueFacts::add_node(const onnx::NodeProto& node) {
  if (!in_default_domain(node)) return;
  if (const auto* value = attribute(node, "value");
      node.op_type() == "Constant" && value != nullptr && value->has_t()) {
    if (node.output_size() > 0) add_tensor(node.output(0), value->t());
    return;
  }
  const std::optional<int> rank = output_rank(node);
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    ValueFact& fact = facts_[node.output(i)];  // what was declared stays where we know nothing
    if (const int type = output_type(node, i); type != TensorProto::UNDEFINED)
      fact.element_type = type;
    if (rank && (i == 0 || node.op_type() == "Split" || node.op_type() == "TopK")) fact.rank = rank;
  }
}

int ValueFacts::output_type(const onnx::NodeProto& node, int output) const {
  const std::string& op = node.op_type();
  const auto input_type = [&](int index) { return element_type(input_or_none(node, index)); };
  if (contains(gives_anything, op)) return TensorProto::UNDEFINED;
  if (contains(gives_bool, op)) return TensorProto::BOOL;
  if (contains(gives_int64, op)) return TensorProto::INT64;
  if (output > 0) {  // second outputs of another type than the first
    if (op == "MaxPool" || op == "TopK" || op == "Unique") return TensorProto::INT64;
    if (op == "DynamicQuantizeLinear") return output == 1 ? TensorProto::FLOAT : TensorProto::UINT8;
    if (op == "Dropout") return TensorProto::UNDEFINED;
  }
  if (op == "Cast") return declared_type(node, "to", TensorProto::UNDEFINED);
  if (op == "CastLike" || op == "Where") return input_type(1);
  if (op == "OneHot") return input_type(2);
  if (op == "Constant") return type_of_constant(node);
  if (op == "ConstantOfShape") {
    const auto* value = attribute(node, "value");
    return value == nullptr ? int{TensorProto::FLOAT} : value->t().data_type();
  }
  if (op == "RandomNormal" || op == "RandomUniform")
    return declared_type(node, "dtype", TensorProto::FLOAT);
  if (op == "Multinomial") return declared_type(node, "dtype", TensorProto::INT32);
  if (op == "EyeLike" || op == "RandomNormalLike" || op == "RandomUniformLike" || op == "Bernoulli")
    return declared_type(node, "dtype", input_type(0));
  if (op == "DequantizeLinear") return declared_type(node, "output_dtype", input_type(1));
  if (op == "QuantizeLinear")
    return input_or_none(node, 2).empty() ? declared_type(node, "output_dtype", TensorProto::UINT8)
                                          : input_type(2);
  if (op == "DynamicQuantizeLinear") return TensorProto::UINT8;
  if (op == "ConvInteger" || op == "MatMulInteger") return TensorProto::INT32;
  if (op == "QLinearConv" || op == "QLinearMatMul") return input_type(7);
  if (op == "TfIdfVectorizer") return TensorProto::FLOAT;
  if (op.ends_with("Window") || op == "MelWeightMatrix")
    return declared_type(node, "output_datatype", TensorProto::FLOAT);
  return input_type(0);
}

std::optional<std::int64_t> ValueFacts::constant_length(const onnx::NodeProto& node,
                                                        int input) const {
  const Tensor* tensor = constant(input_or_none(node, input));
  if (tensor == nullptr) return std::nullopt;
  return element_count(tensor->shape);
}

// Of Squeeze, Unsqueeze and the reductions: as an attribute or as the second input.
std::optional<int> ValueFacts::axes_count(const onnx::NodeProto& node) const {
  if (const auto* axes = attribute(node, "axes")) return axes->ints_size();
  const auto length = constant_length(node, 1);
  return length ? std::optional<int>(static_cast<int>(*length)) : std::nullopt;
}

std::optional<int> ValueFacts::output_rank(const onnx::NodeProto& node) const {
  const std::string& op = node.op_type();
  const auto input_rank = [&](int index) { return rank(input_or_none(node, index)); };
  const auto plus = [](std::optional<int> rank, std::optional<int> more) {
    return rank && more ? std::optional<int>(*rank + *more) : std::nullopt;
  };
  if (contains(keeps_rank, op)) return input_rank(0);
  if (contains(broadcasts, op)) {
    std::optional<int> largest = 0;
    for (int i = 0; i < node.input_size(); ++i) {
      const auto one = input_rank(i);
      if (!one) return std::nullopt;
      largest = std::max(*largest, *one);
    }
    return largest;
  }
  if (op == "Gemm" || op == "Flatten") return 2;
  if (op == "Shape") return 1;
  if (op == "Size") return 0;
  if (op == "LSTM" || op == "GRU" || op == "RNN") return 4;
  if (op == "MatMul") {
    const auto left = input_rank(0);
    const auto right = input_rank(1);
    if (!left || !right) return std::nullopt;
    if (*left == 1 || *right == 1) return *left + *right - 2;
    return std::max(*left, *right);
  }
  if (op == "Reshape" && attribute(node, "shape") == nullptr) {
    const auto length = constant_length(node, 1);
    return length ? std::optional<int>(static_cast<int>(*length)) : std::nullopt;
  }
  if (op == "Unsqueeze") return plus(input_rank(0), axes_count(node));
  if (op == "Squeeze" && node.input_size() + node.attribute_size() > 1) {
    const auto axes = axes_count(node);
    return axes ? plus(input_rank(0), -*axes) : std::nullopt;
  }
  if (op == "Gather") return plus(plus(input_rank(0), input_rank(1)), -1);
  if (op == "ArgMax" || op == "ArgMin")
    return plus(input_rank(0), int_attribute(node, "keepdims", 1) != 0 ? 0 : -1);
  if (op.starts_with("Reduce")) {
    if (int_attribute(node, "keepdims", 1) != 0) return input_rank(0);
    const auto axes = axes_count(node);
    return axes && *axes > 0 ? plus(input_rank(0), -*axes) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ocs
