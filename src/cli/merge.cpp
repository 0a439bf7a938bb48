// ocs merge: statistics of parts of the data, or shards of a sweep, into the whole.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "ocs/calibrate/stats_json.h"
#include "ocs/sweep/merge_journals.h"

namespace ocs::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> parts{};
  std::string output{};
};

int run_statistics(const Options& options, Console& console) {
  check_output(options.output, "-o");
  CalibrationStats whole = read_stats(options.parts.front());
  for (std::size_t i = 1; i < options.parts.size(); ++i) {
    while_doing(options.parts[i], [&] { merge(whole, read_stats(options.parts[i])); });
  }
  if (whole.origin) require_whole(*whole.origin);
  write_stats(whole, options.output);
  if (console.options().json) {
    console.answer_json({{"output", options.output},
                         {"samples", whole.samples},
                         {"tensors", whole.tensors.size()}});
  } else {
    console.answer(fmt::format("{}: {} samples, {} tensors\n", options.output, whole.samples,
                               whole.tensors.size()));
  }
  return exit_done;
}

int run_sweeps(const Options& options, Console& console) {
  make_output_folder(options.output, "-o");
  const std::size_t points =
      merge_journals({options.parts.begin(), options.parts.end()}, options.output);
  if (console.options().json) {
    console.answer_json({{"output", options.output}, {"points", points}});
  } else {
    console.answer(fmt::format("{}: {} points; ocs sweep SPEC.json -o {} writes the tables\n",
                               options.output, points, options.output));
  }
  return exit_done;
}

int run(const Options& options, Console& console) {
  const auto is_folder = [](const std::string& part) { return fs::is_directory(part); };
  if (std::ranges::none_of(options.parts, is_folder)) return run_statistics(options, console);
  for (const std::string& part : options.parts)
    if (!is_folder(part))
      throw_bad_input(fmt::format(
          "{}: is no folder, as other parts are: either folders of sweeps are merged, or files of "
          "statistics",
          part));
  return run_sweeps(options, console);
}

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_files(
      app, "PART",
      "files that ocs quantize --save-stats wrote, of one model and recipe; or folders of ocs "
      "sweep --shard",
      options->parts);
  add_text(app, "-o,--output", "FILE", "where the whole goes; a new folder for sweeps",
           options->output)
      ->required();
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command merge_command{
    .name = "merge",
    .summary = "Merge calibration statistics of parts of the data, or shards of a sweep",
    .examples =
        "  ocs merge part1.json part2.json -o all.json    # of ocs quantize --shard 1/2, 2/2 "
        "--save-stats\n"
        "  ocs quantize net.onnx -o net.int8.onnx --load-stats all.json\n"
        "  ocs merge build/clips-1 build/clips-2 -o build/clips    # of ocs sweep --shard 1/2, "
        "2/2\n",
    .add = add,
};

}  // namespace ocs::cli
