#include "ocs/io/model_file.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ocs/core/error.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"
#include "support/folder.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view small_text = R"(
    input x float[1, 3, 8, 8]; init w float[4, 3, 3, 3] random 1; conv: y = Conv(x, w); relu: z = Relu(y); output z)";

template <typename Work>
std::string message_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::bad_input) << error.what();
    return error.what();
  }
  return "no error";
}

TEST(ModelFile, ReadsWhatItWrote) {
  const TestFolder folder;
  const Model model = text_model(small_text);
  write_model(model, folder / "model.onnx");
  EXPECT_THAT(folder.names(), ElementsAre("model.onnx"));
  const Model again = read_model(folder / "model.onnx");
  EXPECT_EQ(again.proto().SerializeAsString(), model.proto().SerializeAsString());
  EXPECT_EQ(again.file(), folder / "model.onnx");
}

TEST(ModelFile, KeepsTensorsThatItCannotCompute) {
  const TestFolder folder;
  Model model = text_model("input x float; y = Relu(x); output y");
  auto& packed = *model.graph().add_initializer();
  packed.set_name("packed");
  packed.set_data_type(22);  // int4
  packed.add_dims(3);
  packed.set_raw_data("ab");
  auto& words = *model.graph().add_initializer();
  words.set_name("words");
  words.set_data_type(onnx::TensorProto::STRING);
  words.add_dims(1);
  words.add_string_data("hello");
  write_model(model, folder / "model.onnx");
  EXPECT_EQ(read_model(folder / "model.onnx").proto().SerializeAsString(),
            model.proto().SerializeAsString());
}

