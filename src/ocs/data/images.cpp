// A folder of images, or a single one.
#include <algorithm>

#include "ocs/data/bytes.h"
#include "ocs/data/form.h"
#include "ocs/data/image.h"
#include "ocs/data/image_input.h"

namespace ocs {
namespace {

const std::vector<std::string_view> extensions{".jpg", ".jpeg", ".png", ".ppm", ".pgm", ".pnm"};
// Among images, these are images too: left out silently they would change what is measured.
const std::vector<std::string_view> not_readable{".bmp",  ".gif",  ".webp", ".tif",
                                                 ".tiff", ".heic", ".avif", ".jp2"};

std::vector<NamedFile> image_files(const std::filesystem::path& path) {
  std::vector<std::string_view> all = extensions;
  all.insert(all.end(), not_readable.begin(), not_readable.end());
  if (!std::filesystem::is_directory(path)) return files_in(path, all);
  try {
    return files_in(path, all);
  } catch (const Error&) {
    return files_in(path, all, true);  // one folder for each class
  }
}

}  // namespace

OpenedForm images_of(const std::vector<NamedFile>& files, const LabelTable& labels,
                     const FormRequest& request) {
  const Port input =
      while_doing(request.path.string(), [&] { return image_input(request.inputs); });
  const Preprocess preprocess = request.options.preprocess.value_or(Preprocess{});
  std::vector<SampleFile> sources;
  for (const NamedFile& file : files) {
    sources.push_back({.file = file});
    const std::string extension = lower_extension(file.path);
    if (request.options.skip_bad_samples ||
        std::ranges::find(not_readable, extension) == not_readable.end())
      continue;
    throw_bad_input(file.path.string() +
                    ": images of this kind are not read; JPEG, PNG, PPM and PGM are");
  }
  auto load = [files, input, preprocess](std::size_t f, std::size_t /*sample*/) {
    const std::vector<std::uint8_t> bytes = read_all(bytes_of_file(files[f].path));
    return Sample{.inputs = {{input.name, image_tensor(preprocess, decode_image(bytes), input)}}};
  };
  return {.items = samples_of(std::move(sources), {}, labels, load),
          .group = images_per_sample(input)};
}

OpenedForm open_images(const FormRequest& request) {
  return images_of(image_files(request.path), read_labels(request.options.labels), request);
}

}  // namespace ocs
