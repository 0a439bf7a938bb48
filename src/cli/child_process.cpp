#include "cli/child_process.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ocs/core/error.h"

namespace ocs::cli {
namespace {

constexpr const char* self = "/proc/self/exe";

class Pipe {
 public:
  Pipe() {
    if (pipe(ends_.data()) != 0)
      throw_engine(fmt::format("no pipe for a child process: {}", std::strerror(errno)));
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  Pipe(Pipe&&) = delete;
  Pipe& operator=(Pipe&&) = delete;

  [[nodiscard]] int end(std::size_t which) const { return ends_.at(which); }
  void close_end(std::size_t which) {
    if (ends_.at(which) >= 0) ::close(ends_.at(which));
    ends_.at(which) = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

pid_t spawn(const std::vector<std::string>& words, const Pipe& output) {
  std::vector<std::string> held{"ocs"};
  held.insert(held.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : held) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output.end(1), STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, output.end(0));
  posix_spawn_file_actions_addclose(&actions, output.end(1));
  pid_t child = 0;
  const int failed = posix_spawn(&child, self, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0)
    throw_engine(fmt::format("a child process cannot be started: {}", std::strerror(failed)));
  return child;
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> piece{};
  while (true) {
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

std::string output_of_self(const std::vector<std::string>& words) {
  Pipe output;
  const pid_t child = spawn(words, output);
  output.close_end(1);
  std::string text = read_all(output.end(0));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status))
    throw_engine(fmt::format("a child process was ended by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0)
    throw_engine(fmt::format("a child process failed with code {}", WEXITSTATUS(status)));
  return text;
}

long peak_memory_of_self() {
  // Not getrusage: its figure survives exec and so tells of the parent. VmHWM is of this program alone.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("VmHWM:")) continue;
    long kibibytes = 0;
    std::istringstream(line.substr(6)) >> kibibytes;
    return kibibytes * 1024;
  }
  return 0;
}

}  // namespace ocs::cli
