#include "end_to_end/shared_models.h"

#include "ocs/data/open_samples.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/io/model_file.h"

namespace ocs {

std::filesystem::path shared_data() {
  return std::filesystem::path(OCS_SOURCE_DIR).parent_path() / "shared" / "data";
}

namespace {
std::filesystem::path model_path(const std::string& name) {
  return shared_data() / "models" / (name + ".onnx");
}
}  // namespace

Model shared_model(const std::string& name) { return read_model(model_path(name)); }

Samples shared_images(const std::string& model, std::size_t count) {
  const bool is_cifar = model.find("cifar10") != std::string::npos;
  const std::filesystem::path data =
      is_cifar ? shared_data() / "cifar10" / "calib.bin" : shared_data() / "imagenet" / "calib";
  return open_samples(data, shared_model(model).inputs(),
                      {.preprocess = find_sidecar(model_path(model)), .count_limit = count});
}

Quantized quantize_shared(const std::string& model, const Recipe& recipe, std::size_t count) {
  const Samples samples = shared_images(model, count);
  return quantize(shared_model(model), &samples, recipe, onnx_runtime(), {});
}

}  // namespace ocs
