#include "ocs/engine/engine.h"

#include <gtest/gtest.h>

#include "engine/small_models.h"

namespace ocs {
namespace {

// An engine of three lines, as other tests make them.
const Engine adds_one = [](const Model&, const EngineOptions&) {
  return RunModel{.inputs = {{.name = "x", .shape = {2}}},
                  .outputs = {{.name = "y", .shape = {2}}},
                  .run = [](const NamedTensors& inputs, const Receive& receive) {
                    Tensor y = inputs.at("x");
                    for (float& value : y.as<float>()) value += 1.0F;
                    const std::vector<OutputView> views{{.name = "y", .tensor = view(y)}};
                    receive(views);
                  }};
};

TEST(RunOnce, CopiesEveryOutput) {
  const RunModel model = adds_one(Model(), {});
  const NamedTensors outputs =
      run_once(model, {{"x", {.shape = {2}, .values = std::vector<float>{1.0F, 2.0F}}}});
  EXPECT_EQ(outputs,
            (NamedTensors{{"y", {.shape = {2}, .values = std::vector<float>{2.0F, 3.0F}}}}));
}

}  // namespace
}  // namespace ocs
