// Writes a network of the paper with random weights, and its preprocessing:
//   paper_networks NAME OUT.onnx [RESOLUTION]
#include <filesystem>
#include <iostream>

#include <fmt/format.h>

#include "networks/network.h"
#include "ocs/core/parse_number.h"
#include "ocs/core/write_file.h"
#include "ocs/ocs.h"

namespace {

// As torchvision prepares pictures for these networks.
std::string preprocessing(std::int64_t resolution) {
  return fmt::format(
      "{{\"resize\": {}, \"crop\": {}, \"channels\": \"rgb\", \"mean\": [123.675, 116.28, 103.53], "
      "\"std\": [58.395, 57.12, 57.375]}}\n",
      (resolution * 8 + 3) / 7, resolution);  // 256 for 224, 342 for 299
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3 && argc != 4) {
    std::cerr << "usage: paper_networks NAME OUT.onnx [RESOLUTION]\n";
    return 2;
  }
  const std::string name = argv[1];
  const std::filesystem::path file = argv[2];
  ocs::networks::NetworkOptions options;
  if (argc == 4) options.resolution = ocs::parse_number<std::int64_t>(argv[3]);
  ocs::write_model(ocs::networks::build_network(name, options, ocs::onnx_runtime()), file);
  std::filesystem::path sidecar = file;
  sidecar.replace_extension(".preprocess.json");
  ocs::write_file(sidecar, preprocessing(ocs::networks::resolution_of(name, options)));
  return 0;
} catch (const ocs::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
