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

Journal::Journal(std::filesystem::path file, const Json& head) : file_(std::move(file)) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the system's interface
  descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_cannot_write(file_);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0)
      throw_bad_input(fmt::format("{}: another sweep is writing to it", file_.string()));
    while_doing(file_.string(), [&] { read(head); });
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

Journal::~Journal() { ::close(descriptor_); }

void Journal::read(const Json& head) {
  const std::string text = text_of(file_);
  // Lines are written whole with their break: what has none was cut by the end of its program.
  const std::size_t end = text.find_last_of('\n') + 1;  // npos + 1: none is whole
  if (end != text.size()) {
    if (::ftruncate(descriptor_, static_cast<off_t>(end)) != 0) throw_cannot_write(file_);
    was_cut_ = true;
  }
  if (end == 0) {
    append(head.dump());
    return;
  }
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < end;) {
    const std::size_t stop = text.find('\n', begin);
    const std::string name = fmt::format("line {}", ++number);
    const Json line = parse_json(std::string_view(text).substr(begin, stop - begin), name);
    begin = stop + 1;
    if (number == 1) {
      check_head(line, head);
      continue;
    }
    PointResult point = while_doing(name, [&] { return point_from_json(line); });
    std::string key = point.key;
    points_.insert_or_assign(std::move(key), std::move(point));
  }
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
  append(to_json(result).dump(-1, ' ', false, Json::error_handler_t::replace));
  std::string key = result.key;
  return points_.insert_or_assign(std::move(key), std::move(result)).first->second;
}

}  // namespace ocs
