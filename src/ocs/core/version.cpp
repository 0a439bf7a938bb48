#include "ocs/core/version.h"

namespace ocs {

std::string_view version() { return OCS_VERSION; }

}  // namespace ocs
