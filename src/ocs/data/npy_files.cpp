// .npy and .npz files: each holds one sample or several, for one input of the model or for all of
// them.
#include <algorithm>

#include <fmt/format.h>

#include "ocs/data/fit.h"
#include "ocs/data/form.h"
#include "ocs/data/npy.h"
#include "ocs/data/zip.h"

namespace ocs {
namespace {

// How to get at an array later; holds no open file, there may be thousands.
struct StoredArray {
  NpyHeader header{};
  std::function<Bytes()> open{};  // the bytes that the header describes
};

// The arrays of a file by name; a .npy file has one, named after the input that it is for.
using StoredArrays = std::map<std::string, StoredArray>;

StoredArray array_of_npy(const std::filesystem::path& path) {
  return {.header = read_npy_header(bytes_of_file(path)),
          .open = [path] { return bytes_of_file(path); }};
}

NpyHeader header_of_member(const Bytes& archive, const ZipMember& member) {
  constexpr std::uint64_t longest = 65536 + 12;
  const Bytes start = bytes_of_memory(unpack_start(archive, member, longest));
  return while_doing("member '" + member.name + "'",
                     [&] { return read_npy_header({.size = member.size, .read = start.read}); });
}

// All of a member in memory, checked.
Bytes unpacked(const std::filesystem::path& path, const ZipMember& member) {
  std::vector<std::uint8_t> bytes;
  unpack(bytes_of_file(path), member, [&](std::span<const std::uint8_t> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  });
  return bytes_of_memory(std::move(bytes));
}

StoredArrays arrays_of_npz(const std::filesystem::path& path,
                           std::map<std::string, ZipMember>& members) {
  const Bytes archive = bytes_of_file(path);
  StoredArrays arrays;
  for (const ZipMember& member : read_zip_directory(archive)) {
    std::string name = member.name;
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    if (!members.emplace(name, member).second)
      throw_bad_input("two arrays are named '" + name + "'");
    arrays[name] = {.header = header_of_member(archive, member),
                    .open = [path, member] { return unpacked(path, member); }};
  }
  if (arrays.empty()) throw_bad_input("holds no arrays");
  return arrays;
}

// A member with many samples must not be unpacked again for each: it is read where it lies, or
// unpacked once.
void make_accessible(StoredArray& array, const std::filesystem::path& path, const ZipMember& member,
                     ScratchFile& scratch) {
  const Bytes archive = bytes_of_file(path);
  if (!member.is_deflated) {
    unpack(archive, member, [](std::span<const std::uint8_t>) {});  // the checksum
    array.open = [path, member] { return packed_bytes(bytes_of_file(path), member); };
    return;
  }
  const std::uint64_t begin = scratch.size();
  unpack(archive, member, [&](std::span<const std::uint8_t> part) { scratch.append(part); });
  array.open = [scratch, begin, size = member.size] {
    return part_of(scratch.bytes(), begin, size);
  };
}

// numpy.savez names arrays without a name arr_0, arr_1, ...: these are the inputs in their order.
std::string input_name(const std::string& array, const std::vector<Port>& inputs) {
  const bool is_input = std::ranges::find(inputs, array, &Port::name) != inputs.end();
  if (is_input || !array.starts_with("arr_")) return array;
  const std::optional<int> position = label_from(std::string_view(array).substr(4));
  return position && std::cmp_less(*position, inputs.size())
             ? inputs[static_cast<std::size_t>(*position)].name
             : array;
}

struct FileOfArrays {
  SampleFile source{};
  StoredArrays arrays{};
  std::map<std::string, Cut> cuts{};
};

FileOfArrays open_file(const NamedFile& file, const std::vector<Port>& inputs,
                       ScratchFile& scratch) {
  FileOfArrays opened{.source = {.file = file}};
  std::map<std::string, ZipMember> members;
  if (lower_extension(file.path) == ".npz") {
    for (auto& [name, array] : arrays_of_npz(file.path, members))
      opened.arrays[input_name(name, inputs)] = std::move(array);
  } else {
    if (inputs.size() != 1) {
      throw_bad_input(fmt::format(
          "a .npy file holds one array, the model has {} inputs; .npz files hold several by name",
          inputs.size()));
    }
    opened.arrays[inputs[0].name] = array_of_npy(file.path);
  }
  std::map<std::string, Shape> shapes;
  for (const auto& [name, array] : opened.arrays) shapes[name] = array.header.shape;
  opened.cuts = cut_arrays(shapes, inputs);
  for (const auto& [name, cut] : opened.cuts) {
    if (cut.rows > 0) opened.source.samples = static_cast<std::size_t>(cut.samples);
  }
  const Shape& first = opened.cuts.at(inputs[0].name).shape;
  opened.source.items_per_sample = first.empty() ? 1 : static_cast<std::size_t>(first[0]);
  for (auto& [name, member] : members) {
    const std::string input = input_name(name, inputs);
    if (opened.source.samples > 1)
      make_accessible(opened.arrays.at(input), file.path, member, scratch);
  }
  return opened;
}

Tensor load_input(const StoredArray& array, const Cut& cut, std::size_t index, ElementType type) {
  const Bytes bytes = array.open();
  const auto first = static_cast<std::int64_t>(index) * cut.rows;
  Tensor tensor = cut.rows == 0 ? read_npy(bytes, array.header)
                                : read_npy_rows(bytes, array.header, first, cut.rows);
  tensor.shape = cut.shape;
  return convert(std::move(tensor), type);
}

Sample load_sample(const FileOfArrays& file, std::size_t index, const std::vector<Port>& inputs) {
  Sample sample;
  for (const Port& input : inputs) {
    sample.inputs[input.name] = while_doing("input '" + input.name + "'", [&] {
      return load_input(file.arrays.at(input.name), file.cuts.at(input.name), index, input.type);
    });
  }
  return sample;
}

}  // namespace

OpenedForm arrays_of(const std::vector<NamedFile>& files, const LabelTable& labels,
                     const FormRequest& request) {
  ScratchFile scratch;
  auto opened = open_each(files, request.options, [&](const NamedFile& file) {
    return open_file(file, request.inputs, scratch);
  });
  std::vector<SampleFile> sources;
  for (const FileOfArrays& file : opened.files) sources.push_back(file.source);
  auto load = [arrays = std::move(opened.files), inputs = request.inputs](std::size_t f,
                                                                          std::size_t index) {
    return load_sample(arrays[f], index, inputs);
  };
  return {.items = samples_of(std::move(sources), opened.left_out, labels, std::move(load))};
}

OpenedForm open_npy(const FormRequest& request) {
  return arrays_of(files_in(request.path, {".npy", ".npz"}), read_labels(request.options.labels),
                   request);
}

}  // namespace ocs
