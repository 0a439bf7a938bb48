// ocs merge: statistics of parts of the data into those of the whole.
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "ocs/calibrate/stats_json.h"

namespace ocs::cli {
namespace {

struct Options {
  std::vector<std::string> parts{};
  std::string output{};
};

int run(const Options& options, Console& console) {
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

Run add(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_files(app, "STATS.json",
            "files that ocs quantize --save-stats wrote, of one model and recipe", options->parts);
  add_text(app, "-o,--output", "FILE", "where the whole goes", options->output)->required();
  return [options](Console& console) { return run(*options, console); };
}

}  // namespace

constinit const Command merge_command{
    .name = "merge",
    .summary = "Merge calibration statistics of parts of the data",
    .examples =
        "  ocs quantize net.onnx --calib images --shard 1/2 --save-stats part1.json\n"
        "  ocs quantize net.onnx --calib images --shard 2/2 --save-stats part2.json\n"
        "  ocs merge part1.json part2.json -o all.json\n"
        "  ocs quantize net.onnx -o net.int8.onnx --load-stats all.json\n",
    .add = add,
};

}  // namespace ocs::cli
