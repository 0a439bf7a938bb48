// Real models and data beside the checkout (../shared); tests that need them are skipped where they are not.
#pragma once

#include <filesystem>
#include <string>

#include "ocs/core/samples.h"
#include "ocs/graph/model.h"
#include "ocs/pipeline/quantize.h"

namespace ocs {

[[nodiscard]] std::filesystem::path shared_data();  // .../shared/data, whether it is there or not
#define SKIP_WITHOUT_SHARED_DATA()             \
  if (!std::filesystem::exists(shared_data())) \
  GTEST_SKIP() << "needs the models in " << shared_data()

// "resnet50" -> the model; images of imagenet/calib (or CIFAR-10) as its sidecar prepares them.
[[nodiscard]] Model shared_model(const std::string& name);
[[nodiscard]] Samples shared_images(const std::string& model, std::size_t count);

// Quantized with `count` images.
[[nodiscard]] Quantized quantize_shared(const std::string& model, const Recipe& recipe,
                                        std::size_t count);

}  // namespace ocs
