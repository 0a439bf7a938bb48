#include "ocs/lint/working_graph.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"
#include "ocs/lint/computing_nodes.h"

namespace ocs {
namespace {

bool is_quantizer(const onnx::NodeProto& node) {
  return (in_default_domain(node) || node.domain() == "com.microsoft") &&
         (node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear");
}

std::string op_of(const onnx::NodeProto& node) {
  if (in_default_domain(node) || is_quantizer(node)) return node.op_type();
  return node.domain() + "." + node.op_type();
}

Shape stated(const onnx::TensorShapeProto& proto) {
  Shape shape;
  for (const auto& extent : proto.dim())
    shape.push_back(extent.has_dim_value() ? extent.dim_value() : -1);
  return shape;
}

}  // namespace

WorkingGraph::WorkingGraph(const onnx::GraphProto& graph, std::filesystem::path folder,
                           std::int64_t opset, const WorkingGraph* outer)
    : folder_(std::move(folder)), opset_(opset), outer_(outer) {
  for (const onnx::ValueInfoProto& input : graph.input()) inputs_.insert(input.name());
  // One that is an input too may be replaced by the caller: no constant.
  for (const onnx::TensorProto& tensor : graph.initializer())
    if (!inputs_.contains(tensor.name())) constants_[tensor.name()] = &tensor;
  for (const onnx::NodeProto& node : graph.node()) {
    const onnx::AttributeProto* value = attribute(node, "value");
    if (op_of(node) == "Constant" && value != nullptr && value->has_t() && node.output_size() > 0)
      constants_[node.output(0)] = &value->t();
  }
  for (const onnx::ValueInfoProto& output : graph.output()) outputs_.insert(output.name());
  read_types(graph);
  for (const onnx::NodeProto& node : graph.node()) load(node);  // in topological order
}

void WorkingGraph::read_types(const onnx::GraphProto& graph) {
  const auto read = [&](const onnx::ValueInfoProto& value) {
    if (!value.type().has_tensor_type()) return;
    types_[value.name()] = value.type().tensor_type().elem_type();
    if (!value.type().tensor_type().has_shape()) return;
    shapes_[value.name()] = stated(value.type().tensor_type().shape());
    stated_[value.name()] = &value.type().tensor_type().shape();
  };
  std::ranges::for_each(graph.input(), read);
  std::ranges::for_each(graph.output(), read);
  std::ranges::for_each(graph.value_info(), read);
  for (const auto& [name, tensor] : constants_) {
    types_[name] = tensor->data_type();
    shapes_[name] = shape_of(*tensor);
  }
}

namespace {

// Inputs that the operators have which are looked at closely.
std::size_t least_inputs(std::string_view op) {
  constexpr std::array<std::string_view, 12> two{
      "Add",  "Conv",   "ConvInteger",   "ConvTranspose", "DequantizeLinear",
      "Gemm", "MatMul", "MatMulInteger", "Mul",           "QuantizeLinear",
      "Sub",  "Where"};
  constexpr std::array<std::string_view, 18> one{
      "AveragePool",       "Cast",     "Clip",      "Concat",  "Dropout",   "Flatten",
      "GlobalAveragePool", "Identity", "LeakyRelu", "MaxPool", "Relu",      "Reshape",
      "Sigmoid",           "Slice",    "Softmax",   "Squeeze", "Transpose", "Unsqueeze"};
  if (std::ranges::find(two, op) != two.end()) return 2;
  return std::ranges::find(one, op) != one.end() ? 1 : 0;
}

void check_inputs(const onnx::NodeProto& node, const std::string& op) {
  const auto has = [&](std::size_t index) {
    return index < static_cast<std::size_t>(node.input_size()) &&
           !node.input(static_cast<int>(index)).empty();
  };
  for (std::size_t i = 0; i < least_inputs(op); ++i)
    if (!has(i))
      throw_bad_input(
          fmt::format("node '{}' ({}): input {} is missing", node.name(), node.op_type(), i));
}

bool moves_integers(std::string_view op) {
  constexpr std::array<std::string_view, 6> views{"Flatten", "Identity",  "Reshape",
                                                  "Squeeze", "Transpose", "Unsqueeze"};
  return moves_values(op) || std::ranges::find(views, op) != views.end();
}

}  // namespace

void WorkingGraph::load(const onnx::NodeProto& node) {
  if (node.output_size() == 0) return;  // computes nothing
  check_inputs(node, op_of(node));
  Step step{.op = op_of(node),
            .node = &node,
            .inputs = {node.input().begin(), node.input().end()},
            .outputs = {node.output().begin(), node.output().end()}};
  if (is_quantizer(node))
    step.quantizer = quantizer_of(
        node, [this](std::string_view name) { return constant(name); }, folder_);
  if (step.is_dequantize() && step.quantizer.type == 0)
    step.quantizer.type = stored_type(step.inputs.front());
  for (const std::string& name : captures(node)) captured_.insert(name);
  const bool stays_float = step.is_dequantize();
  const bool is_computed_ahead = !stays_float && !step.inputs.empty() && !has_body(node) &&
                                 std::ranges::all_of(step.inputs, [&](const std::string& input) {
                                   return input.empty() || is_constant(input);
                                 });
  if (is_computed_ahead) computed_constants_.insert(step.outputs.begin(), step.outputs.end());
  add(std::move(step));
}

std::int32_t WorkingGraph::stored_type(std::string_view value) const {
  while (stated_type(value) == 0) {
    const Step* source = producer(value);
    if (source == nullptr || source->inputs.empty()) return 0;
    if (source->is_quantize()) return source->quantizer.type;
    if (!moves_integers(source->op)) return 0;
    value = source->inputs[source->op == "Where" ? 1 : 0];
  }
  return stated_type(value);
}

const Step* WorkingGraph::producer(std::string_view value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : &steps_[found->second];
}

std::span<const Edge> WorkingGraph::readers(std::string_view value) const {
  const auto found = readers_.find(value);
  return found == readers_.end() ? std::span<const Edge>() : found->second;
}

const Step* WorkingGraph::only_reader(std::string_view value) const {
  const std::span<const Edge> edges = readers(value);
  return edges.size() == 1 && !is_graph_output(value) && !is_captured(value)
             ? &steps_[edges.front().step]
             : nullptr;
}

bool WorkingGraph::is_graph_output(std::string_view value) const {
  return outputs_.contains(value);
}

bool WorkingGraph::is_captured(std::string_view value) const { return captured_.contains(value); }

bool WorkingGraph::is_input(std::string_view value) const { return inputs_.contains(value); }

const onnx::TensorProto* WorkingGraph::constant(std::string_view name) const {
  const auto found = constants_.find(name);
  if (found != constants_.end()) return found->second;
  return outer_ == nullptr || inputs_.contains(name) ? nullptr : outer_->constant(name);
}

WeightSource WorkingGraph::source_of_weights(std::string_view value) const {
  if (const onnx::TensorProto* integers = constant(value)) return {.tensor = integers};
  if (const auto found = quantized_floats_.find(value); found != quantized_floats_.end())
    return {.tensor = found->second};
  const Step* source = producer(value);
  if (source != nullptr)
    return source->is_quantize()
               ? WeightSource{.tensor = constant(source->inputs.front()), .quantize = source}
               : WeightSource();
  return outer_ == nullptr || inputs_.contains(value) ? WeightSource()
                                                      : outer_->source_of_weights(value);
}

bool WorkingGraph::is_constant(std::string_view value) const {
  return constant(value) != nullptr || computed_constants_.contains(value);
}

namespace {

bool may_be_shared(const onnx::TensorProto& tensor) {
  constexpr std::int64_t most_values = 8;
  constexpr std::int32_t type_float = 1;
  return tensor.data_type() == type_float && element_count(tensor) <= most_values;
}

}  // namespace

bool WorkingGraph::is_equal_constant(const std::string& a, const std::string& b) const {
  const onnx::TensorProto* one = constant(a);
  const onnx::TensorProto* other = constant(b);
  if (one == nullptr || other == nullptr) return false;
  return one == other || (may_be_shared(*one) && may_be_shared(*other) &&
                          to_tensor(*one, folder_) == to_tensor(*other, folder_));
}

bool WorkingGraph::is_shared(const std::string& name) const {
  return readers(name).size() > 1 || std::ranges::any_of(constants_, [&](const auto& other) {
           return other.first != name && !readers(other.first).empty() &&
                  is_equal_constant(name, other.first);
         });
}

std::int32_t WorkingGraph::stated_type(std::string_view value) const {
  const auto found = types_.find(value);
  if (found != types_.end()) return found->second;
  return outer_ == nullptr ? 0 : outer_->stated_type(value);
}

bool WorkingGraph::have_equal_extents(std::string_view a, std::string_view b) const {
  const auto first = stated_.find(a);
  const auto second = stated_.find(b);
  using Extent = onnx::TensorShapeProto::Dimension;
  return first != stated_.end() && second != stated_.end() &&
         std::ranges::equal(first->second->dim(), second->second->dim(),
                            [](const Extent& one, const Extent& other) {
                              return one.has_dim_value() ? one.dim_value() == other.dim_value()
                                                         : !one.dim_param().empty() &&
                                                               one.dim_param() == other.dim_param();
                            });
}

const Shape* WorkingGraph::stated_shape(std::string_view value) const {
  const auto found = shapes_.find(value);
  if (found != shapes_.end()) return &found->second;
  return outer_ == nullptr ? nullptr : outer_->stated_shape(value);
}

std::size_t WorkingGraph::add(Step step) {
  const std::size_t index = steps_.size();
  for (std::size_t i = 0; i < step.inputs.size(); ++i)
    if (!step.inputs[i].empty()) readers_[step.inputs[i]].push_back({index, i});
  for (const std::string& output : step.outputs)
    if (!output.empty()) producers_[output] = index;
  steps_.push_back(std::move(step));
  return index;
}

void WorkingGraph::remove(std::size_t index) {
  Step& step = steps_[index];
  for (std::size_t i = 0; i < step.inputs.size(); ++i)
    if (!step.inputs[i].empty()) connect({index, i}, "");
  for (const std::string& output : step.outputs) {
    const auto found = producers_.find(output);
    if (found != producers_.end() && found->second == index) producers_.erase(found);
  }
  step.gone = true;
}

void WorkingGraph::connect(Edge edge, const std::string& value) {
  std::string& input = steps_[edge.step].inputs[edge.input];
  if (!input.empty()) std::erase(readers_[input], edge);
  input = value;
  if (!value.empty()) readers_[value].push_back(edge);
}

void WorkingGraph::set_output(std::size_t index, std::size_t output, const std::string& value) {
  std::string& name = steps_[index].outputs[output];
  const auto found = producers_.find(name);
  if (found != producers_.end() && found->second == index) producers_.erase(found);
  name = value;
  producers_[value] = index;
}

void WorkingGraph::add_outputs(std::size_t index, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    steps_[index].outputs.push_back(value);
    producers_[value] = index;
  }
}

std::string WorkingGraph::fresh_value(std::string_view base) {
  std::string name;
  do name = fmt::format("{}/{}", base, ++fresh_);
  while (producers_.contains(name) || readers_.contains(name) || constants_.contains(name) ||
         inputs_.contains(name));
  return name;
}

}  // namespace ocs
