// Makes a model that is larger than memory: a chain of square MatMul whose weights lie in a file beside it.
//
//   large_model OUT.onnx GIGABYTES [SIDE]
//
// What does `ocs quantize --recipe weights-only` take for it? scripts/large_model.sh measures that.
#include <cmath>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/parallel.h"
#include "ocs/core/random.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/io/model_file.h"

namespace {

ocs::Tensor random_weight(std::int64_t side, std::uint64_t seed) {
  const auto width = static_cast<std::size_t>(side);
  std::vector<float> values(width * width);
  const float deviation = 1.0F / std::sqrt(static_cast<float>(side));
  ocs::parallel_for(width, [&](std::size_t row) {
    ocs::Random random(seed * width + row);
    // The sum of three uniform numbers has tails enough, and takes no logarithm.
    for (std::size_t i = 0; i < width; ++i)
      values[row * width + i] =
          2.0F * deviation *
          static_cast<float>(random.uniform() + random.uniform() + random.uniform() - 1.5);
  });
  return {.shape = {side, side}, .values = std::move(values)};
}

void add_port(auto* list, const std::string& name, std::int64_t side) {
  onnx::ValueInfoProto& port = *list->Add();
  port.set_name(name);
  auto& type = *port.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_value(1);
  type.mutable_shape()->add_dim()->set_dim_value(side);
}

ocs::Model make(std::int64_t layers, std::int64_t side, const ocs::KeepTensor& keep) {
  onnx::ModelProto proto;
  proto.set_ir_version(8);
  proto.mutable_graph()->set_name("large");
  ocs::Model model(std::move(proto));
  model.set_opset(17);
  std::string value = "x";
  add_port(model.graph().mutable_input(), value, side);
  for (std::int64_t i = 0; i < layers; ++i) {
    onnx::TensorProto weight =
        ocs::to_proto(random_weight(side, static_cast<std::uint64_t>(i)), "");
    const std::string name =
        ocs::add_initializer(model, fmt::format("w{}", i), keep(std::move(weight)));
    const std::string result = i + 1 == layers ? "y" : fmt::format("v{}", i);
    ocs::add_node(model, "MatMul", fmt::format("layer{}", i), {value, name}, {result});
    value = result;
  }
  add_port(model.graph().mutable_output(), value, side);
  return model;
}

}  // namespace

int main(int count, char** words) {
  try {
    if (count < 3) throw std::invalid_argument("large_model OUT.onnx GIGABYTES [SIDE]");
    const std::int64_t side = count > 3 ? std::stoll(words[3]) : 4096;
    const double bytes = std::stod(words[2]) * 1e9;
    const auto layers =
        static_cast<std::int64_t>(std::ceil(bytes / static_cast<double>(4 * side * side)));
    ocs::write_model_in_pieces(
        words[1], [&](const ocs::KeepTensor& keep) { return make(layers, side, keep); });
    std::cout << fmt::format("{}: {} layers of {} x {}\n", words[1], layers, side, side);
  } catch (const std::exception& error) {
    std::cerr << "large_model: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
