// Uses the installed library: its headers, its archives and ONNX Runtime through it.
#include <iostream>

#include "ocs/core/version.h"
#include "ocs/engine/onnx_runtime.h"

int main() {
  std::cout << "ocs " << ocs::version() << " with ONNX Runtime " << ocs::onnx_runtime_version()
            << '\n';
}
