// Which nodes of a model an engine will run in integer kernels, and why not the others. Made from the model alone; no engine runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ocs/graph/model.h"
#include "ocs/lint/rules.h"
#include "ocs/lint/targets.h"

namespace ocs {

struct NodeForecast {
  std::string name{};  // of the node; of one without, "OPERATOR of 'its first output'"
  std::string op{};    // the operator in the model, with its domain outside ONNX's
  LintRule rule = LintRule::integer_kernel;
  std::string reason{};  // a sentence about this node; "" where it runs on integers
  std::string
      warning{};  // results that are wrong although the engine takes the node; "": none are known of
  std::string hint{};  // what it loses although it runs on integers; "": nothing worth a word
  std::optional<std::int64_t>
      macs{};  // multiply-accumulates of one item; none: has none, or extents are not known

  [[nodiscard]] bool is_fused() const { return rule == LintRule::integer_kernel; }
};

struct LintForecast {
  // Every node that computes or moves values, of the graph and of the bodies of If, Loop and Scan, in the order of the model. Not listed:
  // Quantize- and DequantizeLinear, views (Reshape, Flatten, Squeeze, Unsqueeze, Identity, Cast, ...), and what depends on shapes and
  // constants alone.
  std::vector<NodeForecast> nodes{};
  std::size_t fused = 0;
  std::int64_t macs = 0;  // of all nodes of which they are known
  std::int64_t fused_macs = 0;
  std::size_t warnings = 0;
  // Nodes whose sums can saturate on those processors of the target that add products in 16 bits, where it has such and others.
  std::size_t saturating = 0;
  bool is_quantized = false;  // whether anything in it is
  std::string
      refusal{};  // why the engine refuses the whole model; "": it does not, as far as can be told

  [[nodiscard]] bool is_clean() const {
    return refusal.empty() && warnings == 0 && fused == nodes.size();
  }
};

// The model's nodes must be sorted (read_model checks that). Throws Error(bad_input) for broken attributes and scales, naming them.
[[nodiscard]] LintForecast forecast(const Model& model, const LintTarget& target);

}  // namespace ocs
