// Models beyond protobuf's limit of 2 GiB: for the engine, their weights go to a file of their own.
#pragma once

#include <filesystem>

#include "ocs/graph/model.h"

namespace ocs {

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
