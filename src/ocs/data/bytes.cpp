#include "ocs/data/bytes.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string last_error() { return std::strerror(errno); }  // glibc's is safe between threads

void read_from(const Descriptor& file, std::uint64_t offset, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t got =
        ::pread(file.number(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_bad_input("cannot be read: " + last_error());
    if (got == 0) throw_bad_input(fmt::format("the file ends at byte {}", offset));
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

void check_inside(std::uint64_t whole, std::uint64_t offset, std::uint64_t size) {
  if (offset > whole || size > whole - offset) {
    throw_bad_input(fmt::format("{} bytes are needed from byte {} on, the data ends at byte {}",
                                size, offset, whole));
  }
}

Bytes bytes_of(std::shared_ptr<const Descriptor> file, std::uint64_t size) {
  return {
      .size = size,
      .read = [file = std::move(file), size](std::uint64_t offset, std::span<std::uint8_t> into) {
        check_inside(size, offset, into.size());
        read_from(*file, offset, into);
      }};
}

}  // namespace

Bytes bytes_of_file(const std::filesystem::path& path) {
  const auto file = std::make_shared<const Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file->number() < 0 || ::fstat(file->number(), &status) != 0)
    throw_bad_input("cannot be read: " + last_error());
  if (!S_ISREG(status.st_mode)) throw_bad_input("not a regular file");
  return bytes_of(file, static_cast<std::uint64_t>(status.st_size));
}

Bytes bytes_of_memory(std::vector<std::uint8_t> memory) {
  const auto held = std::make_shared<const std::vector<std::uint8_t>>(std::move(memory));
  return {.size = held->size(), .read = [held](std::uint64_t offset, std::span<std::uint8_t> into) {
            check_inside(held->size(), offset, into.size());
            std::copy_n(held->data() + offset, into.size(), into.data());
          }};
}

Bytes part_of(const Bytes& whole, std::uint64_t offset, std::uint64_t size) {
  check_inside(whole.size, offset, size);
  return {.size = size,
          .read = [whole, offset, size](std::uint64_t at, std::span<std::uint8_t> into) {
            check_inside(size, at, into.size());
            whole.read(offset + at, into);
          }};
}

std::vector<std::uint8_t> read_all(const Bytes& bytes) { return read_part(bytes, 0, bytes.size); }

std::vector<std::uint8_t> read_part(const Bytes& bytes, std::uint64_t offset, std::uint64_t size) {
  check_inside(bytes.size, offset, size);  // before the memory is asked for
  std::vector<std::uint8_t> part(size);
  bytes.read(offset, part);
  return part;
}

struct ScratchFile::Impl {
  std::shared_ptr<const Descriptor> file{};
  std::uint64_t size = 0;
  std::filesystem::path folder{};
};

void ScratchFile::append(std::span<const std::uint8_t> bytes) {
  if (!impl_) {
    const std::filesystem::path folder = std::filesystem::temp_directory_path();
    std::string name = (folder / "ocs-XXXXXX").string();
    const auto file = std::make_shared<const Descriptor>(::mkostemp(name.data(), O_CLOEXEC));
    if (file->number() < 0)
      throw_bad_input(folder.string() + ": cannot hold a temporary file: " + last_error());
    ::unlink(name.c_str());
    impl_ = std::make_shared<Impl>(Impl{.file = file, .size = 0, .folder = folder});
  }
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(impl_->file->number(), bytes.data(), bytes.size(),
                                  static_cast<off_t>(impl_->size));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0)
      throw_bad_input(impl_->folder.string() + ": cannot hold the unpacked data: " + last_error());
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    impl_->size += static_cast<std::uint64_t>(done);
  }
}

std::uint64_t ScratchFile::size() const { return impl_ ? impl_->size : 0; }

Bytes ScratchFile::bytes() const {
  if (!impl_) return bytes_of_memory({});
  return bytes_of(impl_->file, impl_->size);
}

}  // namespace ocs
