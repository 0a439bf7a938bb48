#include "ocs/report/proof_summary.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ocs {
namespace {

void add(std::string& text, std::int64_t rows, std::string_view what) {
  if (rows == 0) return;
  text += fmt::format("{}{} row{}{}", text.empty() ? "" : "; ", rows, rows == 1 ? "" : "s", what);
}

}  // namespace

ProofSummary summarize(const std::vector<LayerProof>& proofs, const Plan& plan) {
  ProofSummary summary{.layers = static_cast<std::int64_t>(proofs.size())};
  for (const LayerProof& proof : proofs) {
    summary.largest_sum = std::max(summary.largest_sum, proof.largest_sum);
    summary.largest_bias = std::max(summary.largest_bias, proof.largest_bias);
    if (proof.bias_error)
      summary.bias_error = std::max(summary.bias_error.value_or(0.0), *proof.bias_error);
    summary.dead_rows += proof.dead_rows;
  }
  for (const LayerPlan& layer : plan.layers) summary.raised_rows += layer.raised.rows();
  return summary;
}

std::string proof_text(const ProofSummary& proofs) {
  std::string text =
      fmt::format("{} layer{}, worst accumulator 2^{:.1f} of 2^31", proofs.layers,
                  proofs.layers == 1 ? "" : "s", std::log2(std::max(proofs.largest_sum, 1.0)));
  const auto add_rows = [&](std::int64_t rows, std::string_view what) {
    if (rows > 0) text += fmt::format(", {} row{} {}", rows, rows == 1 ? "" : "s", what);
  };
  add_rows(proofs.raised_rows, "with a raised scale");
  add_rows(proofs.dead_rows, "rounded to 0");
  return text;
}

std::string proof_remark(const RaisedRows& raised, std::int64_t dead_rows) {
  std::string text;
  add(text, raised.for_bias, ": scale raised so that the bias fits int32");
  add(text, raised.for_sum, ": scale raised so that int32 sums cannot overflow");
  add(text, raised.for_scale, ": scale raised above denormal numbers");
  add(text, dead_rows, " rounded to 0");
  return text;
}

}  // namespace ocs
