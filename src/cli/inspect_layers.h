// What `ocs inspect` tells of a model's layers, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/engine/engine.h"
#include "ocs/graph/model.h"
#include "ocs/report/relative_cost.h"

namespace ocs::cli {

struct NamedThreshold {
  std::string clip{};
  float threshold = 0.0F;  // in weight units
};

struct InspectedSplit {
  std::vector<int> channels{};  // in the order of the splits (paper section 3.4, halving)
  float max_abs_after = 0.0F;
  std::string reason{};  // why nothing is split
};

struct InspectedLayer {
  std::string name{};
  std::string op{};
  std::string weight{};  // the initializer
  Shape shape{};
  std::optional<std::int64_t> macs{};  // none: the output's shape is not known
  float max_abs = 0.0F;
  std::vector<NamedThreshold> thresholds{};
  InspectedSplit split{};
};

struct NotInspected {
  std::string name{};
  std::string op{};
  std::string reason{};
};

struct RelativeCostAt {
  double expand_ratio = 0.0;
  RelativeCost cost{};
};

struct Inspection {
  std::vector<InspectedLayer> layers{};  // in graph order
  std::vector<NotInspected>
      skipped{};  // operators with weights that are no layers, and those that lie in bodies
  // What the paper's ratios, and the one that was asked for, add to the layers that recipe `paper`
  // quantizes (its Table 5); in rising order.
  std::vector<RelativeCostAt> relative{};
  std::string why_no_macs{};  // where the model could not be run
};

struct InspectOptions {
  int bits = 8;
  double expand_ratio = 0.05;
  std::uint64_t seed = 0;  // of the made-up input that shapes are learned with
  Progress progress{};
};

// `model`: nodes are named. Every layer is a task of its own; the model is run once, on made-up input, for the shapes of its layers'
// outputs. Throws Error(bad_input) naming the node of a weight that does not fit its operator.
[[nodiscard]] Inspection inspect_layers(const Model& model, const Engine& engine,
                                        const InspectOptions& options);

}  // namespace ocs::cli
