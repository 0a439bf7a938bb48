#include "ocs/clip/bounded.h"
#include "ocs/clip/clip.h"
#include "ocs/clip/step_search.h"

namespace ocs {

// On the unsigned grid a negative value would be rounded to 0 at every threshold.
float threshold(const MseClip&, const ClipInput& input) {
  const std::int32_t steps = input.grid.steps();
  const CountedValues values = counted_values(input);
  const StepProblem problem =
      step_problem(values, -input.max_abs(), input.max_abs(),
                   {.lowest = input.grid.is_signed ? -steps : 0, .highest = steps});
  if (problem.widest < least_widest_step) return input.max_abs();  // zeros, or nearly so
  return bounded_threshold(best_step(problem).step * steps, input.max_abs());
}

}  // namespace ocs
