// Processes that do one piece of work together. The library knows them as functions only; src/cli
// fills these in with MPI.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ocs {

// Gives the next number that no member has got yet, nothing once all are given. May be called from
// several threads at once.
using Deal = std::function<std::optional<std::size_t>()>;

// Each function is called by every member, in the same order, from one thread at a time.
struct Team {
  std::size_t rank = 0;  // of [0, size)
  std::size_t size = 1;
  std::size_t on_this_machine = 1;  // members that share its cores and memory, this one included
  // The texts of all members, in order of their ranks, at rank 0; nothing at the others.
  std::function<std::vector<std::string>(const std::string& text)> gather{};
  // The text of rank 0 at every member.
  std::function<std::string(const std::string& text)> broadcast{};
  // Numbers of [0, count), each for one member: whoever is done first gets the next. The deal must
  // have given nothing, and be gone, before another function is called.
  std::function<Deal(std::size_t count)> deal{};

  [[nodiscard]] bool alone() const { return size == 1; }
};

}  // namespace ocs
