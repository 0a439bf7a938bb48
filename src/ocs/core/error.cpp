#include "ocs/core/error.h"

namespace ocs {

void throw_bad_input(const std::string& message) { throw Error(Error::Kind::bad_input, message); }
void throw_unsupported(const std::string& message) {
  throw Error(Error::Kind::unsupported, message);
}
void throw_engine(const std::string& message) { throw Error(Error::Kind::engine, message); }
void throw_internal(const std::string& message) { throw Error(Error::Kind::internal, message); }

}  // namespace ocs
