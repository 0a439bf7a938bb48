#include "ocs/engine/large_model.h"

#include <cstddef>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include "ocs/core/error.h"
#include "ocs/core/write_file.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

constexpr const char* weights_file = "weights.bin";
constexpr std::size_t inline_limit =
    1024;  // bytes: smaller tensors (shapes, scales) stay where shape inference sees them

// Everything that a run depends on, but the initializers.
onnx::ModelProto without_initializers(const onnx::ModelProto& from) {
  onnx::ModelProto to;
  to.set_ir_version(from.ir_version());
  *to.mutable_opset_import() = from.opset_import();
  *to.mutable_functions() = from.functions();
  onnx::GraphProto& graph = *to.mutable_graph();
  graph.set_name(from.graph().name());
  *graph.mutable_node() = from.graph().node();
  *graph.mutable_input() = from.graph().input();
  *graph.mutable_output() = from.graph().output();
  *graph.mutable_value_info() = from.graph().value_info();
  *graph.mutable_sparse_initializer() = from.graph().sparse_initializer();
  return to;
}

void set_external(onnx::TensorProto& tensor, const char* key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *tensor.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

}  // namespace

bool has_two_bits(const onnx::TensorProto& weight) {
  return weight.data_type() == 25 || weight.data_type() == 26;
}

WeightsApart weights_apart(const Model& model) {
  WeightsApart apart{.rest = without_initializers(model.proto())};
  for (const onnx::TensorProto& weight : model.graph().initializer()) {
    onnx::TensorProto& to = *apart.rest.mutable_graph()->add_initializer();
    if (weight.raw_data().size() < inline_limit || has_two_bits(weight)) {
      to = weight;
      continue;
    }
    to.set_name(weight.name());
    to.set_data_type(weight.data_type());
    *to.mutable_dims() = weight.dims();
    to.set_data_location(onnx::TensorProto::EXTERNAL);
    set_external(to, "location", weights_file);
    apart.weights.push_back({.tensor = &weight, .bytes = weight.raw_data()});
  }
  return apart;
}

void write_with_weights_apart(const Model& model, const fs::path& folder) {
  WeightsApart apart = weights_apart(model);
  struct Place {
    std::size_t offset = 0;
    std::size_t length = 0;
  };
  std::map<std::string_view, Place> places;
  write_file(folder / weights_file, [&](std::ostream& out) {
    std::size_t offset = 0;
    for (const auto& [weight, bytes] : apart.weights) {
      places[weight->name()] = {.offset = offset, .length = bytes.size()};
      out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      // The engine maps weights that begin on a page.
      constexpr std::size_t page = 4096;
      const std::string padding((page - bytes.size() % page) % page, '\0');
      out << padding;
      offset += bytes.size() + padding.size();
    }
  });
  for (onnx::TensorProto& weight : *apart.rest.mutable_graph()->mutable_initializer())
    if (const auto place = places.find(weight.name()); place != places.end()) {
      set_external(weight, "offset", std::to_string(place->second.offset));
      set_external(weight, "length", std::to_string(place->second.length));
    }
  std::string bytes;
  if (!apart.rest.SerializeToString(&bytes))
    throw_engine(model.file().string() + ": is larger than 2 GiB even without its weights");
  write_file(folder / "model.onnx", bytes);
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "ocs-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw_bad_input(pattern + ": no folder for temporary files can be made");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace ocs
