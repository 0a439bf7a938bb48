#include "cli/output_file.h"

#include <system_error>

#include <fmt/format.h>
#include <unistd.h>

#include "ocs/core/error.h"

namespace ocs::cli {

void check_output(const std::filesystem::path& file, const char* option) {
  std::error_code error;
  const auto fail = [&](const std::string& reason) {
    throw_bad_input(fmt::format("{} {}: {}", option, file.string(), reason));
  };
  if (file.empty() || file.filename().empty()) fail("is no name of a file");
  if (std::filesystem::is_directory(file, error)) fail("is a folder");
  const auto parent = file.parent_path();
  const std::filesystem::path folder = parent.empty() ? std::filesystem::path(".") : parent;
  if (!std::filesystem::is_directory(folder, error))
    fail(fmt::format("there is no folder {}", folder.string()));
  // What is not a regular file (a device, a pipe) is written in place.
  if (std::filesystem::exists(file, error) && !std::filesystem::is_regular_file(file, error)) {
    if (access(file.c_str(), W_OK) != 0) fail("cannot be written: no permission");
  } else if (access(folder.c_str(), W_OK) != 0) {
    fail(fmt::format("folder {} cannot be written to: no permission", folder.string()));
  }
}

void make_output_folder(const std::filesystem::path& folder, const char* option) {
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (!std::filesystem::is_directory(folder)) {
    throw_bad_input(fmt::format("{} {}: is no folder and cannot be made: {}", option,
                                folder.string(), error ? error.message() : "a file has that name"));
  }
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  return std::filesystem::equivalent(a, b, error) && !error;
}

}  // namespace ocs::cli
