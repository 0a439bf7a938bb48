// What a step did, or declined to do, to one node. Notes end in the report.
#pragma once

#include <string>

namespace ocs {

struct Note {
  std::string node{};
  std::string text{};
  bool operator==(const Note&) const = default;
};

}  // namespace ocs
