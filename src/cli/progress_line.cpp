#include "cli/progress_line.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "ocs/report/figures.h"

namespace ocs::cli {
namespace {

constexpr double terminal_pause = 0.1;
constexpr double plain_pause = 10.0;
constexpr double worth_a_line = 1.0;
constexpr std::size_t bar_width = 24;

std::string bar(std::size_t done, std::size_t total) {
  const std::size_t full = total == 0 ? bar_width : bar_width * std::min(done, total) / total;
  return "[" + std::string(full, '#') + std::string(bar_width - full, '.') + "] ";
}

}  // namespace

std::string progress_text(const std::string& what, std::size_t done, std::size_t total,
                          double seconds) {
  std::string text = fmt::format("{} {}/{}", what, done, total);
  if (done >= total) return text + fmt::format(", {}", seconds_text(seconds));
  if (done == 0) return text;
  const double left = seconds / static_cast<double>(done) * static_cast<double>(total - done);
  return text + fmt::format(", about {} left", seconds_text(left));
}

ProgressLine::ProgressLine(Write write, bool is_terminal, Clock clock)
    : write_(std::move(write)), is_terminal_(is_terminal), clock_(std::move(clock)) {}

void ProgressLine::begin(const std::string& what, double now) {
  end();
  what_ = what;
  begun_ = now;
  written_ = is_terminal_ ? now - terminal_pause : now;
}

void ProgressLine::show(const std::string& what, std::size_t done, std::size_t total) {
  const double now = clock_();
  if (what != what_) begin(what, now);
  const bool finished = done >= total;
  const std::string text = progress_text(what, done, total, now - begun_);
  if (is_terminal_) {
    if (!finished && now - written_ < terminal_pause) return;
    write_(fmt::format("\r{}{}\x1b[K", bar(done, total), text));
    line_is_open_ = true;
  } else {
    if (finished ? now - begun_ < worth_a_line : now - written_ < plain_pause) return;
    write_(text + "\n");
  }
  written_ = now;
  if (finished) {
    end();
    what_.clear();
  }
}

void ProgressLine::end() {
  if (!line_is_open_) return;
  write_("\r\x1b[K");
  line_is_open_ = false;
}

}  // namespace ocs::cli
