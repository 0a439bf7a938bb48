#pragma once

#include "ocs/core/error.h"
#include "ocs/graph/model.h"

namespace ocs {

// Structure: every name that is read resolves (bodies see outer values), one producer a value,
// topological order, the names of the nodes of one graph differ, graph outputs exist. Cheap: run
// after every pass. Throws Error(kind) naming node and value; the kind says whose fault it would
// be: `internal` behind a pass of ours, `bad_input` for a file.
void verify(const Model& model, Error::Kind kind = Error::Kind::internal);

}  // namespace ocs
