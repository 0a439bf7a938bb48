// Whether the ranges of activations have settled, for an early end of calibration (recipe key
// calib_settle).
#pragma once

#include <map>
#include <string>
#include <utility>

#include "ocs/calibrate/stats.h"
#include "ocs/recipe/recipe.h"

namespace ocs {

class SettledRanges {
 public:
  explicit SettledRanges(Recipe recipe) : recipe_(std::move(recipe)) {}

  // To be told the statistics round by round. Whether there was a round before and since then no
  // end of a tensor's range, as the recipe's clip method and grid choose it, has moved by more than
  // recipe.calib_settle times the length of the range.
  [[nodiscard]] bool operator()(const CalibrationStats& so_far);

 private:
  struct Range {
    double low = 0.0;
    double high = 0.0;
  };
  [[nodiscard]] std::map<std::string, Range> ranges(const CalibrationStats& stats) const;

  Recipe recipe_;
  std::map<std::string, Range> last_{};  // empty: no round yet
};

}  // namespace ocs
