// The ONNX model zoo's test data: folders test_data_set_0, test_data_set_1, ... with one serialized
// TensorProto a file, input_K.pb for the model's K-th input and output_K.pb for what it gives.
#include "ocs/data/model_zoo.h"

#include <algorithm>

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include "ocs/data/bytes.h"
#include "ocs/data/fit.h"
#include "ocs/data/form.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view set_prefix = "test_data_set_";

// The K of PREFIX_K.pb or PREFIXK; nothing for other names.
std::optional<int> number_behind(const std::string& name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  return label_from(std::string_view(name).substr(prefix.size()));
}

bool has_inputs(const fs::path& folder) { return fs::exists(folder / "input_0.pb"); }

std::vector<NamedFile> test_sets(const fs::path& folder) {
  if (has_inputs(folder)) {
    const fs::path named = folder.filename().empty() ? folder.parent_path() : folder;
    return {{.name = named.filename().string(), .path = folder}};
  }
  std::map<int, fs::path> sets;  // by number: 10 comes after 9
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::optional<int> number = number_behind(entry.path().filename().string(), set_prefix);
    if (number && entry.is_directory()) sets.emplace(*number, entry.path());
  }
  std::vector<NamedFile> named;
  for (const auto& [number, path] : sets)
    named.push_back({.name = path.filename().string(), .path = path});
  if (named.empty())
    throw_bad_input(folder.string() + ": holds no test_data_set_* folder and no input_0.pb");
  return named;
}

struct NamedTensor {
  std::string name{};
  Tensor tensor{};
};

NamedTensor read_tensor(const fs::path& file) {
  return while_doing(file.filename().string(), [&] {
    const std::vector<std::uint8_t> bytes = read_all(bytes_of_file(file));
    onnx::TensorProto proto;
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
        !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      throw_bad_input("not a serialized tensor");
    }
    return NamedTensor{.name = proto.name(), .tensor = to_tensor(proto, file.parent_path())};
  });
}

// PREFIX_0.pb, PREFIX_1.pb, ... without a gap.
std::vector<NamedTensor> read_tensors(const fs::path& folder, const std::string& prefix) {
  std::vector<NamedTensor> tensors;
  for (int k = 0;; ++k) {
    const fs::path file = folder / fmt::format("{}_{}.pb", prefix, k);
    if (!fs::exists(file)) return tensors;
    tensors.push_back(read_tensor(file));
  }
}

// By the tensors' own names where these are the inputs' names, by position otherwise (older sets
// have names of their own).
const Port& port_for(std::size_t position, const std::vector<NamedTensor>& tensors,
                     const std::vector<Port>& inputs) {
  const bool are_named = std::ranges::all_of(tensors, [&](const NamedTensor& tensor) {
    return std::ranges::count(inputs, tensor.name, &Port::name) == 1;
  });
  return are_named ? *std::ranges::find(inputs, tensors[position].name, &Port::name)
                   : inputs[position];
}

Sample load_set(const fs::path& folder, const std::vector<Port>& inputs) {
  std::vector<NamedTensor> tensors = read_tensors(folder, "input");
  if (tensors.size() != inputs.size()) {
    throw_bad_input(fmt::format("{} files input_*.pb for the model's {} inputs", tensors.size(),
                                inputs.size()));
  }
  Sample sample;
  for (std::size_t k = 0; k < tensors.size(); ++k) {
    const Port& port = port_for(k, tensors, inputs);
    while_doing(fmt::format("input_{}.pb", k), [&] {
      if (!fits(tensors[k].tensor.shape, port)) {
        throw_bad_input(fmt::format("the data for input '{}' has the shape {}, the model takes {}",
                                    port.name, to_string(tensors[k].tensor.shape),
                                    to_string(port.shape)));
      }
      sample.inputs[port.name] = convert(tensors[k].tensor, port.type);
    });
  }
  if (sample.inputs.size() != inputs.size())
    throw_bad_input("two files input_*.pb are for the same input");
  std::size_t k = 0;
  for (NamedTensor& output : read_tensors(folder, "output")) {
    const std::string name = output.name.empty() ? fmt::format("output_{}", k) : output.name;
    sample.outputs[name] = std::move(output.tensor);
    ++k;
  }
  return sample;
}

}  // namespace

bool is_model_zoo(const fs::path& folder) {
  if (has_inputs(folder)) return true;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && number_behind(entry.path().filename().string(), set_prefix))
      return true;
  }
  return false;
}

OpenedForm open_model_zoo(const FormRequest& request) {
  const std::vector<NamedFile> sets = test_sets(request.path);
  Opened<SampleFile> opened = open_each(sets, request.options, [&](const NamedFile& set) {
    // The number of items, for the labels, is in the data.
    const Sample sample = load_set(set.path, request.inputs);
    const Shape& first = sample.inputs.at(request.inputs.at(0).name).shape;
    return SampleFile{.file = set,
                      .items_per_sample = first.empty() ? 1 : static_cast<std::size_t>(first[0])};
  });
  auto load = [files = opened.files, inputs = request.inputs](std::size_t f,
                                                              std::size_t /*sample*/) {
    return load_set(files[f].file.path, inputs);
  };
  const LabelTable labels = read_labels(request.options.labels);
  return {.items = samples_of(std::move(opened.files), opened.left_out, labels, std::move(load))};
}

}  // namespace ocs
