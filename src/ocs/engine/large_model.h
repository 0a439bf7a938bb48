// A model for the engine without a copy of its weights: they stay where they are, or, beyond
// protobuf's limit of 2 GiB, go to a file of their own.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "ocs/graph/model.h"

namespace ocs {

// ONNX Runtime 1.32 takes tensors of int2 and uint2 with the graph alone: given as values it expects a byte for each element.
[[nodiscard]] bool has_two_bits(const onnx::TensorProto& weight);

struct ApartWeight {
  const onnx::TensorProto* tensor = nullptr;  // name, type and shape
  std::string_view bytes{};                   // as raw_data
};

// The rest of a model, and the larger initializers, which `rest` names as external data only.
struct WeightsApart {
  onnx::ModelProto rest{};
  std::vector<ApartWeight> weights{};  // in the model
};
[[nodiscard]] WeightsApart weights_apart(const Model& model);

// Writes folder/model.onnx whose larger initializers lie in folder/weights.bin, without a second copy of the weights in memory.
// Throws Error(bad_input) naming the path where it cannot be written, Error(engine) where the rest is still beyond the limit.
void write_with_weights_apart(const Model& model, const std::filesystem::path& folder);

// A new folder below the system's folder for temporary files, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace ocs
