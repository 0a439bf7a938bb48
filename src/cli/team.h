// The processes that mpirun started together with this one. The one door to MPI is team_mpi.cpp; a
// program built without it has team_alone.cpp in its place.
#pragma once

#include <string>

#include "cli/command.h"
#include "ocs/core/team.h"

namespace ocs::cli {

// This process among those that mpirun started; a team of one where mpirun did not start it. Called
// once, by the commands that share their work out. Unless --threads says how many, the cores of a
// machine are shared out among the members that run on it. Throws Error(bad_input) where the members
// are not of one build, and where there are several although this program was built without MPI.
[[nodiscard]] Team join_team(const CommonOptions& options);

// The last call of the program. With another code than 0 all members are ended, or they would wait
// for this one for ever.
void leave_team(int code);

// "rank 2: " in front of what this member says of errors; "" for rank 0 and without a team. An error
// that all members meet is told by rank 0 alone: the others wait here, and are ended meanwhile.
[[nodiscard]] std::string speaker_of_error();

}  // namespace ocs::cli
