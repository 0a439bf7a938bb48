// SHA-256 (FIPS 180-4): names a file's content in reports, so that two runs can be compared at a
// glance.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace ocs {

class Sha256 {
 public:
  void add(std::string_view bytes);
  // The digest of all bytes added, as 64 lower-case hexadecimal digits. The object is used up.
  [[nodiscard]] std::string finish();

 private:
  void add_block(const std::uint8_t* block);

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> pending_{};
  std::uint64_t length_ = 0;  // bytes added
};

[[nodiscard]] std::string sha256(std::string_view bytes);
// Of a file's content, read in pieces. Throws Error(bad_input) naming the file where it cannot be
// read.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace ocs
