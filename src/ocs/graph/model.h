// A model as a value that is moved along: the protobuf itself, edited in place by the functions of
// edit.h. What we do not touch survives byte for byte (docs/adr/0001).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/core/tensor.h"

namespace ocs {

class Model {
 public:
  Model() = default;
  explicit Model(onnx::ModelProto proto, std::filesystem::path file = {})
      : proto_(std::move(proto)), file_(std::move(file)) {}
  Model(Model&&) = default;
  Model& operator=(Model&&) = default;
  Model(const Model&) = delete;  // a copy of a hundred megabytes is always a decision: clone()
  Model& operator=(const Model&) = delete;
  ~Model() = default;

  [[nodiscard]] Model clone() const { return Model(proto_, file_); }
  [[nodiscard]] const onnx::ModelProto& proto() const { return proto_; }
  [[nodiscard]] onnx::ModelProto& proto() { return proto_; }
  [[nodiscard]] const onnx::GraphProto& graph() const { return proto_.graph(); }
  [[nodiscard]] onnx::GraphProto& graph() { return *proto_.mutable_graph(); }
  [[nodiscard]] const std::filesystem::path& file() const {
    return file_;
  }  // where it was read from; external data lies beside it

  // Version of the default domain's operators. 1 where the model imports none.
  [[nodiscard]] std::int64_t opset() const;
  void set_opset(std::int64_t version);

  // `base`, or base_1, base_2, ...: a name that no node, value or initializer of the model (bodies
  // included) has. Remembers what it gave. The model is searched at the first call only: a name
  // that is written into proto() by hand afterwards has to be made known by reserve_name (the
  // functions of edit.h do so).
  [[nodiscard]] std::string unique_name(std::string_view base);
  void reserve_name(std::string_view name);

  // metadata_props: "" where the key is absent.
  [[nodiscard]] std::string metadata(std::string_view key) const;
  void set_metadata(const std::string& key, const std::string& value);

  // Graph inputs that are not initializers, and graph outputs, with their element types and shapes
  // ([] too where the rank is not known; float where the type is not). Throws Error(unsupported)
  // naming the port for strings, sequences and the like.
  [[nodiscard]] std::vector<Port> inputs() const;
  [[nodiscard]] std::vector<Port> outputs() const;

 private:
  onnx::ModelProto proto_;
  std::filesystem::path file_;
  void collect_names();

  bool names_known_ = false;  // the search below has been made
  std::unordered_map<std::string, std::int64_t>
      next_suffix_;  // every name in use -> the first suffix to try behind it
};

}  // namespace ocs
