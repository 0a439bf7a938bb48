// What was done to each layer, and what it cost: the value behind the summary, report.json and report.html.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ocs/core/note.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

struct LayerReport {
  std::string node{};
  std::string part{};  // which weight of the node, "" where it has one
  std::string op{};
  bool quantized = false;
  std::string reason{};  // why it is float; remarks of a quantized layer ("depthwise: not split")
  int weight_bits = 0;   // 0: float
  std::optional<int> act_bits{};  // none: float
  std::int64_t copies = 0;        // input channels added
  std::int64_t act_copies = 0;    // and for outliers of the activations
  std::string form{};  // how they are written: gather, slice, fold, virtual; "" without copies
  std::optional<double> sqnr_db{};            // measured: the layer's own error, its inputs exact
  std::optional<double> predicted_sqnr_db{};  // from the weights alone
  // Numbers without copies, 0: unknown, and what copies add. Copies count as real whatever form is
  // written; where they are folded, so do the rows that the producer gains.
  std::int64_t weights = 0;
  std::int64_t extra_weights = 0;
  std::int64_t activations = 0;  // in the data that the layer reads, of one item
  std::int64_t extra_activations = 0;
  std::int64_t macs = 0;  // of one item
  std::int64_t extra_macs = 0;
  bool operator==(const LayerReport&) const = default;

  // As people read it: the node, with the part behind a dot.
  [[nodiscard]] std::string name() const { return part.empty() ? node : node + "." + part; }
};

struct OutputReport {
  std::string name{};
  double sqnr_db = 0.0;
  bool operator==(const OutputReport&) const = default;
};

// What was shown of all layers with int32 sums (plan/proofs.h): the worst figure of each kind.
struct ProofSummary {
  std::int64_t layers = 0;
  double largest_sum = 0.0;   // that an accumulator can hold; below 2^31
  double largest_bias = 0.0;  // as an integer, without sign; below 2^31
  std::optional<double>
      bias_error{};  // what rounding it costs, in steps of the layer's result; none: no result is quantized
  std::int64_t raised_rows = 0;  // whose scale had to be raised for it
  std::int64_t dead_rows = 0;    // all integers 0, the weights not
  bool operator==(const ProofSummary&) const = default;
};

struct Report {
  std::string model{};  // files, as the user gave them
  std::string output{};
  std::string output_sha256{};  // of the written file
  Recipe recipe{};
  std::string ocs_version{};
  std::string engine_version{};
  std::vector<LayerReport> layers{};     // in graph order; float layers too
  std::vector<Note> notes{};             // passes and planning
  std::optional<ProofSummary> proofs{};  // none: no layer has int32 sums
  std::vector<OutputReport>
      outputs{};  // measured on the first samples; empty: nothing was measured
  std::size_t measured_samples = 0;
  std::optional<double>
      agreement_percent{};  // same top-1 as float on the measured samples; only with class outputs
  std::int64_t calibration_samples = 0;
  double calibration_seconds = 0.0;
  bool synthetic = false;
  double seconds = 0.0;
  std::int64_t size_before = 0;  // bytes
  std::int64_t size_after = 0;
  std::int64_t macs_before = 0;  // of the layers listed, one item
  std::int64_t macs_after = 0;
};

}  // namespace ocs
