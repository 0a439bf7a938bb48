#include "ocs/engine/engine.h"

namespace ocs {

NamedTensors run_once(const RunModel& model, const NamedTensors& inputs) {
  NamedTensors outputs;
  model.run(inputs, [&](std::span<const OutputView> views) {
    for (const OutputView& view : views) outputs[std::string(view.name)] = copy(view.tensor);
  });
  return outputs;
}

}  // namespace ocs
