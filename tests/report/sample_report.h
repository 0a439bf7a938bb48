// A report with everything in it, for the tests of its forms.
#pragma once

#include "ocs/report/report.h"

namespace ocs {

inline Report sample_report() {
  Report report;
  report.model = "net.onnx";
  report.output = "net.int8.onnx";
  report.output_sha256 = "0123abcd";
  report.recipe = built_in_recipe("int8");
  report.ocs_version = "0.1.0";
  report.engine_version = "1.32.0";
  report.layers = {
      {.node = "conv1",
       .op = "Conv",
       .quantized = true,
       .weight_bits = 8,
       .act_bits = 8,
       .copies = 4,
       .form = "slice",
       .sqnr_db = 31.25,
       .predicted_sqnr_db = 44.0,
       .weights = 36,
       .extra_weights = 9,
       .activations = 200,
       .extra_activations = 40,
       .macs = 2000000,
       .extra_macs = 100000},
      {.node = "conv<2>", .op = "Conv", .reason = "kept by pattern 'conv<2>'", .macs = 500000},
      {.node = "lstm", .op = "LSTM", .reason = "recurrent operators stay float"},
      {.node = "gru", .op = "GRU", .reason = "recurrent operators stay float"},
      {.node = "fc",
       .op = "Gemm",
       .quantized = true,
       .weight_bits = 4,
       .predicted_sqnr_db = 20.5,
       .macs = 1000},
  };
  report.notes = {{.node = "bn", .text = "folded into conv1"}, {.text = "opset 11 -> 13"}};
  report.proofs = {.layers = 2,
                   .largest_sum = 16777216.0,
                   .largest_bias = 1024.0,
                   .bias_error = 0.25,
                   .raised_rows = 3,
                   .dead_rows = 1};
  report.outputs = {{.name = "y", .sqnr_db = 27.5}, {.name = "z", .sqnr_db = 200.0}};
  report.measured_samples = 16;
  report.agreement_percent = 93.75;
  report.calibration_samples = 512;
  report.calibration_seconds = 12.14;
  report.seconds = 20.0;
  report.size_before = 102100000;
  report.size_after = 26000000;
  report.macs_before = 2501000;
  report.macs_after = 2601000;
  return report;
}

}  // namespace ocs