TEST(ModelFile, IsReplacedWhole) {
  const TestFolder folder;
  write_bytes(folder / "model.onnx", std::string(100'000, 'x'));
  write_model(text_model(small_text), folder / "model.onnx");
  EXPECT_EQ(op_types(read_model(folder / "model.onnx")).size(), 2U);
}

TEST(ModelFile, PutsNodesIntoOrder) {
  const TestFolder folder;
  write_model(text_model("input x float; late: z = Relu(y); early: y = Relu(x); output z"),
              folder / "model.onnx");
  EXPECT_THAT(node_names(read_model(folder / "model.onnx")), ElementsAre("early", "late"));
}

TEST(ModelFile, AllowsNodesWithOneName) {
  const TestFolder folder;
  write_model(text_model("input x float; relu: y = Relu(x); relu: z = Relu(y); output z"),
              folder / "model.onnx");
  EXPECT_THAT(node_names(read_model(folder / "model.onnx")), ElementsAre("relu", "relu"));
}

TEST(ModelFile, TakesExternalDataIn) {
  const TestFolder folder;
  Model model = text_model("input x float; init w float[2] ones; y = Add(x, w); output y");
  auto& tensor = *model.graph().mutable_initializer(0);
  write_bytes(folder / "weights.bin", "0123" + tensor.raw_data());
  tensor.clear_raw_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&](const std::string& key, const std::string& value) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", "weights.bin");
  add("offset", "4");
  write_model(model, folder / "model.onnx");
  EXPECT_THAT(initializer_of(read_model(folder / "model.onnx"), "w").as<float>(),
              ElementsAre(1.0F, 1.0F));
}

TEST(ModelFile, KeepsLargeWeightsInAFileOfTheirOwn) {
  const TestFolder folder;
  const Model model = text_model(R"(
      input x float[1, 40]; init w float[40, 40] random 1; init v float[40, 40] random 2; init b float[40] random 3;
      y = Gemm(x, w, b); z = MatMul(y, v); output z)");
  write_model(model, folder / "model.onnx", 4000);
  EXPECT_THAT(folder.names(), ElementsAre("model.onnx", "model.onnx.data"));
  EXPECT_LT(fs::file_size(folder / "model.onnx"), 1000U);
  EXPECT_EQ(fs::file_size(folder / "model.onnx.data"),
            8192U + 6400U);  // two weights of 6,400 bytes, each at a multiple of 4,096
  EXPECT_EQ(read_model(folder / "model.onnx").proto().SerializeAsString(),
            model.proto().SerializeAsString());
}

// Files of this process end at `bytes` as long as the object lives.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  SmallDisk(SmallDisk&&) = delete;
  SmallDisk& operator=(SmallDisk&&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

constexpr std::string_view large_text = R"(
    input x float[1, 40]; init w float[40, 40] random 1; init v float[40, 40] random 2; init b float[40] random 3;
    y = Gemm(x, w, b); z = MatMul(y, v); output z)";

bool is_external(const onnx::TensorProto& tensor) {
  return tensor.data_location() == onnx::TensorProto::EXTERNAL;
}

TEST(ModelFile, LeavesLargeWeightsWhereTheyAre) {
  const TestFolder folder;
  const Model model = text_model(large_text);
  write_model(model, folder / "model.onnx", 0);
  const Model whole = read_model(folder / "model.onnx", 12'801);  // one byte more than there are
  EXPECT_TRUE(std::ranges::none_of(whole.graph().initializer(), is_external));
  const Model light = read_model(folder / "model.onnx", 12'800);
  EXPECT_EQ(std::ranges::count_if(light.graph().initializer(), is_external), 2);
  for (const char* name : {"w", "v", "b"})
    EXPECT_EQ(read_tensor(Graph(light), name), initializer_of(model, name)) << name;
}

TEST(ModelFile, ChecksWeightsThatItLeaves) {
  const TestFolder folder;
  Model model = text_model(large_text);
  std::string& bytes = *model.graph().mutable_initializer(1)->mutable_raw_data();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(bytes.data() + 44, &nan, sizeof(nan));
  write_model(model, folder / "model.onnx", 0);
  EXPECT_THAT(message_of([&] { (void)read_model(folder / "model.onnx", 0); }),
              HasSubstr("model.onnx: tensor 'v' holds NaN (value 11 of 1600)"));
  fs::resize_file(folder / "model.onnx.data", 8192 + 6399);
  EXPECT_THAT(message_of([&] { (void)read_model(folder / "model.onnx", 0); }),
              HasSubstr("has 14591 bytes, too few for 6400 at offset 8192"));
  fs::remove(folder / "model.onnx.data");
  EXPECT_THAT(message_of([&] { (void)read_model(folder / "model.onnx", 0); }),
              HasSubstr("is not a file that can be read"));
}

TEST(ModelFile, RefusesTheMarkOfWidenedWeights) {
  const TestFolder folder;
  write_model(text_model(large_text), folder / "model.onnx", 0);
  Model light = read_model(folder / "model.onnx", 0);
  onnx::TensorProto& tensor = *light.graph().mutable_initializer(1);
  tensor.set_data_type(onnx::TensorProto::FLOAT16);
  widen_external(tensor);
  write_bytes(folder / "marked.onnx", light.proto().SerializeAsString());
  EXPECT_THAT(message_of([&] { (void)read_model(folder / "marked.onnx"); }),
              HasSubstr("marked.onnx: tensor 'v': its external data have a key"));
}

// One tensor is handed over, one is left in the file that the model was read from (of the same name, in another
// folder), one is held; all are found again.
TEST(ModelFile, IsWrittenInPieces) {
  const TestFolder folder;
  fs::create_directory(folder / "to");
  const Model model = text_model(large_text);
  write_model(model, folder / "model.onnx", 0);
  write_model_in_pieces(folder / "to/model.onnx", [&](const KeepTensor& keep) {
    Model light = read_model(folder / "model.onnx", 0);
    onnx::TensorProto& tensor = *light.graph().mutable_initializer(1);
    load_external_data(tensor, folder.path());
    tensor = keep(std::move(tensor));
    EXPECT_TRUE(tensor.raw_data().empty());
    const onnx::TensorProto& small = model.graph().initializer(2);
    EXPECT_EQ(keep(small).raw_data(), small.raw_data());
    return light;
  });
  EXPECT_EQ(fs::file_size(folder / "to/model.onnx.data"), 8192U + 6400U);
  EXPECT_EQ(read_model(folder / "to/model.onnx").proto().SerializeAsString(),
            model.proto().SerializeAsString());
  // In the order in which they came.
  EXPECT_EQ(bytes_of(folder / "to/model.onnx.data").substr(0, 6400),
            model.graph().initializer(1).raw_data());
}

TEST(ModelFile, InPiecesLeavesNothingBehind) {
  const TestFolder folder;
  const Model model = text_model(large_text);
  const auto keep_all = [&](const KeepTensor& keep) {
    Model made = model.clone();
    for (auto& tensor : *made.graph().mutable_initializer()) tensor = keep(std::move(tensor));
    return made;
  };
  EXPECT_THAT(message_of([&] {
                write_model_in_pieces(folder / "model.onnx", [&](const KeepTensor& keep) {
                  (void)keep_all(keep);
                  throw_bad_input("no more");
                  return Model();
                });
              }),
              HasSubstr("no more"));
  EXPECT_THAT(folder.names(), IsEmpty());
  {
    const SmallDisk disk(10'000);
    EXPECT_THAT(message_of([&] { write_model_in_pieces(folder / "model.onnx", keep_all); }),
                HasSubstr("model.onnx.data: cannot be written: File too large"));
  }
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(ModelFile, IsTheSameEveryTime) {
  const TestFolder folder;
  write_model(text_model(small_text), folder / "one.onnx");
  write_model(read_model(folder / "one.onnx"), folder / "two.onnx");
  EXPECT_EQ(bytes_of(folder / "one.onnx"), bytes_of(folder / "two.onnx"));
}

TEST(ModelFile, SaysWhereItCannotBeWritten) {
  const TestFolder folder;
  const Model model = text_model(small_text);
  EXPECT_THAT(message_of([&] { write_model(model, folder / "no/model.onnx"); }),
              HasSubstr("no/model.onnx: cannot be written"));
  EXPECT_THAT(message_of([&] { write_model(model, folder.path()); }),
              HasSubstr(folder.path().string() + ": cannot be written"));
  EXPECT_THAT(message_of([&] { write_model(model, "/dev/full"); }),
              HasSubstr("/dev/full: cannot be written: No space left on device"));
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(ModelFile, LeavesTheOldFileWhereTheDiskIsFull) {
  const TestFolder folder;
  write_bytes(folder / "model.onnx", "old");
  const Model model =
      text_model("input x float; init w float[100000] ones; y = Add(x, w); output y");
  {
    const SmallDisk disk(100'000);
    EXPECT_THAT(message_of([&] { write_model(model, folder / "model.onnx"); }),
                HasSubstr("model.onnx: cannot be written"));
    EXPECT_THAT(message_of([&] { write_model(model, folder / "model.onnx", 1000); }),
                HasSubstr("model.onnx.data: cannot be written"));
  }
  EXPECT_THAT(folder.names(), ElementsAre("model.onnx"));
  EXPECT_EQ(bytes_of(folder / "model.onnx"), "old");
}

// The size is read, not believed: nothing of the declared size may be allocated.
TEST(ModelFile, DoesNotBelieveDeclaredSizes) {
  const TestFolder folder;
  Model model = text_model("input x float; init w float[2] ones; y = Add(x, w); output y");
  auto& tensor = *model.graph().mutable_initializer(0);
  tensor.set_dims(0, std::int64_t{1} << 40);
  write_model(model, folder / "model.onnx");
  EXPECT_EQ(message_of([&] { (void)read_model(folder / "model.onnx"); }),
            (folder / "model.onnx").string() +
                ": tensor 'w': it holds 8 bytes where its type and shape ask for 4398046511104");
}

// Whatever byte is the last: one sentence, no crash.
TEST(ModelFile, IsRefusedWhereverItIsCutShort) {
  const TestFolder folder;
  const Model model = text_model("input x float; init w float[2] ones; y = Add(x, w); output y");
  const std::string bytes = model.proto().SerializeAsString();
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    write_bytes(folder / "cut.onnx", bytes.substr(0, size));
    ASSERT_THAT(message_of([&] { (void)read_model(folder / "cut.onnx"); }),
                HasSubstr("cut.onnx: is "))
        << size;
  }
}

TEST(ModelFile, OfTheReferenceModelsGoesRoundUnchanged) {
  const fs::path models = fs::path(OCS_SOURCE_DIR) / "../shared/data/models";
  if (!fs::exists(models)) GTEST_SKIP() << "needs the reference models in " << models;
  const TestFolder folder;
  int seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(models)) {
    if (entry.path().extension() != ".onnx" || entry.file_size() > 6'000'000) continue;
    SCOPED_TRACE(entry.path());
    write_model(read_model(entry.path()), folder / "again.onnx");
    EXPECT_TRUE(bytes_of(folder / "again.onnx") == bytes_of(entry.path()));
    ++seen;
  }
  EXPECT_GE(seen, 5);
}

}  // namespace
}  // namespace ocs
