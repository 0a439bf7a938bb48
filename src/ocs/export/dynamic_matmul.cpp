#include "ocs/export/dynamic_matmul.h"

#include "ocs/graph/edit.h"

namespace ocs {

DynamicData add_dynamic_data(Model& out, const std::string& value) {
  const DynamicData data{.levels = out.unique_name(value + "_quantized"),
                         .scale = out.unique_name(value + "_scale"),
                         .zero_point = out.unique_name(value + "_zero_point")};
  add_node(out, "DynamicQuantizeLinear", value + "_DynamicQuantizeLinear", {value},
           {data.levels, data.scale, data.zero_point});
  return data;
}

void make_dynamic_matmul(Model& out, onnx::NodeProto& node, const DynamicData& data,
                         const IntegerWeight& weight, const std::string& bias) {
  const std::string name = node.name();
  const std::string result = node.output(0);
  const std::string sums = out.unique_name(result + "_sums");
  node.set_op_type("MatMulInteger");
  node.clear_attribute();
  node.clear_input();
  for (const std::string& input : {data.levels, weight.levels, data.zero_point, weight.zero_point})
    node.add_input(input);
  node.set_output(0, sums);

  const std::string reals = out.unique_name(result + "_reals");
  set_attribute(add_node(out, "Cast", name + "_Cast", {sums}, {reals}), "to",
                std::int64_t{onnx::TensorProto::FLOAT});
  const std::string scale = out.unique_name(result + "_scale");
  add_node(out, "Mul", name + "_scales", {data.scale, weight.scale}, {scale});
  const std::string scaled = bias.empty() ? result : out.unique_name(result + "_scaled");
  add_node(out, "Mul", name + "_Mul", {reals, scale}, {scaled});
  if (!bias.empty()) add_node(out, "Add", name + "_Add", {scaled, bias}, {result});
}

}  // namespace ocs
