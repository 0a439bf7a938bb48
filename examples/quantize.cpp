// Quantizes a model to 8 bits with the library: quantize MODEL.onnx DATA OUT.onnx
#include <iostream>
#include <utility>

#include "ocs/ocs.h"

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: quantize MODEL.onnx DATA OUT.onnx\n";
    return 2;
  }
  ocs::Model model = ocs::read_model(argv[1]);
  const ocs::Samples samples =
      ocs::open_samples(argv[2], model.inputs(), {.preprocess = ocs::find_sidecar(argv[1])});
  const ocs::Recipe recipe = ocs::built_in_recipe("int8");
  const ocs::Quantized result =
      ocs::quantize(std::move(model), &samples, recipe, ocs::onnx_runtime(), {});
  ocs::write_model(result.model, argv[3]);
  for (const ocs::OutputReport& output : result.report.outputs) {
    std::cout << output.name << ": " << output.sqnr_db << " dB above the noise of quantization\n";
  }
  return 0;
} catch (const ocs::Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
