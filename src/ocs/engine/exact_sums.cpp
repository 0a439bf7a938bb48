#include "ocs/engine/exact_sums.h"

#include "ocs/core/error.h"

namespace ocs {

RunModel open_with_exact_sums(const Engine& engine, const Model& model, EngineOptions options) {
  options.config = {{"session.x64quantprecision", "1"}};
  try {
    return engine(model, options);
  } catch (const Error& error) {
    if (error.kind() != Error::Kind::engine) throw;
  }
  options.config = {{"session.disable_quant_qdq", "1"}};
  return engine(model, options);
}

}  // namespace ocs
