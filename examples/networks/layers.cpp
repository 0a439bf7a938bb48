#include "networks/layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ocs/core/random.h"
#include "ocs/graph/edit.h"

namespace ocs::networks {
namespace {

constexpr int ir_version = 7;  // of opset 13
constexpr std::int64_t opset = 13;

Model empty_model(std::int64_t resolution, std::int64_t classes) {
  Model model;
  model.proto().set_ir_version(ir_version);
  model.set_opset(opset);
  model.graph().set_name("network");
  const auto describe = [](onnx::ValueInfoProto& port, const char* name, const Shape& item) {
    port.set_name(name);
    auto& type = *port.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    type.mutable_shape()->add_dim()->set_dim_param("N");
    for (const std::int64_t extent : item) type.mutable_shape()->add_dim()->set_dim_value(extent);
  };
  describe(*model.graph().add_input(), "input", {3, resolution, resolution});
  describe(*model.graph().add_output(), "logits", {classes});
  return model;
}

Tensor one_value(float value) { return {.shape = {}, .values = std::vector{value}}; }

}  // namespace

Layers::Layers(const NetworkOptions& options, std::int64_t resolution,
               const NamedTensors* statistics)
    : options_(options),
      statistics_(statistics),
      model_(empty_model(resolution, options.classes)) {}

std::int64_t Layers::scaled(std::int64_t channels) const {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * options_.width));
}

std::string Layers::parameter(const std::string& name, Tensor values) {
  return add_initializer(model_, name, values);
}

// Each from a seed of its own, in the order of the layers.
std::string Layers::random_parameter(const std::string& name, const Shape& shape, float scale) {
  Random random(options_.seed * 1000003U + ++parameters_);
  const auto count = static_cast<std::size_t>(element_count(shape));
  return parameter(name, {.shape = shape, .values = random.normals(count, scale)});
}

std::string Layers::add(const std::string& op, const std::string& name,
                        const std::vector<std::string>& inputs) {
  std::string output = model_.unique_name(name + "_output");
  add_node(model_, op, name, inputs, {output});
  return output;
}

void Layers::set_window(const Window& window, bool with_kernel) {
  onnx::NodeProto& node = *model_.graph().mutable_node()->rbegin();
  if (with_kernel) set_attribute(node, "kernel_shape", std::vector{window.height, window.width});
  set_attribute(node, "strides", std::vector{window.stride, window.stride});
  set_attribute(
      node, "pads",
      std::vector{window.pad_height, window.pad_width, window.pad_height, window.pad_width});
}

Value Layers::conv(const std::string& name, const Value& x, std::int64_t channels,
                   const Window& window, bool with_bias) {
  const std::int64_t outputs = scaled(channels);
  const auto fan_in = static_cast<double>(x.channels * window.height * window.width);
  std::vector<std::string> inputs{
      x.name, random_parameter(name + ".weight", {outputs, x.channels, window.height, window.width},
                               static_cast<float>(std::sqrt(2.0 / fan_in)))};
  if (with_bias) inputs.push_back(random_parameter(name + ".bias", {outputs}, 0.1F));
  const Value y{.name = add("Conv", name, inputs), .channels = outputs};
  set_window(window, true);
  return y;
}

Value Layers::batch_norm(const std::string& name, const Value& x, float epsilon) {
  Random random(options_.seed * 1000003U + ++parameters_);
  const Shape shape = statistics_ == nullptr ? Shape{x.channels, 1, 1} : Shape{x.channels};
  std::vector<float> scales(static_cast<std::size_t>(x.channels));
  for (float& scale : scales) scale = static_cast<float>(0.5 + random.uniform());
  std::vector<float> shifts = random.normals(scales.size(), 0.1F);
  const std::string scale =
      parameter(name + ".weight", {.shape = shape, .values = std::move(scales)});
  const std::string shift =
      parameter(name + ".bias", {.shape = shape, .values = std::move(shifts)});
  if (statistics_ == nullptr)
    return {.name = normalized_by_batch(name, x, scale, shift, epsilon), .channels = x.channels};
  std::vector<std::string> inputs{x.name, scale, shift};
  for (const char* which : {".running_mean", ".running_var"}) {
    Tensor values = statistics_->at(name + which);
    values.shape = {x.channels};
    inputs.push_back(parameter(name + which, std::move(values)));
  }
  const Value y{.name = add("BatchNormalization", name, inputs), .channels = x.channels};
  set_attribute(*model_.graph().mutable_node()->rbegin(), "epsilon", epsilon);
  return y;
}

