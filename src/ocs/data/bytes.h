// Bytes of a file, a part of a file, or memory: what the readers of array files work on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ocs {

struct Bytes {
  std::uint64_t size = 0;
  // Fills `into` from `offset` on; safe to call from several threads at once. Throws
  // Error(bad_input) where the bytes end before that, and where the file cannot be read.
  std::function<void(std::uint64_t offset, std::span<std::uint8_t> into)> read{};
};

// The file stays open as long as the result or a copy of it lives. Throws Error(bad_input), without
// the file's name, where it cannot be opened or is no regular file.
[[nodiscard]] Bytes bytes_of_file(const std::filesystem::path& file);
[[nodiscard]] Bytes bytes_of_memory(std::vector<std::uint8_t> memory);

// [offset, offset + size) of `whole`. Throws Error(bad_input) where that is not inside.
[[nodiscard]] Bytes part_of(const Bytes& whole, std::uint64_t offset, std::uint64_t size);

// All of them, or `size` from `offset` on.
[[nodiscard]] std::vector<std::uint8_t> read_all(const Bytes& bytes);
[[nodiscard]] std::vector<std::uint8_t> read_part(const Bytes& bytes, std::uint64_t offset,
                                                  std::uint64_t size);

// A file without a name that goes away with the last copy of the object: what has been unpacked and
// is too large for memory. Lies where std::filesystem::temp_directory_path() says. Not for use by
// several threads while it grows.
class ScratchFile {
 public:
  // Appends; throws Error(bad_input) naming the folder where there is no space.
  void append(std::span<const std::uint8_t> bytes);
  // Of what has been appended so far.
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] Bytes bytes() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_{};  // made by the first append
};

}  // namespace ocs
