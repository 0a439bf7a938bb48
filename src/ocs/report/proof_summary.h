// The proofs of a plan (plan/proofs.h) as a report tells them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ocs/plan/proofs.h"
#include "ocs/report/report.h"

namespace ocs {

// Over all layers: the worst of each figure, sums of the counts. `proofs` are those of the plan.
[[nodiscard]] ProofSummary summarize(const std::vector<LayerProof>& proofs, const Plan& plan);

// In a line: "54 layers, worst accumulator 2^24.1 of 2^31, 2 rows rounded to 0".
[[nodiscard]] std::string proof_text(const ProofSummary& proofs);

// What was repaired in a layer, and what a reader should know: "3 rows: scale raised so that the bias fits int32; 2 rows round to 0";
// "" where there is nothing.
[[nodiscard]] std::string proof_remark(const RaisedRows& raised, std::int64_t dead_rows);

}  // namespace ocs
