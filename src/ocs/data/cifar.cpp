// CIFAR-10's binary version (https://www.cs.toronto.edu/~kriz/cifar.html): for each image a label
// byte, 0..9, and 3072 bytes of pixels, the planes of red, green and blue, 32 rows of 32.
#include <array>

#include <fmt/format.h>

#include "ocs/data/bytes.h"
#include "ocs/data/form.h"
#include "ocs/data/image_input.h"

namespace ocs {
namespace {

constexpr std::size_t side = 32;
constexpr std::size_t plane = side * side;
constexpr std::size_t record = 1 + 3 * plane;

SampleFile open_file(const NamedFile& file) {
  const std::uint64_t size = bytes_of_file(file.path).size;
  if (size == 0 || size % record != 0) {
    throw_bad_input(fmt::format(
        "{} bytes, which is no multiple of {}: not a CIFAR-10 file, or cut off", size, record));
  }
  return {.file = file, .samples = size / record};
}

Image image_of(std::span<const std::uint8_t> planes) {
  Image image = blank_rgb(side, side);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < plane; ++i) image.pixels[i * 3 + c] = planes[c * plane + i];
  }
  return image;
}

}  // namespace

OpenedForm open_cifar(const FormRequest& request) {
  if (!request.options.labels.empty()) {
    throw_bad_input(fmt::format(
        "{}: CIFAR-10 files hold their labels; a file of labels ({}) is not read beside them",
        request.path.string(), request.options.labels.string()));
  }
  const Port input =
      while_doing(request.path.string(), [&] { return image_input(request.inputs); });
  const Preprocess preprocess = request.options.preprocess.value_or(Preprocess{});
  Opened<SampleFile> opened =
      open_each(files_in(request.path, {".bin"}), request.options, open_file);
  auto load = [files = opened.files, input, preprocess](std::size_t f, std::size_t index) {
    std::array<std::uint8_t, record> bytes{};
    bytes_of_file(files[f].file.path).read(index * record, bytes);
    if (bytes[0] > 9) throw_bad_input(fmt::format("label {}; CIFAR-10 has 0 to 9", bytes[0]));
    const Image image = image_of(std::span<const std::uint8_t>(bytes).subspan(1));
    return Sample{.inputs = {{input.name, image_tensor(preprocess, image, input)}},
                  .labels = {bytes[0]}};
  };
  OpenedForm form{
      .items = samples_of(std::move(opened.files), opened.left_out, {}, std::move(load)),
      .group = images_per_sample(input)};
  form.items.has_labels = true;
  return form;
}

}  // namespace ocs
