#include "cli/console.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "ocs/core/error.h"

namespace ocs::cli {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A full or closed stderr is nothing that could be told to anybody.
void write_error_stream(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
  (void)std::fflush(stderr);
}

}  // namespace

Console::Console(const CommonOptions& options)
    : options_(options), progress_(write_error_stream, isatty(STDERR_FILENO) == 1, seconds_now) {}

CommonOptions silenced(CommonOptions options) {
  options.quiet = true;
  options.verbose = false;
  return options;
}

void write_answer(std::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw_bad_input(
        fmt::format("the answer cannot be written to stdout: {}", std::strerror(errno)));
  }
}

void Console::answer(std::string_view text) {
  end_progress();
  write_answer(text);
}

void Console::answer_json(const Json& json) { answer(to_text(json) + "\n"); }

void Console::note(std::string_view text) {
  if (options_.quiet) return;
  end_progress();
  write_error_stream(fmt::format("{}\n", text));
}

void Console::detail(std::string_view text) {
  if (options_.verbose) note(text);
}

void Console::warn(std::string_view text) {
  end_progress();
  write_error_stream(fmt::format("warning: {}\n", text));
}

Progress Console::progress() {
  if (options_.quiet) return {};
  return [this](const std::string& what, std::size_t done, std::size_t total) {
    progress_.show(what, done, total);
  };
}

void tell_error(std::string_view message, int code, bool json) {
  write_error_stream(fmt::format("ocs: {}\n", message));
  if (!json) return;
  const Json answer = {{"error", message}, {"code", code}};
  try {
    write_answer(to_text(answer) + "\n");
  } catch (const Error&) {
    // stdout is gone: the sentence on stderr has to do.
  }
}

}  // namespace ocs::cli
