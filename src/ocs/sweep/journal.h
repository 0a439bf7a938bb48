// The finished points of a sweep, one line each, safe against being killed at any moment.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "ocs/core/json.h"
#include "ocs/sweep/result.h"

namespace ocs {

// DIR/journal.jsonl. Its first line is the head: what all its points have in common. Others may not
// write to it as long as the object lives.
class Journal {
 public:
  // Opens the journal, or begins one with `head`. A last line without line break, of a run that was
  // killed, is cut off. Throws Error(bad_input) naming the file, where the head is another one (and
  // in which key), where a line is broken (and which), where another process has it open, and where
  // it cannot be written.
  Journal(std::filesystem::path file, const Json& head);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  Journal(Journal&&) = delete;
  Journal& operator=(Journal&&) = delete;

  // nullptr where the point is not there yet. Valid as long as the journal.
  [[nodiscard]] const PointResult* find(const std::string& key) const;
  // The line is on the disk when this returns. Safe to call from several threads at once.
  const PointResult& add(PointResult result);
  // Whether opening cut off a line.
  [[nodiscard]] bool was_cut() const { return was_cut_; }

 private:
  void read(const Json& head);
  void append(const std::string& line) const;

  std::filesystem::path file_;
  int descriptor_ = -1;
  bool was_cut_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, PointResult> points_;
};

}  // namespace ocs
