#include "cli/data_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/options.h"
#include "ocs/core/error.h"
#include "ocs/data/open_samples.h"

namespace ocs::cli {
namespace {

constexpr std::string_view warning = "warning: ";

void tell_first_sample(const Samples& samples, const std::vector<Port>& inputs,
                       const DataOptions& options, Console& console) {
  for (const std::string& line : check_first_sample(samples, inputs, options)) {
    if (line.starts_with(warning)) {
      console.warn(line.substr(warning.size()));
    } else {
      console.note(line);
    }
  }
}

}  // namespace

void add_data_options(CLI::App& app, const std::string& names, DataArguments& arguments) {
  const std::string group = "Data";
  arguments.option = names.substr(0, names.find(','));
  add_text(app, names, "DATA",
           "samples: a folder of images or .npy/.npz files, a list file, test_data_set_* folders, "
           "CIFAR-10 or raw float32 .bin files",
           arguments.path)
      ->group(group);
  add_text(app, "--format", "FORM",
           fmt::format("what DATA holds: {} (default: by what is there)",
                       fmt::join(data_formats(), ", ")),
           arguments.format)
      ->group(group);
  add_text(app, "--preprocess", "P",
           fmt::format("how pixels become values: {}, FILE.json, or key=value,... (default: the "
                       "model's metadata, then MODEL.preprocess.json)",
                       fmt::join(preprocess_names(), ", ")),
           arguments.preprocess)
      ->group(group);
  app.add_flag("--skip-bad-samples", arguments.skip_bad_samples,
               "leave out samples that cannot be read")
      ->group(group);
  add_number(app, "--synthetic", "N",
             "N made-up samples instead of DATA; only for trying things out", arguments.synthetic)
      ->group(group);
}

void add_labels_option(CLI::App& app, DataArguments& arguments) {
  add_text(app, "--labels", "FILE",
           "one `file label` a line; not needed where the data hold labels", arguments.labels)
      ->group("Data");
}

void add_count_option(CLI::App& app, DataArguments& arguments) {
  add_number(app, "--count", "N", "use the first N samples, of a text tokens (default: all)",
             arguments.count)
      ->group("Data");
}

std::optional<Preprocess> preprocess_for(const DataArguments& arguments,
                                         const std::vector<const Model*>& models) {
  if (!arguments.preprocess.empty())
    return while_doing("--preprocess", [&] { return parse_preprocess(arguments.preprocess); });
  for (const Model* model : models) {
    const std::string metadata = model->metadata("ocs.preprocess");
    if (metadata.empty()) continue;
    const std::string name = model->file().string() + ", metadata ocs.preprocess";
    return while_doing(name,
                       [&] { return preprocess_from_json(parse_json(metadata, "its text")); });
  }
  for (const Model* model : models) {
    if (auto found = find_sidecar(model->file())) return found;
  }
  return std::nullopt;
}

Samples open_data(const DataArguments& arguments, const std::vector<const Model*>& models,
                  Console& console) {
  const std::vector<Port> inputs = models.front()->inputs();
  if (!arguments.path.empty() && arguments.synthetic > 0) {
    throw_bad_input(fmt::format("{} and --synthetic exclude each other", arguments.option));
  }
  if (arguments.synthetic > 0)
    return synthetic_samples(inputs, arguments.synthetic, arguments.seed);
  if (arguments.path.empty())
    throw_bad_input(
        fmt::format("no data: pass {} DATA, or --synthetic N to try things out", arguments.option));
  const DataOptions options{.format = arguments.format,
                            .labels = arguments.labels,
                            .preprocess = preprocess_for(arguments, models),
                            .count_limit = arguments.count,
                            .skip_bad_samples = arguments.skip_bad_samples,
                            .note = [&console](const std::string& text) { console.note(text); }};
  Samples samples = open_samples(arguments.path, inputs, options);
  tell_first_sample(samples, inputs, options, console);
  return samples;
}

NamedTensors first_inputs(DataArguments arguments, const Model& model, Console& console) {
  if (!arguments.given()) arguments.synthetic = 1;
  arguments.count = 1;
  const Samples samples = open_data(arguments, {&model}, console);
  if (samples.count == 0) throw_bad_input(samples.source + ": holds no sample");
  return samples.load(0).inputs;
}

}  // namespace ocs::cli
