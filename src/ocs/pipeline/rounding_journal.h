// What a rounding that looks at the data has found, layer by layer on disk: a run that was cut off goes on (docs/rounding.md).
#pragma once

#include <filesystem>
#include <string>

#include "ocs/plan/plan.h"

namespace ocs {

class RoundingJournal {
 public:
  // In this folder, which is made where it is missing. `key` names all that the results depend on: model, recipe, data, program. Throws
  // Error(bad_input) naming the folder where it cannot be written, or holds layers of another key or anything else.
  RoundingJournal(std::filesystem::path folder, std::string key);

  // Integers, scales and bias of this layer are those of an earlier run, true; or nothing is known of it, false. Throws
  // Error(bad_input) naming the file where it is broken.
  [[nodiscard]] bool restore(LayerPlan& layer) const;
  // Written whole or not at all. Safe for several layers at once.
  void keep(const LayerPlan& layer) const;
  // The work is done: what was kept is removed, and the folder if nothing else is in it.
  void clear() const;

 private:
  [[nodiscard]] std::filesystem::path file_of(const LayerPlan& layer) const;

  std::filesystem::path folder_{};
  std::string key_{};
};

}  // namespace ocs
