#include "support/processor.h"

#include <cstdint>
#include <vector>

#include "ocs/engine/onnx_runtime.h"
#include "support/text_model.h"

namespace ocs {

bool adds_in_16_bits() {
  const Model model = text_model(
      "ir 8; opset 14; input x uint8[1, 2]; init w int8[2, 1] {127, 127}; n: y = MatMulInteger(x, "
      "w); output y;");
  const Tensor highest{.shape = {1, 2}, .values = std::vector<std::uint8_t>{255, 255}};
  const Tensor y = run_once(onnx_runtime()(model, {}), {{"x", highest}}).at("y");
  return y.as<std::int32_t>()[0] != 2 * 255 * 127;
}

}  // namespace ocs
