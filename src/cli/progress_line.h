// How far long work is: one line that is rewritten on a terminal, a few plain lines elsewhere.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace ocs::cli {

class ProgressLine {
 public:
  using Write = std::function<void(std::string_view)>;
  using Clock = std::function<double()>;  // seconds since some fixed moment

  ProgressLine(Write write, bool is_terminal, Clock clock);
  ~ProgressLine() { end(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ProgressLine(ProgressLine&&) = delete;
  ProgressLine& operator=(ProgressLine&&) = delete;

  // `done` of `total` units of the step `what`. A terminal is written to at most ten times a
  // second; elsewhere a line appears when a step has run for ten seconds and then every ten, and
  // when it ends after more than a second.
  void show(const std::string& what, std::size_t done, std::size_t total);
  // Clears the line on a terminal, so that something else can be written.
  void end();

 private:
  void begin(const std::string& what, double now);

  Write write_;
  bool is_terminal_;
  Clock clock_;
  std::string what_{};
  double begun_ = 0.0;
  double written_ = 0.0;
  bool line_is_open_ = false;
};

// "calibrate 123/512, about 12.1 s left"; without an estimate before the first unit is done.
[[nodiscard]] std::string progress_text(const std::string& what, std::size_t done,
                                        std::size_t total, double seconds);

}  // namespace ocs::cli
