// The one exception type of the library. An error says what was being done and shows the user's own words.
//
// Throw what ends the run; return what is part of the answer ("cannot be split" is a value with a reason).
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ocs {

class Error : public std::runtime_error {
 public:
  // Whose fault it is; src/cli maps each kind to an exit code.
  enum class Kind {
    bad_input,    // the user's file, data or option is wrong: exit code 2
    unsupported,  // a valid model that this build cannot handle: exit code 3
    engine,       // the inference engine failed: exit code 4
    internal,     // a bug of ours: exit code 70
  };

  Error(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

[[noreturn]] void throw_bad_input(const std::string& message);
[[noreturn]] void throw_unsupported(const std::string& message);
[[noreturn]] void throw_engine(const std::string& message);
[[noreturn]] void throw_internal(const std::string& message);

// Runs `work`; an Error that leaves it gets "what: " in front of its message.
//   while_doing("recipe.json, weight_clip", [&] { return clip_named(text); });
template <std::invocable Work>
auto while_doing(std::string_view what, Work&& work) -> decltype(std::forward<Work>(work)()) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Error(error.kind(), std::string(what) + ": " + error.what());
  }
}

}  // namespace ocs
