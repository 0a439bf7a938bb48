#include "support/reference_layers.h"

#include <cstring>
#include <fstream>
#include <map>

#include <onnx/onnx_pb.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

// Raw float32 data is the only form in which these six tensors are stored.
std::vector<float> floats_of(const onnx::ModelProto& model, const std::string& name) {
  for (const onnx::TensorProto& tensor : model.graph().initializer()) {
    if (tensor.name() != name) continue;
    std::vector<float> values(tensor.raw_data().size() / sizeof(float));
    std::memcpy(values.data(), tensor.raw_data().data(), values.size() * sizeof(float));
    return values;
  }
  throw_internal("no initializer named " + name);
}

}  // namespace

ChannelMatrix ReferenceLayer::matrix() const {
  return {.data = values,
          .outputs = outputs,
          .inputs = inputs,
          .taps = taps,
          .output_stride = inputs * taps,
          .input_stride = taps};
}

std::vector<ReferenceLayer> read_reference_layers(const fs::path& shared) {
  const fs::path file = shared / "data/reference/ocs_layers.json";
  if (!fs::exists(file)) return {};
  std::map<std::string, onnx::ModelProto> models;
  std::vector<ReferenceLayer> layers;
  for (const Json& record : read_json(file)) {
    const auto model_name = record.at("model").get<std::string>();
    onnx::ModelProto& model = models[model_name];
    if (!model.has_graph()) {
      std::ifstream stream(shared / "data/models" / model_name, std::ios::binary);
      if (!model.ParseFromIstream(&stream)) return {};
    }
    ReferenceLayer layer{.weight = record.at("weight").get<std::string>(), .figures = record};
    layer.values = floats_of(model, layer.weight);
    const Json& shape = record.at("shape");
    layer.outputs = shape.at(0).get<std::int64_t>();
    layer.inputs = shape.at(1).get<std::int64_t>();
    layer.taps = shape.at(2).get<std::int64_t>() * shape.at(3).get<std::int64_t>();
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace ocs
