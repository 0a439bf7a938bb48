// The one way in which files are written: whole or not at all.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string_view>

namespace ocs {

// Writes a new file beside `file`, syncs it and renames it over `file`: a reader sees the old
// content or the new one, never a part, whatever ends the program. A symbolic link is followed,
// permissions of an existing file are kept; what is not a regular file (a pipe, /dev/null) is
// written directly. Throws Error(bad_input) naming the path where it cannot be written (no such
// folder, no permission, full disk); nothing is left behind.
void write_file(const std::filesystem::path& file, std::string_view bytes);

// The same for content that is made piece by piece. What `write` throws is passed on after cleaning
// up.
void write_file(const std::filesystem::path& file, const std::function<void(std::ostream&)>& write);

}  // namespace ocs
