// An engine for a model of two nodes, and samples for it.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "calibrate/values.h"
#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "support/text_model.h"

namespace ocs::fake_engine {

// The fake engine's model: h = 2 x and y = x + 1, whatever the shape; it gives the outputs that the
// model asks for.
inline Model fake_model() {
  return text_model(R"(
    input x float[?, ?, 3];
    init two float[1] {2};  init one float[1] {1};
    h = Mul(x, two);
    y = Add(x, one);
    output y;
  )");
}

inline const Engine fake = [](const Model&, const EngineOptions& options) {
  RunModel run;
  for (const std::string& name : options.outputs) run.outputs.push_back({.name = name});
  run.run = [outputs = run.outputs](const NamedTensors& inputs, const Receive& receive) {
    std::map<std::string, Tensor> values{{"h", inputs.at("x")}, {"y", inputs.at("x")}};
    for (float& value : values.at("h").as<float>()) value *= 2.0F;
    for (float& value : values.at("y").as<float>()) value += 1.0F;
    std::vector<OutputView> views;
    for (const Port& output : outputs)
      views.push_back({.name = output.name, .tensor = view(values.at(output.name))});
    receive(views);
  };
  return run;
};

// `count` items of [1, channels, 3], `batch` in a sample.
inline Samples samples_of(std::size_t count, std::size_t batch = 1, std::int64_t channels = 2) {
  return {.count = count / batch,
          .load =
              [batch, channels](std::size_t i) {
                std::vector<float> values;
                for (std::size_t item = i * batch; item < (i + 1) * batch; ++item) {
                  const std::vector<float> one =
                      values::activations(item, static_cast<std::size_t>(3 * channels), false,
                                          std::ldexp(1.0F, static_cast<int>(item % 9)));
                  values.insert(values.end(), one.begin(), one.end());
                }
                return Sample{.name = std::to_string(i) + ".jpg",
                              .inputs = {{"x",
                                          {.shape = {static_cast<std::int64_t>(batch), channels, 3},
                                           .values = values}}}};
              },
          .source = "images"};
}

}  // namespace ocs::fake_engine
