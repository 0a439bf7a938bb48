// Files of any tool, given by a folder: what other_quantizers.py has written, or what a user complains about.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "lint/engine_truth.h"
#include "ocs/io/model_file.h"
#include "ocs/passes/name_nodes.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

TEST(Files, AreForecastAsTheEngineRunsThem) {
  const char* folder = std::getenv("OCS_LINT_FILES");
  if (folder == nullptr) GTEST_SKIP() << "OCS_LINT_FILES names no folder of quantized models";
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".onnx") files.push_back(entry.path());
  std::ranges::sort(files);
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename().string());
    const Model named = name_nodes(read_model(file)).model;
    expect_engine_agrees(named, lint_target("ort-cpu"));
  }
}

}  // namespace
}  // namespace ocs
