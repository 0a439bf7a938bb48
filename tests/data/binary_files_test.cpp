// CIFAR-10 files and raw values through open_samples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"
#include "ocs/data/open_samples.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<Port> cifar{{.name = "input", .shape = {-1, 3, 32, 32}}};

// Red, green and blue are `level`, `level` + 1, `level` + 2.
Raw record(std::uint8_t label, std::uint8_t level) {
  Raw bytes{label};
  for (std::uint8_t c = 0; c < 3; ++c)
    bytes.insert(bytes.end(), 1024, static_cast<std::uint8_t>(level + c));
  return bytes;
}

Raw operator+(Raw left, const Raw& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

auto opening(const std::filesystem::path& path, const std::vector<Port>& inputs,
             const DataOptions& options = {}) {
  return [=] { (void)open_samples(path, inputs, options); };
}

TEST(OpenCifar, GivesImagesAndLabels) {
  const TempFolder folder;
  folder.write("data_batch_2.bin", record(9, 100));
  folder.write("data_batch_1.bin", record(3, 10) + record(4, 20));
  folder.write("batches.meta.txt", std::string("airplane\n"));
  const Samples samples = open_samples(folder.path(), cifar, {});
  ASSERT_EQ(samples.count, 3U);
  EXPECT_TRUE(samples.has_labels);
  const Sample second = samples.load(1);
  EXPECT_EQ(second.name, "data_batch_1.bin[1]");
  EXPECT_THAT(second.labels, ElementsAre(4));
  EXPECT_EQ(second.inputs.at("input").shape, (Shape{1, 3, 32, 32}));
  EXPECT_EQ(second.inputs.at("input").as<float>()[1024], 21.0F);
  EXPECT_EQ(samples.load(2).name, "data_batch_2.bin");
}

TEST(OpenCifar, AppliesThePreprocessing) {
  const TempFolder folder;
  const auto file = folder.write("test.bin", record(3, 253));
  const Samples samples = open_samples(file, cifar, {.preprocess = parse_preprocess("cifar10")});
  EXPECT_EQ(samples.load(0).inputs.at("input").as<float>()[2048], 1.0F);
}

TEST(OpenCifar, NamesWhatIsWrong) {
  const TempFolder folder;
  const auto cut = folder.write("cut.bin", Raw(6000));
  EXPECT_THAT(opening(cut, cifar, {.format = "cifar10"}),
              ThrowsMessage<Error>(
                  cut.string() +
                  ": 6000 bytes, which is no multiple of 3073: not a CIFAR-10 file, or cut off"));
  const auto labelled = folder.write("label.bin", record(3, 0) + record(10, 0));
  const Samples samples = open_samples(labelled, cifar, {});
  EXPECT_THAT([&] { (void)samples.load(1); },
              ThrowsMessage<Error>(labelled.string() + "[1]: label 10; CIFAR-10 has 0 to 9"));
  EXPECT_THAT(
      opening(labelled, cifar, {.labels = "l.txt"}),
      ThrowsMessage<Error>(
          labelled.string() +
          ": CIFAR-10 files hold their labels; a file of labels (l.txt) is not read beside them"));
}

TEST(OpenBinary, TellsCifarFromRawValues) {
  const TempFolder folder;
  const auto raw = folder.write("raw.bin", Raw(2 * 12288));
  EXPECT_FALSE(open_samples(raw, cifar, {}).has_labels);
  // 12288 records: both sizes fit, the label bytes tell.
  const auto both = folder.write("both.bin", Raw{});
  std::filesystem::resize_file(both, std::uintmax_t{12288} * 3073);
  EXPECT_TRUE(open_samples(both, cifar, {}).has_labels);
  std::fstream stream(both, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(std::streamoff{5000} * 3073);
  stream.put('\x64');
  stream.close();
  EXPECT_FALSE(open_samples(both, cifar, {}).has_labels);
}

TEST(OpenRaw, CutsAFileIntoSamples) {
  const TempFolder folder;
  const auto file = folder.write("x.bin", raw_of(std::vector<float>{1, 2, 3, 4, 5, 6}));
  const Samples samples = open_samples(file, {{.name = "x", .shape = {-1, 3}}}, {});
  ASSERT_EQ(samples.count, 2U);
  EXPECT_EQ(samples.load(1).inputs.at("x"),
            (Tensor{.shape = {1, 3}, .values = std::vector<float>{4, 5, 6}}));
  EXPECT_EQ(samples.load(1).name, "x.bin[1]");
}

TEST(OpenRaw, HasALabelForEachItem) {
  const TempFolder folder;
  const auto file = folder.write("x.bin", raw_of(std::vector<float>{1, 2, 3, 4}));
  const auto labels =
      folder.write("labels.txt", std::string("x.bin 5\nx.bin 6\nx.bin 7\nx.bin 8\n"));
  const Samples samples = open_samples(file, {{.name = "x", .shape = {2, 1}}}, {.labels = labels});
  EXPECT_THAT(samples.load(1).labels, ElementsAre(7, 8));
}

TEST(OpenRaw, NamesWhatIsWrong) {
  const TempFolder folder;
  const auto file = folder.write("x.bin", Raw(10));
  EXPECT_THAT(
      opening(file, {{.name = "x", .shape = {1, 3}}}),
      ThrowsMessage<Error>(
          file.string() +
          ": 10 bytes, which is no multiple of the 12 bytes of float32 values of shape [1,3]"));
  EXPECT_THAT(opening(file, {{.name = "x", .shape = {1, -1}}}),
              ThrowsMessage<Error>(file.string() +
                                   ": raw values have no shape of their own, and the model's input "
                                   "'x' of shape [1,?] leaves it open; .npy files keep it"));
  EXPECT_THAT(
      opening(file, {{.name = "x", .type = ElementType::int64, .shape = {1, 3}}}),
      ThrowsMessage<Error>(file.string() +
                           ": raw values are float32, the model's input 'x' is of type int64"));
  EXPECT_THAT(opening(file, {{.name = "x"}, {.name = "y"}}),
              ThrowsMessage<Error>(
                  HasSubstr("the model has 2 inputs and raw values are given to a single one")));
  const auto empty = folder.write("empty.bin", Raw{});
  EXPECT_THAT(opening(empty, {{.name = "x", .shape = {1, 3}}}),
              ThrowsMessage<Error>(HasSubstr("0 bytes")));
}

}  // namespace
}  // namespace ocs
