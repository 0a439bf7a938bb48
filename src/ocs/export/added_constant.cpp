#include "ocs/export/added_constant.h"

#include <algorithm>

#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

// Of a constant that is broadcast along the last axis, or lies on it; nothing for any other.
std::vector<float> row_of(const Graph& graph, const std::string& name, std::size_t channels) {
  const onnx::TensorProto* constant = graph.initializer(name);
  if (constant == nullptr || constant->data_type() != onnx::TensorProto::FLOAT) return {};
  const Tensor tensor = read_tensor(graph, name);
  const auto values = tensor.as<float>();
  // A constant of more axes than two could add axes to the result.
  if (tensor.shape.size() > 2) return {};
  if (values.size() == 1) return std::vector<float>(channels, values[0]);
  if (values.size() != channels || tensor.shape.back() != static_cast<std::int64_t>(channels))
    return {};
  return {values.begin(), values.end()};
}

}  // namespace

std::optional<AddedConstant> find_added_constant(const Graph& graph, onnx::GraphProto& place,
                                                 const onnx::NodeProto& node,
                                                 std::size_t channels) {
  const std::string& result = node.output(0);
  const onnx::NodeProto* reader = graph.only_consumer(result);
  if (reader == nullptr || reader->op_type() != "Add" || !in_default_domain(*reader) ||
      reader->input_size() != 2)
    return std::nullopt;
  const int input = reader->input(0) == result ? 1 : 0;
  std::vector<float> values = row_of(graph, reader->input(input), channels);
  if (values.empty()) return std::nullopt;
  const auto add = std::ranges::find_if(*place.mutable_node(), [&](const onnx::NodeProto& each) {
    return each.name() == reader->name() && each.input(1 - input) == result &&
           each.input(input) == reader->input(input);
  });
  if (add == place.mutable_node()->end()) return std::nullopt;
  return AddedConstant{.add = &*add, .input = input, .values = std::move(values)};
}

}  // namespace ocs
