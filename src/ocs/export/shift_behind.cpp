#include "ocs/export/shift_behind.h"

#include <algorithm>

#include "ocs/graph/edit.h"
#include "ocs/graph/read_tensor.h"

namespace ocs {

bool shift_constant_behind(const Graph& graph, Model& out, onnx::GraphProto& place,
                           const onnx::NodeProto& node, std::span<const float> shift) {
  const std::string& result = node.output(0);
  const onnx::NodeProto* reader = graph.only_consumer(result);
  if (reader == nullptr || reader->op_type() != "Add" || !in_default_domain(*reader) ||
      reader->input_size() != 2)
    return false;
  const int constant_input = reader->input(0) == result ? 1 : 0;
  const onnx::TensorProto* constant = graph.initializer(reader->input(constant_input));
  if (constant == nullptr || constant->data_type() != onnx::TensorProto::FLOAT ||
      constant->dims_size() != 1 || constant->dims(0) != static_cast<std::int64_t>(shift.size()))
    return false;
  const auto written = std::ranges::find_if(*place.mutable_node(), [&](const auto& each) {
    return each.name() == reader->name() && each.input(1 - constant_input) == result &&
           each.input(constant_input) == constant->name();
  });
  if (written == place.mutable_node()->end()) return false;  // the result is rounded in between
  Tensor sum = read_tensor(graph, constant->name());
  const auto values = sum.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += shift[i];
  written->set_input(constant_input, add_initializer(out, constant->name() + "_corrected", sum));
  return true;
}

}  // namespace ocs
