#include "support/run_program.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ocs {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A file that nobody else uses; gone with the object.
class ScratchName {
 public:
  ScratchName() {
    std::string name = (fs::temp_directory_path() / "ocs_run_XXXXXX").string();
    const int descriptor = mkstemp(name.data());
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), name);
    ::close(descriptor);
    path_ = name;
  }
  ~ScratchName() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  ScratchName(const ScratchName&) = delete;
  ScratchName& operator=(const ScratchName&) = delete;
  ScratchName(ScratchName&&) = delete;
  ScratchName& operator=(ScratchName&&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// In the child, between fork and exec: nothing but system calls.
[[noreturn]] void become(const fs::path& program, char* const* words, const fs::path& folder,
                         const fs::path& out, const fs::path& err) {
  const auto redirect = [](const char* file, int flags, int descriptor) {
    const int opened = ::open(file, flags, 0600);
    if (opened < 0 || ::dup2(opened, descriptor) < 0) _exit(127);
  };
  redirect("/dev/null", O_RDONLY, STDIN_FILENO);
  redirect(out.c_str(), O_WRONLY | O_TRUNC, STDOUT_FILENO);
  redirect(err.c_str(), O_WRONLY | O_TRUNC, STDERR_FILENO);
  if (::chdir(folder.c_str()) != 0) _exit(127);
  ::execv(program.c_str(), words);
  _exit(127);
}

}  // namespace

ProgramRun run_program(const fs::path& program, const std::vector<std::string>& words,
                       const fs::path& folder, const fs::path& out_file) {
  const ScratchName out;
  const ScratchName err;
  std::vector<std::string> held{program.filename().string()};
  held.insert(held.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : held) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0)
    become(program, arguments.data(), folder, out_file.empty() ? out.path() : out_file, err.path());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
          .out = content_of(out.path()),
          .err = content_of(err.path())};
}

std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words;
  bool inside = false;
  char quote = '\0';
  for (const char c : line) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        words.back() += c;
      }
    } else if (c == ' ') {
      inside = false;
    } else {
      if (!inside) words.emplace_back();
      inside = true;
      if (c == '\'' || c == '"') {
        quote = c;
      } else {
        words.back() += c;
      }
    }
  }
  if (quote != '\0') throw std::invalid_argument("a quote is not closed: " + line);
  return words;
}

}  // namespace ocs
