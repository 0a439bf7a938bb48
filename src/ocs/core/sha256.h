// SHA-256 (FIPS 180-4): names a file's content in reports, so that two runs can be compared at a
// glance.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace ocs {

class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // The digest of all bytes added, as 64 lower-case hexadecimal digits. The object is used up.
  [[nodiscard]] std::string finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;  // OpenSSL's
};

[[nodiscard]] std::string sha256(std::string_view bytes);
// Of a file's content, read in pieces. Throws Error(bad_input) naming the file where it cannot be
// read.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace ocs
