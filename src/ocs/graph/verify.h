#pragma once

#include "ocs/graph/model.h"

namespace ocs {

// Structure: every name that is read resolves (bodies see outer values), one producer a value, topological order, named nodes are
// unique, graph outputs exist. Cheap: run after every pass. Throws Error(kind) naming node and value.
void verify(const Model& model);

}  // namespace ocs
