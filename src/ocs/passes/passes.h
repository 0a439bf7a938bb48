// The float -> equal float rewrites, in the order in which `quantize` calls them. Each is a free
// function from a model to a model; docs/reading.md says what each brings, the .cpp opens with a
// before/after sketch.
#pragma once

#include "ocs/passes/fold_batchnorm.h"
#include "ocs/passes/lift_constants.h"
#include "ocs/passes/name_nodes.h"
#include "ocs/passes/name_values.h"
#include "ocs/passes/normalize_gemm.h"
#include "ocs/passes/prune.h"
#include "ocs/passes/state_kernels.h"
#include "ocs/passes/upgrade_opset.h"
#include "ocs/passes/widen_to_float.h"
