// What the program says: answers to stdout, everything else to stderr.
#pragma once

#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/progress_line.h"
#include "ocs/core/json.h"
#include "ocs/core/samples.h"

namespace ocs::cli {

class Console {
 public:
  explicit Console(const CommonOptions& options);

  [[nodiscard]] const CommonOptions& options() const { return options_; }

  // The answer: what write_answer does, once the line of progress is gone.
  void answer(std::string_view text);
  void answer_json(const Json& json);

  void note(std::string_view text);    // unless --quiet
  void detail(std::string_view text);  // with --verbose only
  void warn(std::string_view text);    // always, behind "warning: "

  // Where long work reports to; valid as long as the console. Empty with --quiet.
  [[nodiscard]] Progress progress();
  // Ends the line that shows progress, for what is written next.
  void end_progress() { progress_.end(); }

 private:
  CommonOptions options_;
  ProgressLine progress_;
};

// The same options, with nothing said but warnings and errors.
[[nodiscard]] CommonOptions silenced(CommonOptions options);

// The text to stdout as it stands, at once. Throws Error(bad_input) where stdout does not take it.
void write_answer(std::string_view text);

// The sentence for an error: on stderr, and under --json as {"error", "code"} on stdout too.
void tell_error(std::string_view message, int code, bool json);

}  // namespace ocs::cli
