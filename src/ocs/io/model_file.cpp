#include "ocs/io/model_file.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <utility>

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

// Smaller tensors stay in the model: shapes and scales are needed to read it at all.
constexpr std::size_t smallest_external = 1024;
constexpr std::size_t alignment = 4096;  // so that engines can map the weights

// Stands for the file of weights until all of them are written: no file has such a name, so that it
// cannot be mixed up with one that the model was read from.
const std::string kept_location{"\0kept", 5};

struct WriteFailed {};  // the stream knows why

// The file of weights beside a model while it is filled.
class DataFile {
 public:
  explicit DataFile(std::ostream& out) : out_(&out) {}

  // The tensor's bytes go to the file, and it refers to them from now on.
  void take(onnx::TensorProto& tensor, const fs::path& folder) {
    const bool is_external = tensor.data_location() == onnx::TensorProto::EXTERNAL;
    for (; end_ % alignment != 0; ++end_) out_->put('\0');
    const std::size_t offset = end_;
    if (is_external)
      for_each_external_block(tensor, folder,
                              [&](std::span<const std::byte> block) { append(block); });
    else
      append(std::as_bytes(std::span(tensor.raw_data())));
    // Not clear_raw_data: that keeps the memory.
    const std::unique_ptr<std::string> done(tensor.release_raw_data());
    tensor.clear_external_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    const auto add = [&](const std::string& key, const std::string& value) {
      auto* entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    add("location", kept_location);
    add("offset", std::to_string(offset));
    add("length", std::to_string(end_ - offset));
  }

 private:
  void append(std::span<const std::byte> bytes) {
    out_->write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
    if (!*out_) throw WriteFailed{};
    end_ += bytes.size();
  }

  std::ostream* out_;
  std::size_t end_ = 0;
};

onnx::StringStringEntryProto* kept_entry(onnx::TensorProto& tensor) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return nullptr;
  const auto entry = std::ranges::find_if(*tensor.mutable_external_data(), [](const auto& each) {
    return each.key() == "location" && each.value() == kept_location;
  });
  return entry == tensor.mutable_external_data()->end() ? nullptr : &*entry;
}

// What the model itself still holds, or refers to elsewhere, follows behind what was kept.
void complete(DataFile& data, Model& model, const std::string& location) {
  const fs::path folder = model.file().parent_path();
  for (onnx::TensorProto& tensor : *model.graph().mutable_initializer()) {
    if (kept_entry(tensor) == nullptr) {
      if (is_widened_external(tensor)) load_external_data(tensor, folder);
      const bool is_external = tensor.data_location() == onnx::TensorProto::EXTERNAL;
      if (is_external || tensor.raw_data().size() >= smallest_external) data.take(tensor, folder);
    }
    if (auto* entry = kept_entry(tensor)) entry->set_value(location);
  }
}
}  // namespace

Model read_model(const fs::path& file, std::uint64_t leave_from) {
  return while_doing(file.string(), [&] {
    onnx::ModelProto proto = parse(file);
    const fs::path folder = file.parent_path();
    // No file holds such a tensor: it is a form of ours, in memory alone.
    for_each_tensor(proto, [](const onnx::TensorProto& tensor) {
      if (is_widened_external(tensor))
        throw_bad_input(
            fmt::format("tensor '{}': its external data have a key that only this program uses",
                        tensor.name()));
    });
    std::uint64_t external = 0;
    for (const onnx::TensorProto& tensor : proto.graph().initializer())
      external += external_size(tensor, folder);
    std::set<const onnx::TensorProto*> left;
    if (external > 0 && external >= leave_from)
      for (const onnx::TensorProto& tensor : proto.graph().initializer())
        if (external_size(tensor, folder) >= smallest_external) left.insert(&tensor);
    for_each_tensor(proto, [&](onnx::TensorProto& tensor) {
      if (!left.contains(&tensor)) load_external_data(tensor, folder);
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
    return write_model_in_pieces(file, [&](const KeepTensor&) { return model.clone(); });
  write_file(file, [&](std::ostream& out) { serialize(model.proto(), out); });
}

void write_model_in_pieces(const fs::path& file,
                           const std::function<Model(const KeepTensor&)>& make) {
  const fs::path data = fs::path(file).concat(".data");
  std::error_code ignored;
  const bool replaces = fs::exists(data, ignored);
  const auto fill = [&](std::ostream& bytes, std::ostream& out) {
    DataFile weights(bytes);
    Model model = make([&](onnx::TensorProto tensor) {
      if (tensor.raw_data().size() >= smallest_external) weights.take(tensor, {});
      return tensor;
    });
    complete(weights, model, data.filename().string());
    if (model.proto().ByteSizeLong() > largest_model_file)
      throw_unsupported(file.string() + ": more than 2 GB even without weights");
    // The model lies complete beside its place before its data change, so that little can go wrong
    // in between.
    serialize(model.proto(), out);
    out.flush();
    if (!out) throw WriteFailed{};
  };
  try {
    write_file(file, [&](std::ostream& out) {
      try {
        write_file(data, [&](std::ostream& bytes) {
          try {
            fill(bytes, out);
          } catch (const WriteFailed&) {
            if (bytes) throw;  // else write_file says why
          }
        });
      } catch (const WriteFailed&) {  // it was `out`
      }
    });
  } catch (...) {
    if (!replaces) fs::remove(data, ignored);
    throw;
  }
}

}  // namespace ocs
