// Models of one or two nodes for the tests of the engine.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/graph/model.h"

namespace ocs::small_models {

inline void set_type(onnx::ValueInfoProto& value, int type,
                     const std::vector<std::int64_t>& shape) {
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape();
  for (const std::int64_t extent : shape) {
    auto& dim = *tensor.mutable_shape()->add_dim();
    if (extent < 0)
      dim.set_dim_param("free");
    else
      dim.set_dim_value(extent);
  }
}

struct Value {
  std::string name{};
  std::vector<std::int64_t> shape{};
  int type = onnx::TensorProto::FLOAT;
};

inline Model graph_of(const std::vector<Value>& inputs, const std::vector<Value>& outputs,
                      int opset = 13) {
  onnx::ModelProto proto;
  proto.set_ir_version(8);
  auto& version = *proto.add_opset_import();
  version.set_version(opset);
  proto.mutable_graph()->set_name("small");
  for (const Value& input : inputs) {
    auto& value = *proto.mutable_graph()->add_input();
    value.set_name(input.name);
    set_type(value, input.type, input.shape);
  }
  for (const Value& output : outputs) {
    auto& value = *proto.mutable_graph()->add_output();
    value.set_name(output.name);
    set_type(value, output.type, output.shape);
  }
  return Model(std::move(proto), "folder/small.onnx");
}

inline onnx::NodeProto& add(Model& model, const std::string& op,
                            const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *model.graph().add_node();
  node.set_op_type(op);
  node.set_name(op + "_" + outputs.front());
  for (const auto& input : inputs) node.add_input(input);
  for (const auto& output : outputs) node.add_output(output);
  return node;
}

inline void add_weight(Model& model, const std::string& name,
                       const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
  onnx::TensorProto& weight = *model.graph().add_initializer();
  weight.set_name(name);
  weight.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : shape) weight.add_dims(extent);
  weight.set_raw_data(values.data(), values.size() * sizeof(float));
}

// y = x + x, both [free, 2].
inline Model doubling(int type = onnx::TensorProto::FLOAT) {
  Model model = graph_of({{"x", {-1, 2}, type}}, {{"y", {-1, 2}, type}});
  add(model, "Add", {"x", "x"}, {"y"});
  return model;
}

// What an Error says; "" where `work` throws none.
template <typename Work>
std::string message_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace ocs::small_models
