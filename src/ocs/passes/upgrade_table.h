// What every opset from 8 to 25 changed in the standard operators, and what that asks of a model.
// Source: the ONNX operator changelog; tests/passes/operator_versions.txt lists what must be here.
#pragma once

#include <string_view>

namespace ocs {

class Rewrite;
using Rule = void (*)(Rewrite&);

constexpr int oldest_opset = 7;   // that upgrade_opset reads
constexpr int newest_opset = 25;  // that upgrade_opset writes

struct Change {
  enum class Effect {
    none,       // this opset did not touch the operator
    unchanged,  // it did; nodes mean the same as before, `reason` says why
    rewritten,  // `rule` makes nodes mean the same again, `reason` says what became different
    refused,    // no rule, `reason` says why
  };
  Effect effect = Effect::none;
  Rule rule = nullptr;
  std::string_view reason{};
};

[[nodiscard]] Change change_of(std::string_view op_type, int version);
// False for names that no opset from 7 to 25 has.
[[nodiscard]] bool is_standard_operator(std::string_view op_type);

}  // namespace ocs