// (x - mean) / sqrt(variance + epsilon) * scale + shift, mean and variance as outputs of the model.
std::string Layers::normalized_by_batch(const std::string& name, const Value& x,
                                        const std::string& scale, const std::string& shift,
                                        float epsilon) {
  const auto mean_of = [&](const std::string& value, const std::string& result) {
    add_node(model_, "ReduceMean", result, {value}, {result});
    set_attribute(*model_.graph().mutable_node()->rbegin(), "axes",
                  std::vector<std::int64_t>{0, 2, 3});
    model_.graph().add_output()->set_name(result);
    model_.reserve_name(result);
    model_.graph().mutable_output()->rbegin()->mutable_type()->mutable_tensor_type()->set_elem_type(
        onnx::TensorProto::FLOAT);
    return result;
  };
  const std::string mean = mean_of(x.name, name + ".running_mean");
  const std::string centred = add("Sub", name + ".centred", {x.name, mean});
  const std::string squares = add("Mul", name + ".squares", {centred, centred});
  const std::string variance = mean_of(squares, name + ".running_var");
  const std::string shifted =
      add("Add", name + ".shifted", {variance, parameter(name + ".epsilon", one_value(epsilon))});
  const std::string root = add("Sqrt", name + ".root", {shifted});
  const std::string normal = add("Div", name + ".normal", {centred, root});
  return add("Add", name, {add("Mul", name + ".scaled", {normal, scale}), shift});
}

Value Layers::relu(const Value& x) {
  return {.name = add("Relu", x.name + "_relu", {x.name}), .channels = x.channels};
}

Value Layers::max_pool(const Value& x, const Window& window) {
  const Value y{.name = add("MaxPool", x.name + "_pool", {x.name}), .channels = x.channels};
  set_window(window, true);
  return y;
}

Value Layers::average_pool(const Value& x, const Window& window) {
  const Value y{.name = add("AveragePool", x.name + "_pool", {x.name}), .channels = x.channels};
  set_window(window, true);
  set_attribute(*model_.graph().mutable_node()->rbegin(), "count_include_pad", std::int64_t{1});
  return y;
}

Value Layers::global_average_pool(const Value& x) {
  return {.name = add("GlobalAveragePool", x.name + "_pool", {x.name}), .channels = x.channels};
}

Value Layers::concat(const std::vector<Value>& parts) {
  Value y;
  std::vector<std::string> inputs;
  for (const Value& part : parts) {
    inputs.push_back(part.name);
    y.channels += part.channels;
  }
  y.name = add("Concat", parts.back().name + "_concat", inputs);
  set_attribute(*model_.graph().mutable_node()->rbegin(), "axis", std::int64_t{1});
  return y;
}

Value Layers::flatten(const Value& x, std::int64_t positions) {
  return {.name = add("Flatten", x.name + "_flat", {x.name}), .channels = x.channels * positions};
}

Value Layers::gemm(const std::string& name, const Value& x, std::int64_t features,
                   const std::string& output) {
  const auto fan_in = static_cast<double>(x.channels);
  const std::string weight = random_parameter(name + ".weight", {features, x.channels},
                                              static_cast<float>(std::sqrt(2.0 / fan_in)));
  const std::string bias = random_parameter(name + ".bias", {features}, 0.1F);
  set_attribute(add_node(model_, "Gemm", name, {x.name, weight, bias}, {output}), "transB",
                std::int64_t{1});
  return {.name = output, .channels = features};
}

Value Layers::fully_connected(const std::string& name, const Value& x, std::int64_t features) {
  return gemm(name, x, scaled(features), model_.unique_name(name + "_output"));
}

void Layers::classifier(const std::string& name, const Value& x) {
  (void)gemm(name, x, options_.classes, "logits");
}

Model Layers::finish() && { return std::move(model_); }

}  // namespace ocs::networks
