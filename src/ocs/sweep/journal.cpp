#include "ocs/sweep/journal.h"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

[[noreturn]] void throw_cannot_write(const std::filesystem::path& file) {
  throw_bad_input(fmt::format("{}: cannot be written: {}", file.string(),
                              std::generic_category().message(errno)));
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return std::move(text).str();
}

// What a reader should know where a journal is not the one of this sweep.
void check_head(const Json& found, const Json& wanted) {
  for (const auto& [key, value] : wanted.items()) {
    const auto other = found.is_object() ? found.find(key) : found.end();
    if (other == found.end()) throw_bad_input(fmt::format("line 1 has no '{}'", key));
    if (*other != value) {
      throw_bad_input(fmt::format("holds points of another {} ({}, now {}): use another folder",
                                  key, other->dump(), value.dump()));
    }
  }
}

}  // namespace

JournalContent parse_journal(std::string_view text, const std::string& name) {
  return while_doing(name, [&] {
    JournalContent content;
    // Lines are written whole with their break.
    content.whole_bytes = text.find_last_of('\n') + 1;  // npos + 1: none is whole
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < content.whole_bytes;) {
      const std::size_t stop = text.find('\n', begin);
      const std::string line_name = fmt::format("line {}", ++number);
      Json line = parse_json(text.substr(begin, stop - begin), line_name);
      begin = stop + 1;
      if (number == 1) {
        content.head = std::move(line);
      } else {
        content.points.push_back(while_doing(line_name, [&] { return point_from_json(line); }));
      }
    }
    return content;
  });
}

JournalContent read_journal(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    throw_bad_input(fmt::format("{}: no such file", file.string()));
  return parse_journal(text_of(file), file.string());
}

std::string journal_line(const PointResult& point) {
  return to_json(point).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Journal::Journal(std::filesystem::path file, const Json& head)
    : file_(std::move(file)), head_(head) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the system's interface
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_cannot_write(file_);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0)
      throw_bad_input(fmt::format("{}: another sweep is writing to it", file_.string()));
    read();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

Journal::~Journal() { ::close(descriptor_); }

void Journal::read() {
  const std::string text = text_of(file_);
  JournalContent content = parse_journal(text, file_.string());
  if (content.whole_bytes != text.size()) {
    if (::ftruncate(descriptor_, static_cast<off_t>(content.whole_bytes)) != 0)
      throw_cannot_write(file_);
    was_cut_ = true;
  }
  if (content.head.is_null()) {
    append(head_.dump());
    return;
  }
  while_doing(file_.string(), [&] { check_head(content.head, head_); });
  for (PointResult& point : content.points) {
    std::string key = point.key;
    points_.insert_or_assign(std::move(key), std::move(point));
  }
}

void Journal::remember(std::string_view lines) {
  const std::scoped_lock lock(mutex_);
  // As behind a head.
  for (PointResult& point : parse_journal("{}\n" + std::string(lines), "points of rank 0").points) {
    std::string key = point.key;
    points_.try_emplace(std::move(key), std::move(point));
  }
}

std::string Journal::lines() const {
  const std::scoped_lock lock(mutex_);
  std::string text;
  for (const auto& [key, point] : points_) text += journal_line(point) + "\n";
  return text;
}

void Journal::absorb(const std::filesystem::path& other) {
  JournalContent content = read_journal(other);
  // Without a head its program ended before it had done anything.
  if (!content.head.is_null())
    while_doing(other.string(), [&] { check_head(content.head, head_); });
  for (PointResult& point : content.points)
    if (find(point.key) == nullptr) add(std::move(point));
  std::filesystem::remove(other);
}

void Journal::append(const std::string& line) const {
  const std::string bytes = line + "\n";
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t count = ::write(descriptor_, bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_cannot_write(file_);
    written += static_cast<std::size_t>(count);
  }
  if (::fsync(descriptor_) != 0 && errno != EINVAL) throw_cannot_write(file_);
}

const PointResult* Journal::find(const std::string& key) const {
  const std::scoped_lock lock(mutex_);
  const auto found = points_.find(key);
  return found == points_.end() ? nullptr : &found->second;
}

const PointResult& Journal::add(PointResult result) {
  const std::scoped_lock lock(mutex_);
  append(journal_line(result));
  std::string key = result.key;
  return points_.insert_or_assign(std::move(key), std::move(result)).first->second;
}

}  // namespace ocs
