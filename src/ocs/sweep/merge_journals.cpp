#include "ocs/sweep/merge_journals.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/core/error.h"
#include "ocs/core/shard.h"
#include "ocs/core/write_file.h"
#include "ocs/sweep/journal.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

constexpr auto journal_name = "journal.jsonl";

class Merger {
 public:
  void add(const fs::path& folder) {
    JournalContent content = read_journal(folder / journal_name);
    if (content.head.is_null()) throw_bad_input("the journal is empty");
    include_shard(content.head);
    if (head_.is_null()) head_ = content.head;
    if (content.head != head_)
      throw_bad_input(fmt::format("holds points of another model or program ({}, before {})",
                                  content.head.dump(), head_.dump()));
    for (PointResult& point : content.points) include(std::move(point));
  }

  void require_all_shards() const {
    std::vector<std::string> missing;
    for (std::size_t index = 1; index <= shards_; ++index)
      if (!held_.contains(index))
        missing.push_back(to_text(Shard{.index = index, .count = shards_}));
    if (!missing.empty())
      throw_bad_input(fmt::format("shard {} of the sweep {} missing", fmt::join(missing, ", "),
                                  missing.size() == 1 ? "is" : "are"));
  }

  [[nodiscard]] std::string text() const {
    std::string lines = head_.dump() + "\n";
    for (const auto& [key, point] : points_) lines += journal_line(point) + "\n";
    return lines;
  }
  [[nodiscard]] std::size_t size() const { return points_.size(); }

 private:
  // Takes the shard out of the head: the whole has none.
  void include_shard(Json& head) {
    const auto text = value_or<std::string>(head, "shard", "1/1");
    const Shard shard = while_doing("line 1", [&] { return parse_shard(text); });
    head.erase("shard");
    if (shards_ != 0 && shard.count != shards_)
      throw_bad_input(fmt::format("is shard {}, those before are of {}", to_text(shard), shards_));
    shards_ = shard.count;
    // Whole sweeps may overlap: equal points are the same.
    if (!held_.insert(shard.index).second && shards_ > 1)
      throw_bad_input(fmt::format("is shard {}, which is there already", to_text(shard)));
  }

  void include(PointResult point) {
    if (!build_) build_ = point.build;
    if (point.build != *build_)
      throw_bad_input(fmt::format("holds points of another build of ocs ({}, before {})",
                                  point.build, *build_));
    const std::string name = point.column.empty() ? point.row : point.row + ", " + point.column;
    std::string key = point.key;
    const auto [found, is_new] = points_.try_emplace(std::move(key), point);
    if (!is_new && !same_result(found->second, point))
      throw_bad_input(fmt::format("the point '{}' came out otherwise before", name));
  }

  // Names are for readers, and no two runs take the same time.
  static bool same_result(const PointResult& a, PointResult b) {
    b.row = a.row;
    b.column = a.column;
    b.quantize_seconds = a.quantize_seconds;
    b.evaluate_seconds = a.evaluate_seconds;
    return a == b;
  }

  Json head_{};
  std::size_t shards_ = 0;
  std::set<std::size_t> held_{};
  std::optional<std::string> build_{};
  std::map<std::string, PointResult> points_{};
};

}  // namespace

std::size_t merge_journals(const std::vector<fs::path>& parts, const fs::path& folder) {
  if (fs::exists(folder / journal_name))
    throw_bad_input(fmt::format("{}: holds a sweep already: take a new folder", folder.string()));
  Merger merger;
  for (const fs::path& part : parts) while_doing(part.string(), [&] { merger.add(part); });
  merger.require_all_shards();
  for (const fs::path& part : parts)
    for (const auto& entry : fs::directory_iterator(part)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("stats-") && name.ends_with(".json"))
        fs::copy_file(entry.path(), folder / name, fs::copy_options::skip_existing);
    }
  write_file(folder / journal_name, merger.text());
  return merger.size();
}

}  // namespace ocs
