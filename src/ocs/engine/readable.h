#pragma once

#include <string>
#include <string_view>

namespace ocs {

// The first line of a message of the engine, without the place in its source that stands before or
// inside it:
// "/onnxruntime_src/x.h:46 void f(const A&, int) Opset 99 is ..." -> "Opset 99 is ..."
[[nodiscard]] std::string readable(std::string_view message);

}  // namespace ocs
