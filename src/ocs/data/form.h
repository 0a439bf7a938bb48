// What the forms of data share; each form is one file with one function from a path to samples.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/core/samples.h"
#include "ocs/data/labels.h"
#include "ocs/data/open_samples.h"

namespace ocs {

struct FormRequest {
  std::filesystem::path path{};
  const std::vector<Port>& inputs;
  const DataOptions& options;
};

// `group` consecutive items make one sample of the model's fixed batch.
struct OpenedForm {
  Samples items{};
  std::size_t group = 1;
};

[[nodiscard]] OpenedForm open_images(const FormRequest& request);
[[nodiscard]] OpenedForm open_list(const FormRequest& request);
[[nodiscard]] OpenedForm open_npy(const FormRequest& request);
[[nodiscard]] OpenedForm open_model_zoo(const FormRequest& request);
[[nodiscard]] OpenedForm open_cifar(const FormRequest& request);
[[nodiscard]] OpenedForm open_raw(const FormRequest& request);

// A file as messages and label files call it, and where it lies.
struct NamedFile {
  std::string name{};
  std::filesystem::path path{};
};

// The forms that a list may name.
[[nodiscard]] OpenedForm images_of(const std::vector<NamedFile>& files, const LabelTable& labels,
                                   const FormRequest& request);
[[nodiscard]] OpenedForm arrays_of(const std::vector<NamedFile>& files, const LabelTable& labels,
                                   const FormRequest& request);

// A file with one sample or several; a sample has a label for each of its items (first extent of
// its first input).
struct SampleFile {
  NamedFile file{};
  std::size_t samples = 1;
  std::size_t items_per_sample = 1;
};

// All samples of all files, in order. `load(file, sample)` gives the tensors, and labels where
// these are inside the data; name and labels from `labels` are added here, and the path is put in
// front of its errors. `left_out`: bad files, which may have labels too.
using LoadOne = std::function<Sample(std::size_t file, std::size_t sample)>;
[[nodiscard]] Samples samples_of(std::vector<SampleFile> files,
                                 const std::vector<NamedFile>& left_out, const LabelTable& labels,
                                 LoadOne load);

// Passes a sentence to DataOptions::note where there is one.
void note(const DataOptions& options, const std::string& sentence);

// The path itself where it is a file; else the files below it with one of the extensions (lower
// case, with the dot; any case in the file's name), ordered by name, hidden ones left out. Only
// direct members, unless `recursive`. Names are relative to the folder. Throws Error(bad_input)
// where there are none.
[[nodiscard]] std::vector<NamedFile> files_in(const std::filesystem::path& path,
                                              const std::vector<std::string_view>& extensions,
                                              bool recursive = false);
[[nodiscard]] std::string lower_extension(const std::filesystem::path& path);

// What open_each makes: the opened files, and those that were left out.
template <typename T>
struct Opened {
  std::vector<T> files{};
  std::vector<NamedFile> left_out{};
};

// open(file) for each file, in order; what it throws names the file. With skip_bad_samples, files
// that throw are noted and left out, and Error(bad_input) is thrown only where none is left.
template <typename Open>
auto open_each(const std::vector<NamedFile>& files, const DataOptions& options, Open&& open) {
  Opened<decltype(open(files.front()))> opened;
  std::optional<Error> first;
  for (const NamedFile& file : files) {
    try {
      opened.files.push_back(while_doing(file.path.string(), [&] { return open(file); }));
    } catch (const Error& error) {
      if (!options.skip_bad_samples || error.kind() != Error::Kind::bad_input) throw;
      note(options, std::string("left out: ") + error.what());
      opened.left_out.push_back(file);
      if (!first) first = error;
    }
  }
  if (opened.files.empty() && first) throw Error(*first);
  return opened;
}

// Leaves out the items that cannot be loaded, with a note for each. Loads items until `wanted` good
// ones are found (0: all).
[[nodiscard]] Samples without_bad_items(Samples items, std::size_t wanted,
                                        const DataOptions& options);

// `group` consecutive items joined along the first axis; the last ones that do not fill a sample
// are noted and left out.
[[nodiscard]] Samples in_groups(Samples items, std::size_t group, const DataOptions& options);

}  // namespace ocs
