#include "support/optimized.h"

#include <fstream>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/folder.h"

namespace ocs {

Model optimized_by_engine(const Model& model, const std::map<std::string, std::string>& config) {
  const TestFolder folder;
  const std::filesystem::path file = folder / "optimized.onnx";
  (void)onnx_runtime()(model, {.optimized_model_file = file.string(), .config = config});
  onnx::ModelProto proto;
  std::ifstream in(file, std::ios::binary);
  if (!proto.ParseFromIstream(&in)) throw_internal(file.string() + ": is no model");
  return Model(std::move(proto));
}

}  // namespace ocs
