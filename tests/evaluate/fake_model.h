// Models and samples for the tests of measures: a sample holds the scores that a model then gives.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"

namespace ocs {

inline Tensor floats(Shape shape, std::vector<float> values) {
  return {.shape = std::move(shape), .values = std::move(values)};
}

// Gives what it gets, input x as output y, each value times `factor`.
inline RunModel echo(float factor = 1) {
  RunModel model;
  model.run = [factor](const NamedTensors& inputs, const Receive& receive) {
    Tensor scores = inputs.at("x");
    for (float& value : scores.as<float>()) value *= factor;
    const OutputView output{.name = "y", .tensor = view(scores)};
    receive({&output, 1});
  };
  return model;
}

struct Item {
  Tensor scores{};
  std::vector<int> labels{};
};

inline Samples samples_of(const std::vector<Item>& items) {
  Samples samples{.count = items.size(), .has_labels = true, .source = "made up"};
  samples.load = [items](std::size_t i) {
    return Sample{.name = "s" + std::to_string(i),
                  .inputs = {{"x", items.at(i).scores}},
                  .labels = items.at(i).labels};
  };
  return samples;
}

}  // namespace ocs
