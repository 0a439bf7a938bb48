#include "ocs/io/model_file.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/verify.h"
#include "ocs/graph/walk.h"
#include "ocs/io/check_finite.h"
#include "ocs/io/foreign_file.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;
namespace pb = google::protobuf::io;

// Bytes of a file that can be read at all.
std::size_t size_of(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) throw_bad_input("no such file");
  if (error) throw_bad_input("cannot be read: " + error.message());
  if (fs::is_directory(status)) throw_bad_input("is a folder, not a model");
  if (!fs::is_regular_file(status)) throw_bad_input("is not a regular file");
  const std::uintmax_t size = fs::file_size(file, error);
  if (error) throw_bad_input("cannot be read: " + error.message());
  if (size == 0) throw_bad_input("is empty");
  if (size > largest_model_file)
    throw_bad_input(
        "is larger than 2 GB; ONNX keeps the weights of such models in files of their own");
  return size;
}

onnx::ModelProto parse(const fs::path& file) {
  const std::size_t size = size_of(file);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the system's interface
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw_bad_input("cannot be read: " + std::generic_category().message(errno));
  pb::FileInputStream stream(descriptor);
  stream.SetCloseOnDelete(true);
  onnx::ModelProto proto;
  {
    pb::CodedInputStream coded(&stream);
    coded.SetTotalBytesLimit(static_cast<int>(largest_model_file));
    // Without the limit a length that the file states would be believed.
    const auto limit = coded.PushLimit(static_cast<int>(size));
    if (!proto.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage())
      throw_bad_input(what_is_wrong_with(file));
    coded.PopLimit(limit);
  }
  if (!proto.has_graph()) {
    // Text and other formats can by chance be valid protobuf without a field that we know.
    throw_bad_input(proto.has_ir_version() ? "is an ONNX model without a graph"
                                           : what_is_wrong_with(file));
  }
  if (proto.opset_import().empty() && proto.ir_version() >= 3) {
    throw_bad_input("is an ONNX model that imports no operator set, or is cut short");
  }
  return proto;
}

// Calls visit(tensor) for every tensor of the node's attributes, not of its bodies.
template <typename Visit>
void for_each_tensor(onnx::NodeProto& node, Visit&& visit) {
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.has_t()) visit(*attribute.mutable_t());
    for (auto& tensor : *attribute.mutable_tensors()) visit(tensor);
  }
}

template <typename Visit>
void for_each_tensor(onnx::GraphProto& graph, Visit&& visit) {
  for_each_graph(graph, [&](onnx::GraphProto& held) {
    for (auto& tensor : *held.mutable_initializer()) visit(tensor);
    for (auto& sparse : *held.mutable_sparse_initializer()) {
      visit(*sparse.mutable_values());
      visit(*sparse.mutable_indices());
    }
    for (auto& node : *held.mutable_node()) for_each_tensor(node, visit);
  });
}

template <typename Visit>
void for_each_tensor(onnx::ModelProto& proto, Visit&& visit) {
  for_each_tensor(*proto.mutable_graph(), visit);
  for (auto& function : *proto.mutable_functions())
    for (auto& node : *function.mutable_node()) {
      for_each_tensor(node, visit);
      for_each_body(node, [&](onnx::GraphProto& body) { for_each_tensor(body, visit); });
    }
}

void serialize(const onnx::ModelProto& proto, std::ostream& out) {
  pb::OstreamOutputStream stream(&out);
  pb::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);  // maps in a fixed order
  proto.SerializeWithCachedSizes(&coded);     // sizes: ByteSizeLong, called by write_model
}

// What goes to the data file, in its order.
struct External {
  const onnx::TensorProto* tensor = nullptr;
  std::size_t offset = 0;
};

// Smaller tensors stay in the model: shapes and scales are needed to read it at all.
constexpr std::size_t smallest_external = 1024;
constexpr std::size_t alignment = 4096;  // so that engines can map the weights

// Moves the weights of `light`, a copy of `whole`, out of it.
std::vector<External> move_out(const onnx::ModelProto& whole, onnx::ModelProto& light,
                               const std::string& location) {
  std::vector<External> moved;
  std::size_t end = 0;
  for (int i = 0; i < whole.graph().initializer_size(); ++i) {
    const onnx::TensorProto& tensor = whole.graph().initializer(i);
    const std::size_t length = tensor.raw_data().size();
    if (length < smallest_external) continue;
    const std::size_t offset = (end + alignment - 1) / alignment * alignment;
    end = offset + length;
    moved.push_back({.tensor = &tensor, .offset = offset});
    onnx::TensorProto& left = *light.mutable_graph()->mutable_initializer(i);
    left.clear_raw_data();
    left.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&](const std::string& key, const std::string& value) {
      auto* entry = left.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    add("location", location);
    add("offset", std::to_string(offset));
    add("length", std::to_string(length));
  }
  return moved;
}

void write_data(const std::vector<External>& tensors, std::ostream& out) {
  std::size_t end = 0;
  for (const External& external : tensors) {
    for (; end < external.offset; ++end) out.put('\0');
    const std::string& bytes = external.tensor->raw_data();
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    end += bytes.size();
  }
}

void write_with_data(const Model& model, const fs::path& file) {
  const fs::path data = fs::path(file).concat(".data");
  onnx::ModelProto light = model.proto();
  const std::vector<External> tensors = move_out(model.proto(), light, data.filename().string());
  if (light.ByteSizeLong() > largest_model_file)
    throw_unsupported(file.string() + ": more than 2 GB even without weights");
  std::error_code ignored;
  const bool replaces = fs::exists(data, ignored);
  try {
    write_file(file, [&](std::ostream& out) {
      serialize(light, out);
      out.flush();
      // The model lies complete beside its place before its data changes, so that little can go
      // wrong in between.
      if (out) write_file(data, [&](std::ostream& bytes) { write_data(tensors, bytes); });
    });
  } catch (...) {
    if (!replaces) fs::remove(data, ignored);
    throw;
  }
}

}  // namespace

Model read_model(const fs::path& file) {
  return while_doing(file.string(), [&] {
    onnx::ModelProto proto = parse(file);
    const fs::path folder = file.parent_path();
    for_each_tensor(proto, [&](onnx::TensorProto& tensor) {
      load_external_data(tensor, folder);
      check_size(tensor);
    });
    Model model(std::move(proto), file);
    for_each_graph(model.graph(), [](onnx::GraphProto& graph) { sort_topologically(graph); });
    check_values(model, Error::Kind::bad_input);
    check_finite(model);
    return model;
  });
}

void write_model(const Model& model, const fs::path& file, std::size_t single_file_limit) {
  if (model.proto().ByteSizeLong() > std::min(single_file_limit, largest_model_file))
    return write_with_data(model, file);
  write_file(file, [&](std::ostream& out) { serialize(model.proto(), out); });
}

}  // namespace ocs
