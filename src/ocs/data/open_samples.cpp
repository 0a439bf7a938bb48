#include "ocs/data/open_samples.h"

#include <algorithm>
#include <array>
#include <fstream>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/data/form.h"
#include "ocs/data/model_zoo.h"
#include "ocs/data/raw.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

// The known forms; a new one adds its row here.
struct Form {
  std::string_view name;
  OpenedForm (*open)(const FormRequest&);
};
constexpr std::array<Form, 6> forms{{{"images", open_images},
                                     {"list", open_list},
                                     {"npy", open_npy},
                                     {"zoo", open_model_zoo},
                                     {"cifar10", open_cifar},
                                     {"raw", open_raw}}};

// CIFAR-10 and raw values share their extension. Sizes tell them apart where the model takes 32x32
// pixels; where both sizes fit, the label bytes do.
std::string_view form_of_binary(const fs::path& file, const std::vector<Port>& inputs) {
  constexpr std::uint64_t record = 3073;
  const bool takes_cifar =
      inputs.size() == 1 && inputs[0].shape.size() == 4 &&
      (std::ranges::equal(std::span(inputs[0].shape).subspan(1), Shape{3, 32, 32}) ||
       std::ranges::equal(std::span(inputs[0].shape).subspan(1), Shape{32, 32, 3}));
  const std::uint64_t size = fs::file_size(file);
  if (!takes_cifar || size % record != 0) return "raw";
  if (size % (static_cast<std::uint64_t>(element_count(raw_shape(inputs))) * sizeof(float)) != 0)
    return "cifar10";
  std::ifstream stream(file, std::ios::binary);
  for (std::uint64_t at = 0; at < size; at += record) {
    stream.seekg(static_cast<std::streamoff>(at));
    if (stream.get() > 9) return "raw";
  }
  return "cifar10";
}

// "" for an extension that belongs to no form.
std::string_view form_of_extension(const std::string& extension) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> table{
      {{".jpg", "images"},
       {".jpeg", "images"},
       {".png", "images"},
       {".ppm", "images"},
       {".pgm", "images"},
       {".pnm", "images"},
       {".npy", "npy"},
       {".npz", "npy"},
       {".bin", "bin"},
       {".raw", "raw"}}};
  for (const auto& [known, form] : table) {
    if (known == extension) return form;
  }
  return "";
}

bool looks_like_text(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 4096> start{};
  stream.read(start.data(), start.size());
  const auto got = static_cast<std::size_t>(stream.gcount());
  return got > 0 &&
         std::ranges::find(std::span(start).first(got), '\0') == std::span(start).first(got).end();
}

std::string_view form_of_file(const fs::path& file, const std::vector<Port>& inputs) {
  const std::string_view form = form_of_extension(lower_extension(file));
  if (form == "bin") return form_of_binary(file, inputs);
  if (!form.empty()) return form;
  if (file.extension() == ".pb") {
    throw_bad_input(file.string() +
                    ": a single tensor; give the folder that holds input_0.pb and the others");
  }
  if (looks_like_text(file)) return "list";
  throw_bad_input(fmt::format("{}: not a form of data that is known ({})", file.string(),
                              fmt::join(data_formats(), ", ")));
}

std::string_view form_of_folder(const fs::path& folder, const std::vector<Port>& inputs) {
  if (is_model_zoo(folder)) return "zoo";
  std::map<std::string_view, fs::path> found;  // one file of each form
  bool has_folders = false;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    has_folders = has_folders || entry.is_directory();
    const std::string_view form = form_of_extension(lower_extension(entry.path()));
    if (form.empty() || !entry.is_regular_file() ||
        entry.path().filename().string().starts_with('.'))
      continue;
    const auto [place, is_new] = found.emplace(form, entry.path());
    if (!is_new) place->second = std::min(place->second, entry.path());
  }
  if (found.size() > 1) {
    throw_bad_input(
        fmt::format("{}: holds '{}' and '{}', different forms of data; name one by the format, or "
                    "give a list file",
                    folder.string(), found.begin()->second.filename().string(),
                    std::next(found.begin())->second.filename().string()));
  }
  if (found.size() == 1) {
    const auto& [form, file] = *found.begin();
    return form == "bin" ? form_of_binary(file, inputs) : form;
  }
  if (has_folders) return "images";  // one folder for each class
  throw_bad_input(fmt::format(
      "{}: {}", folder.string(),
      fs::is_empty(folder)
          ? "the folder is empty"
          : fmt::format("holds no data of a known form ({})", fmt::join(data_formats(), ", "))));
}

const Form& form_for(const fs::path& path, const std::vector<Port>& inputs,
                     const std::string& format) {
  std::string_view name = format;
  if (!fs::exists(path)) throw_bad_input(path.string() + ": no such file or folder");
  if (name.empty())
    name = fs::is_directory(path) ? form_of_folder(path, inputs) : form_of_file(path, inputs);
  const auto form = std::ranges::find(forms, name, &Form::name);
  if (form != forms.end()) return *form;
  throw_bad_input(fmt::format("no form of data is named '{}'{}; known are {}", format,
                              did_you_mean(format, data_formats()),
                              fmt::join(data_formats(), ", ")));
}

}  // namespace

std::vector<std::string> data_formats() {
  std::vector<std::string> names;
  for (const Form& form : forms) names.emplace_back(form.name);
  return names;
}

Samples open_samples(const fs::path& path, const std::vector<Port>& inputs,
                     const DataOptions& options) {
  const Form& form = form_for(path, inputs, options.format);
  if (options.preprocess) check(*options.preprocess);
  OpenedForm opened = form.open({.path = path, .inputs = inputs, .options = options});
  opened.items.source = path.string();
  if (options.skip_bad_samples) {
    opened.items =
        without_bad_items(std::move(opened.items), options.count_limit * opened.group, options);
  }
  Samples samples = in_groups(std::move(opened.items), opened.group, options);
  if (samples.count == 0) throw_bad_input(path.string() + ": holds no samples");
  if (options.count_limit > 0) samples.count = std::min(samples.count, options.count_limit);
  return samples;
}

}  // namespace ocs
