// The sentence for every way in which a model file can be wrong: it names the file, and the node or
// tensor.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "ocs/core/error.h"
#include "ocs/io/model_file.h"
#include "support/folder.h"
#include "support/text_model.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

// The message without the path in front of it, which is checked to be there.
std::string complaint_about(const fs::path& file) {
  try {
    (void)read_model(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::bad_input);
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with(file.string() + ": ")) << message;
    return message.substr(std::min(message.size(), file.string().size() + 2));
  }
  return "nothing";
}

std::string complaint_about_bytes(std::string_view bytes) {
  const TestFolder folder;
  write_bytes(folder / "model.onnx", bytes);
  return complaint_about(folder / "model.onnx");
}

std::string complaint_about_model(const Model& model) {
  return complaint_about_bytes(model.proto().SerializeAsString());
}

std::string complaint_about_text(std::string_view text) {
  return complaint_about_model(text_model(text));
}

TEST(ModelErrors, FileThatIsNoModel) {
  const TestFolder folder;
  EXPECT_EQ(complaint_about(folder / "none.onnx"), "no such file");
  EXPECT_EQ(complaint_about(folder.path()), "is a folder, not a model");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(complaint_about(folder / "pipe"), "is not a regular file");
  EXPECT_EQ(complaint_about_bytes(""), "is empty");
  EXPECT_EQ(complaint_about_bytes("hello, this is a text file\n"), "is not an ONNX model");
  EXPECT_EQ(complaint_about_bytes("{\"json\": true}"), "is not an ONNX model");
  EXPECT_EQ(complaint_about_bytes("<!DOCTYPE html><html>"),
            "is a web page, not an ONNX model: the download went wrong");
  EXPECT_EQ(
      complaint_about_bytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
      "is a Git LFS pointer, not the model itself: run `git lfs pull`");
  EXPECT_EQ(complaint_about_bytes(std::string("PK\x03\x04\x14\x00", 6)),
            "is a ZIP archive (a PyTorch checkpoint?), not an ONNX model");
  EXPECT_EQ(complaint_about_bytes(std::string(1000, '\0')), "is not an ONNX model");
  EXPECT_EQ(complaint_about_bytes(std::string(1000, '\xff')), "is not an ONNX model");
}

TEST(ModelErrors, FileThatIsCutShort) {
  const std::string whole =
      text_model("input x float; init w float[1000] ones; y = Add(x, w); output y")
          .proto()
          .SerializeAsString();
  EXPECT_EQ(complaint_about_bytes(whole.substr(0, whole.size() - 1000)),
            "is cut short: at least 996 bytes are missing at its end");
}

TEST(ModelErrors, ModelWithoutWhatAModelNeeds) {
  onnx::ModelProto proto;
  proto.set_ir_version(8);
  EXPECT_EQ(complaint_about_bytes(proto.SerializeAsString()), "is an ONNX model without a graph");
  proto.mutable_graph()->set_name("empty");
  EXPECT_EQ(complaint_about_bytes(proto.SerializeAsString()),
            "is an ONNX model that imports no operator set, or is cut short");
}

TEST(ModelErrors, CyclicGraph) {
  EXPECT_EQ(complaint_about_text("input x float; one: a = Add(x, b); two: b = Relu(a); output b"),
            "node 'one' (Add) is on a cycle: its output is needed to compute its input");
  EXPECT_EQ(complaint_about_text("input x float; self: a = Add(x, a); output a"),
            "node 'self' (Add) is on a cycle: its output is needed to compute its input");
}

TEST(ModelErrors, NamesThatDoNotResolve) {
  EXPECT_EQ(complaint_about_text("input x float; relu: y = Relu(z); output y"),
            "node 'relu' (Relu) reads 'z', which nothing computes");
  EXPECT_EQ(complaint_about_text("input x float; y = Relu(z); output y"),
            "node 'y' (Relu) reads 'z', which nothing computes");
  EXPECT_EQ(complaint_about_text("input x float; relu: y = Relu(x); output z"),
            "graph output 'z' is not computed by any node");
  EXPECT_EQ(
      complaint_about_text(
          R"(input c bool[]; choose: y = If(c) {then_branch = graph { inner: t = Relu(z); output t; },
                                    else_branch = graph { e = Relu(c); output e; }}; output y)"),
      "node 'inner' (Relu) reads 'z', which nothing computes");
}

