#pragma once

#include "ocs/core/error.h"
#include "ocs/graph/model.h"

namespace ocs {

// Every name that is read resolves (bodies see outer values), one producer a value, topological
// order, graph outputs exist. Throws Error(kind) naming node and value; the kind says whose fault
// it would be.
void check_values(const Model& model, Error::Kind kind);

// That, and the names of the nodes of one graph differ. Cheap: run after every pass. Throws
// Error(internal): a pass of ours went wrong.
void verify(const Model& model);

}  // namespace ocs
