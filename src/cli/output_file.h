#pragma once

#include <filesystem>

namespace ocs::cli {

// Refuses, before any work is done, what could not be written at its end: a missing folder, one without permission, a folder as the
// file. Throws Error(bad_input) with `option` in front.
void check_output(const std::filesystem::path& file, const char* option);

// Makes the folder where it is missing; its parent exists. Throws Error(bad_input) with `option` in front.
void make_output_folder(const std::filesystem::path& folder, const char* option);

// Whether both name one file; false where either does not exist.
[[nodiscard]] bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace ocs::cli
