// The one header for users of the library: from a model's file to a quantized model's file. examples/quantize.cpp shows
// it in use. Errors are thrown as ocs::Error, which says whose fault it is and names file, node or tensor.
#pragma once

#include "ocs/core/error.h"           // Error
#include "ocs/core/parallel.h"        // how many threads work
#include "ocs/core/version.h"         // version()
#include "ocs/data/open_samples.h"    // calibration data from a path
#include "ocs/engine/onnx_runtime.h"  // the engine
#include "ocs/io/model_file.h"        // read_model(), write_model()
#include "ocs/pipeline/quantize.h"    // quantize()
#include "ocs/recipe/recipe.h"        // what to do
#include "ocs/recipe/recipe_json.h"   // the same as a file
#include "ocs/report/report_json.h"   // what was done, for programs
#include "ocs/report/report_text.h"   // what was done, for people
