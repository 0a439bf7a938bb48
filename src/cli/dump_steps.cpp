#include "cli/dump_steps.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/core/write_file.h"
#include "ocs/graph/dump.h"

namespace ocs::cli {

Observer dump_observer(StepDump& dump, const std::filesystem::path& output) {
  if (dump.wanted.empty()) return {};
  return [&dump, output](std::string_view step, const Model& model) {
    dump.seen.emplace_back(step);
    const auto is_wanted = [&](const std::string& name) { return name == step || name == "all"; };
    if (std::ranges::none_of(dump.wanted, is_wanted)) return;
    const std::string file = fmt::format("{}.{}.txt", output.string(), step);
    write_file(file, ocs::dump(model));
    dump.files.push_back(file);
  };
}

void check_all_dumped(const StepDump& dump) {
  for (const std::string& name : dump.wanted) {
    if (name == "all" || std::ranges::find(dump.seen, name) != dump.seen.end()) continue;
    throw_bad_input(fmt::format("--dump-after: no step named '{}'{}; the steps were {}", name,
                                did_you_mean(name, dump.seen), fmt::join(dump.seen, ", ")));
  }
}

}  // namespace ocs::cli
