#include "ocs/io/model_file.h"

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ocs/core/error.h"
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
