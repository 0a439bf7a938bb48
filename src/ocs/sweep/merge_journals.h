// The finished points of shards of a sweep, in one folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace ocs {

// Writes folder/journal.jsonl, in the order of the keys, with the points of all journals, and copies
// the statistics that lie beside them; `folder` exists. Returns the number of points. Throws
// Error(bad_input) naming the folder for journals that are not of one model, version and engine, or
// not of one build; shards of several counts, one that is there twice or (naming it) missing; a
// point that came out otherwise in two of them; and a folder that has a journal already. The
// journals stay as they are.
std::size_t merge_journals(const std::vector<std::filesystem::path>& parts,
                           const std::filesystem::path& folder);

}  // namespace ocs
