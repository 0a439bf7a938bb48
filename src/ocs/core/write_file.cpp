#include "ocs/core/write_file.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <ostream>
#include <streambuf>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_cannot_write(const fs::path& file, int error) {
  throw_bad_input(file.string() + ": cannot be written: " + std::generic_category().message(error));
}

// A descriptor as the buffer of a stream; remembers why a write failed, which std::ofstream does
// not tell.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
    setp(buffer_.data(), buffer_.data() + buffer_.size());
  }
  [[nodiscard]] int error() const { return error_; }

 protected:
  int_type overflow(int_type character) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(character, traits_type::eof()))
      sputc(traits_type::to_char_type(character));
    return traits_type::not_eof(character);
  }

  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    if (count < epptr() - pptr()) return std::streambuf::xsputn(bytes, count);
    // Large pieces (weights) go straight to the file.
    if (sync() != 0 || !write_all(bytes, static_cast<std::size_t>(count))) return 0;
    return count;
  }

  int sync() override {
    const bool written = write_all(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    setp(buffer_.data(), buffer_.data() + buffer_.size());
    return written ? 0 : -1;
  }

 private:
  bool write_all(const char* bytes, std::size_t count) {
    while (count > 0) {
      const ssize_t written = ::write(descriptor_, bytes, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        error_ = errno;
        return false;
      }
      bytes += written;
      count -= static_cast<std::size_t>(written);
    }
    return true;
  }

  int descriptor_;
  int error_ = 0;
  std::array<char, std::size_t{1} << 16U> buffer_{};
};

// An open file that is closed, and removed unless it was renamed, whatever happens in between.
class Descriptor {
 public:
  Descriptor(fs::path path, int flags) : path_(std::move(path)) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the system's interface
    descriptor_ = ::open(path_.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666);
    error_ = descriptor_ < 0 ? errno : 0;
  }
  ~Descriptor() {
    close();
    if (remove_) ::unlink(path_.c_str());
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void remove_at_end(bool remove) { remove_ = remove; }
  // 0, or why the last bytes did not arrive.
  int close() {
    const int result = descriptor_ < 0 ? 0 : ::close(descriptor_);
    descriptor_ = -1;
    return result == 0 ? 0 : errno;
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
  int error_ = 0;
  bool remove_ = false;
};

void write_content(const Descriptor& out, const fs::path& file,
                   const std::function<void(std::ostream&)>& write) {
  DescriptorBuffer buffer(out.get());
  std::ostream stream(&buffer);
  write(stream);
  stream.flush();
  if (!stream.good()) throw_cannot_write(file, buffer.error() != 0 ? buffer.error() : EIO);
}

// `file` with a symbolic link replaced by what it points to, so that a rename does not replace the
// link.
fs::path target_of(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_symlink(file, ignored)) return file;
  const fs::path target = fs::weakly_canonical(file, ignored);
  return ignored ? file : target;
}

void sync_folder(const fs::path& folder) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the system's interface
  const int descriptor =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return;  // the file is complete under its name; only a crash of the machine could undo that
  ::fsync(descriptor);
  ::close(descriptor);
}

fs::path temporary_beside(const fs::path& file) {
  static std::atomic<unsigned> counter{0};
  const std::string name = fmt::format(".{}.{}.{}.tmp", file.filename().string().substr(0, 200),
                                       ::getpid(), counter.fetch_add(1));
  return file.parent_path() / name;
}

}  // namespace

void write_file(const fs::path& file, const std::function<void(std::ostream&)>& write) {
  const fs::path target = target_of(file);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) throw_cannot_write(file, EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {
    Descriptor out(target, 0);
    if (out.error() != 0) throw_cannot_write(file, out.error());
    write_content(out, file, write);
    if (const int error = out.close(); error != 0) throw_cannot_write(file, error);
    return;
  }
  if (exists && ::access(target.c_str(), W_OK) != 0) throw_cannot_write(file, errno);
  Descriptor out(temporary_beside(target), O_CREAT | O_EXCL);
  if (out.error() != 0) throw_cannot_write(file, out.error());
  out.remove_at_end(true);
  if (exists && ::fchmod(out.get(), old.st_mode & 07777U) != 0) throw_cannot_write(file, errno);
  write_content(out, file, write);
  if (::fsync(out.get()) != 0) throw_cannot_write(file, errno);
  if (const int error = out.close(); error != 0) throw_cannot_write(file, error);
  if (::rename(out.path().c_str(), target.c_str()) != 0) throw_cannot_write(file, errno);
  out.remove_at_end(false);
  sync_folder(target.parent_path());
}

void write_file(const fs::path& file, std::string_view bytes) {
  write_file(file, [bytes](std::ostream& out) {
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
}

}  // namespace ocs
