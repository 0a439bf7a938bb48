// What engines other than ONNX Runtime's CPU provider take, from their documents: none of it is held against the engine. One row a rule.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ocs/lint/judge.h"

namespace ocs {

// What a row looks at.
struct AcceptanceQuestion {
  const JudgeInput& input;
  const Step& step;
  const Surroundings& around;
  const Step* behind = nullptr;  // the QuantizeLinear of the result, past an activation function
  bool has_weights = false;      // Conv and the like: input 1 holds weights, input 2 a bias
};

struct AcceptanceRow {
  LintRule rule{};
  std::string_view targets{};  // names, blanks between
  std::string_view what{};     // what is asked
  std::string_view source{};
  std::string (*complaint)(const AcceptanceQuestion& question) = nullptr;  // "": met
};

[[nodiscard]] std::span<const AcceptanceRow> acceptance_rows();
[[nodiscard]] bool names_target(const AcceptanceRow& row, std::string_view target);

// The verdict for one of these engines; the graph as it stands in the model.
[[nodiscard]] Verdict judge_acceptance(const JudgeInput& input, const Step& step);

}  // namespace ocs