TEST(ModelErrors, DuplicateNames) {
  EXPECT_EQ(complaint_about_text("input x float; one: y = Relu(x); two: y = Neg(x); output y"),
            "node 'two' (Neg) writes 'y', which has a value already");
  EXPECT_EQ(complaint_about_text("input x float; one: x = Relu(x); output x"),
            "node 'one' (Relu) is on a cycle: its output is needed to compute its input");
  EXPECT_EQ(
      complaint_about_text(
          "input x float; init w float[1] ones; init w float[1] zeros; y = Add(x, w); output y"),
      "two initializers are named 'w'");
  EXPECT_EQ(complaint_about_text("input x float; input x float; y = Relu(x); output y"),
            "two graph inputs are named 'x'");
}

TEST(ModelErrors, WeightsThatAreNotFinite) {
  EXPECT_EQ(
      complaint_about_text("input x float; init w float[2] {1, nan}; y = Add(x, w); output y"),
      "tensor 'w' holds NaN (value 1 of 2)");
  EXPECT_EQ(
      complaint_about_text("input x float; init w float[2] {inf, 1}; y = Add(x, w); output y"),
      "tensor 'w' holds infinity (value 0 of 2)");
}

TEST(ModelErrors, SizesThatDoNotAgree) {
  const auto with_dims = [](std::vector<std::int64_t> dims) {
    Model model = text_model("input x float; init w float[2] ones; y = Add(x, w); output y");
    model.graph().mutable_initializer(0)->mutable_dims()->Assign(dims.begin(), dims.end());
    return complaint_about_model(model);
  };
  EXPECT_EQ(with_dims({3}), "tensor 'w': it holds 8 bytes where its type and shape ask for 12");
  EXPECT_EQ(with_dims({-2}), "tensor 'w': shape [?] has an extent that is not known");
  EXPECT_EQ(with_dims({1LL << 40, 1LL << 40}),
            "tensor 'w': shape [1099511627776,1099511627776] is too large");
  EXPECT_EQ(with_dims({1LL << 61}), "tensor 'w': it is too large");
}

std::string complaint_about_external(
    const std::vector<std::pair<std::string, std::string>>& entries) {
  const TestFolder folder;
  write_bytes(folder / "weights.bin", "12345678");
  Model model = text_model("input x float; init w float[2] ones; y = Add(x, w); output y");
  auto& tensor = *model.graph().mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  write_model(model, folder / "model.onnx");
  std::string message = complaint_about(folder / "model.onnx");
  // The folder differs from run to run.
  const std::string path = folder.path().string() + "/";
  if (const std::size_t at = message.find(path); at != std::string::npos)
    message.erase(at, path.size());
  return message;
}

TEST(ModelErrors, ExternalData) {
  EXPECT_EQ(complaint_about_external({{"location", "weights.bin"}}), "nothing");
  EXPECT_EQ(complaint_about_external({{"location", "../weights.bin"}}),
            "tensor 'w': external data: location '../weights.bin' leaves the folder of the model");
  EXPECT_EQ(complaint_about_external({{"location", "/etc/hostname"}}),
            "tensor 'w': external data: location '/etc/hostname' leaves the folder of the model");
  EXPECT_EQ(complaint_about_external({{"location", "none.bin"}}),
            "tensor 'w': external data: 'none.bin' is not a file that can be read");
  EXPECT_EQ(complaint_about_external({{"location", "weights.bin"}, {"offset", "4"}}),
            "tensor 'w': external data: 'weights.bin' has 8 bytes, too few for 8 at offset 4");
  EXPECT_EQ(complaint_about_external({{"location", "weights.bin"}, {"offset", "four"}}),
            "tensor 'w': external data: offset 'four' is not a number of bytes");
  EXPECT_EQ(complaint_about_external({{"location", "weights.bin"}, {"length", "4"}}),
            "tensor 'w': external data: length 4 where its type and shape ask for 8 bytes");
  EXPECT_EQ(complaint_about_external({}), "tensor 'w': external data: no location is given");
}

}  // namespace
}  // namespace ocs
