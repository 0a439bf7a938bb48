// Calibration and evaluation data: one sample in memory at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ocs/core/tensor.h"

namespace ocs {

struct Sample {
  std::string name{};         // the file it came from, for messages
  NamedTensors inputs{};      // by graph input name
  NamedTensors outputs{};     // expected outputs, where the data has them (model zoo test sets)
  std::vector<int> labels{};  // one for each item along the first axis, empty without labels
};

struct Samples {
  std::size_t count = 0;
  // Loads sample i of [0, count). Safe to call from several threads at once. Throws Error naming the file.
  std::function<Sample(std::size_t)> load{};
  bool has_labels = false;
  bool synthetic = false;  // made up: stamped into the metadata of what is made from them
  std::string source{};    // for messages: the path as the user gave it
};

// How far long work is: `done` of `total` units of the step `what`. Called from one thread at a time.
using Progress = std::function<void(const std::string& what, std::size_t done, std::size_t total)>;

}  // namespace ocs
