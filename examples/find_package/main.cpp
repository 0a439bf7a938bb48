// Uses the installed library: says how many layers of a model 8-bit weights would quantize. Needs no data.
#include <algorithm>
#include <iostream>

#include "ocs/ocs.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: uses_ocs MODEL.onnx\n";
    return 2;
  }
  const ocs::Quantized result =
      ocs::quantize(ocs::read_model(argv[1]), nullptr, ocs::built_in_recipe("weights-only"),
                    ocs::onnx_runtime(), {});
  const auto& layers = result.report.layers;
  std::cout << "ocs " << ocs::version() << ", ONNX Runtime " << ocs::onnx_runtime_version() << ": "
            << std::ranges::count(layers, true, &ocs::LayerReport::quantized) << " of "
            << layers.size() << " layers quantized\n";
}
