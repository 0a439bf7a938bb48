// Files of float32 values (little-endian) in the shape of the model's one input.
#include "ocs/data/raw.h"

#include <cstring>

#include <fmt/format.h>

#include "ocs/data/bytes.h"
#include "ocs/data/form.h"

namespace ocs {
namespace {

SampleFile open_file(const NamedFile& file, const Shape& shape) {
  const std::uint64_t size = bytes_of_file(file.path).size;
  const std::uint64_t sample = static_cast<std::uint64_t>(element_count(shape)) * sizeof(float);
  if (size == 0 || sample == 0 || size % sample != 0) {
    throw_bad_input(
        fmt::format("{} bytes, which is no multiple of the {} bytes of float32 values of shape {}",
                    size, sample, to_string(shape)));
  }
  return {.file = file,
          .samples = size / sample,
          .items_per_sample = shape.empty() ? 1 : static_cast<std::size_t>(shape[0])};
}

}  // namespace

Shape raw_shape(const std::vector<Port>& inputs) {
  if (inputs.size() != 1) {
    throw_bad_input(
        fmt::format("the model has {} inputs and raw values are given to a single one; .npz files "
                    "can hold several",
                    inputs.size()));
  }
  const Port& input = inputs[0];
  if (input.type != ElementType::float32) {
    throw_bad_input(fmt::format("raw values are float32, the model's input '{}' is of type {}",
                                input.name, name_of(input.type)));
  }
  Shape shape = input.shape;
  if (!shape.empty() && shape[0] < 0) shape[0] = 1;
  for (const std::int64_t extent : shape) {
    if (extent >= 0) continue;
    throw_bad_input(
        fmt::format("raw values have no shape of their own, and the model's input '{}' of shape {} "
                    "leaves it open; .npy files keep it",
                    input.name, to_string(input.shape)));
  }
  return shape;
}

OpenedForm open_raw(const FormRequest& request) {
  const Shape shape = while_doing(request.path.string(), [&] { return raw_shape(request.inputs); });
  Opened<SampleFile> opened =
      open_each(files_in(request.path, {".bin", ".raw"}), request.options,
                [&](const NamedFile& file) { return open_file(file, shape); });
  auto load = [files = opened.files, shape, input = request.inputs[0].name](std::size_t f,
                                                                            std::size_t index) {
    std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
    std::vector<std::uint8_t> bytes(values.size() * sizeof(float));
    bytes_of_file(files[f].file.path).read(index * bytes.size(), bytes);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return Sample{.inputs = {{input, {.shape = shape, .values = std::move(values)}}}};
  };
  const LabelTable labels = read_labels(request.options.labels);
  return {.items = samples_of(std::move(opened.files), opened.left_out, labels, std::move(load))};
}

}  // namespace ocs
