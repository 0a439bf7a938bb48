#include "ocs/engine/large_model.h"

#include <cstddef>
#include <ostream>
#include <string>
#include <system_error>

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX

#include "ocs/core/error.h"
#include "ocs/core/write_file.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

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

void write_with_weights_apart(const Model& model, const fs::path& folder) {
  onnx::ModelProto skeleton = without_initializers(model.proto());
  write_file(folder / "weights.bin", [&](std::ostream& out) {
    std::size_t offset = 0;
    for (const onnx::TensorProto& weight : model.graph().initializer()) {
      onnx::TensorProto& to = *skeleton.mutable_graph()->add_initializer();
      const std::string& bytes = weight.raw_data();
      if (bytes.size() < inline_limit) {
        to = weight;
        continue;
      }
      to.set_name(weight.name());
      to.set_data_type(weight.data_type());
      *to.mutable_dims() = weight.dims();
      to.set_data_location(onnx::TensorProto::EXTERNAL);
      set_external(to, "location", "weights.bin");
      set_external(to, "offset", std::to_string(offset));
      set_external(to, "length", std::to_string(bytes.size()));
      out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
      // The engine maps weights that begin on a page.
      constexpr std::size_t page = 4096;
      const std::string padding((page - bytes.size() % page) % page, '\0');
      out << padding;
      offset += bytes.size() + padding.size();
    }
  });
  std::string bytes;
  if (!skeleton.SerializeToString(&bytes))
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
