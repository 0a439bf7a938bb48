#pragma once

#include <vector>

#include "ocs/core/note.h"
#include "ocs/graph/model.h"

namespace ocs {

// What every pass returns: the model, changed or not, and what it did to which node.
struct PassResult {
  Model model{};
  std::vector<Note> notes{};
};

}  // namespace ocs
