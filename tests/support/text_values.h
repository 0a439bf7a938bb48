// The tensors of a text model: type, shape and values.
#pragma once

#include <onnx/onnx_pb.h>

#include "support/tokens.h"

namespace ocs {

// TYPE or TYPE[dims] as the type of a port. No brackets: no shape.
[[nodiscard]] onnx::TypeProto read_type(TokenReader& reader);
[[nodiscard]] bool is_type_name(std::string_view word);

// TYPE[dims] {values}, `random SEED [* SCALE]`, `zeros`, `ones` or `range`, as a tensor of this
// name.
[[nodiscard]] onnx::TensorProto read_tensor(TokenReader& reader, const std::string& name);

[[nodiscard]] std::int64_t read_integer(TokenReader& reader);
[[nodiscard]] double read_number(TokenReader& reader);
[[nodiscard]] bool is_integer(std::string_view word);

}  // namespace ocs
