#pragma once

#include <string_view>

namespace ocs {

// This program's version, "0.1.0": printed, and written into the metadata of every model it makes.
[[nodiscard]] std::string_view version();

}  // namespace ocs
