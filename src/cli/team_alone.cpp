// For a program without MPI (cmake -DOCS_MPI=OFF, the default).
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "cli/team.h"
#include "ocs/core/error.h"

namespace ocs::cli {

Team join_team(const CommonOptions& /*options*/) {
  // What Open MPI and MPICH tell the processes that they start.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* size = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
    if (size == nullptr || std::string(size) == "1") continue;
    throw_bad_input(fmt::format(
        "mpirun started {} copies of an ocs that was built without MPI, and all would do the same: "
        "build it with -DOCS_MPI=ON, or give each its --shard",
        size));
  }
  return {};
}

void leave_team(int /*code*/) {}

std::string speaker_of_error() { return ""; }

}  // namespace ocs::cli
