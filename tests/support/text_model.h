// Models as text, for tests: every number that matters stands in the test itself.
//
//   text_model(R"(
//     ir 8; opset 13; opset com.microsoft 1;     # both may be left out: IR 8, opset 13
//     input x float[1, 3, ?, N];                 # ? : free extent, N : named free extent, float :
//     rank unknown, float[] : scalar init w float[4, 3, 3, 3] random 1;         # seeded normals;
//     `random 1 * 0.5` scales them init b float[4] {1, -2, 3e-2, nan};        # as many values as
//     the shape asks for init shape int64[2] {0, -1};  init zero float[4] zeros;  init one float[4]
//     ones;  init ramp float[4] range; conv: y = Conv(x, w, b) {pads = [1, 1, 1, 1], group = 1}; #
//     name: outputs = Operator(inputs) {attributes} p, = Split(y) {axis = 1};                  # a
//     node without a name; nothing between commas: left out z = com.microsoft.Gelu(p); # all before
//     the last dot is the domain c = Constant() {value = float[2] {1, 2}};  # 1 integer, 1.0 float,
//     "text", [..] list, tensor, graph r = If(cond) {then_branch = graph { t = Relu(z); output t;
//     }, else_branch = graph { output e; e = Neg(z); }}; info y float[1, 4, 8, 8]; # value_info
//     metadata "key" "value";
//     output z float[1, 4, 8, 8];                # or `output z` without type
//   )");
//
// Types: float double float16 bfloat16 int64 int32 int16 int8 uint8 uint16 uint32 uint64 bool
// string. A name with other characters than letters, digits and _ . / stands in quotes. A value of
// type float16 or bfloat16 must be exact in that type. Nothing is checked or sorted beyond the
// grammar: a test of what is broken can write what is broken.
#pragma once

#include <string_view>

#include "ocs/graph/model.h"

namespace ocs {

// Throws Error(bad_input) with the place in the text.
[[nodiscard]] Model text_model(std::string_view text);

}  // namespace ocs
