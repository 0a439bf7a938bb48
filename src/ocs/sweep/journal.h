// The finished points of a sweep, one line each, safe against being killed at any moment.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/sweep/result.h"

namespace ocs {

// What a journal's file holds.
struct JournalContent {
  Json head{};                        // null: not even the first line is whole
  std::vector<PointResult> points{};  // in the order of the lines
  std::size_t whole_bytes =
      0;  // up to the last line break: what comes behind was cut by the end of its program
};
// Throws Error(bad_input) naming the line that is broken; `name` of the file for messages.
[[nodiscard]] JournalContent parse_journal(std::string_view text, const std::string& name);
[[nodiscard]] JournalContent read_journal(const std::filesystem::path& file);
// A point's line, without the break.
[[nodiscard]] std::string journal_line(const PointResult& point);

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
  // Takes points that others have on their disks: this journal's file stays as it is.
  void remember(std::string_view lines);
  // All points, a line each, in the order of their keys.
  [[nodiscard]] std::string lines() const;
  // Adds the points of another journal, which goes away. Throws what the constructor throws for one with another head.
  void absorb(const std::filesystem::path& other);
  // Whether opening cut off a line.
  [[nodiscard]] bool was_cut() const { return was_cut_; }

 private:
  void read();
  void append(const std::string& line) const;

  std::filesystem::path file_;
  Json head_;
  int descriptor_ = -1;
  bool was_cut_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, PointResult> points_;
};

}  // namespace ocs
