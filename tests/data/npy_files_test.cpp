// .npy and .npz files through open_samples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/data/open_samples.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<Port> one{{.name = "x", .shape = {-1, 2}}};
const std::vector<Port> two{{.name = "x", .shape = {-1, 2}},
                            {.name = "ids", .type = ElementType::int64, .shape = {-1, 3}}};

auto opening(const std::filesystem::path& path, const std::vector<Port>& inputs,
             const DataOptions& options = {}) {
  return [=] { (void)open_samples(path, inputs, options); };
}

TEST(OpenNpy, CutsBatchesIntoItems) {
  const TempFolder folder;
  folder.write("b.npy", npy_floats("(3, 2)", 6));
  folder.write("a.npy", npy_floats("(2,)", 2, 10));
  const Samples samples = open_samples(folder.path(), one, {});
  ASSERT_EQ(samples.count, 4U);
  EXPECT_EQ(samples.load(0).name, "a.npy");
  EXPECT_EQ(samples.load(0).inputs.at("x"),
            (Tensor{.shape = {1, 2}, .values = std::vector<float>{10, 11}}));
  EXPECT_EQ(samples.load(2).name, "b.npy[1]");
  EXPECT_EQ(samples.load(2).inputs.at("x"),
            (Tensor{.shape = {1, 2}, .values = std::vector<float>{2, 3}}));
}

TEST(OpenNpy, KeepsTheFixedBatchOfTheModel) {
  const TempFolder folder;
  const auto file = folder.write("b.npy", npy_floats("(6, 2)", 12));
  const auto labels = folder.write(
      "labels.txt", std::string("b.npy 1\nb.npy 2\nb.npy 3\nb.npy 4\nb.npy 5\nb.npy 6\n"));
  const Samples samples = open_samples(file, {{.name = "x", .shape = {3, 2}}}, {.labels = labels});
  ASSERT_EQ(samples.count, 2U);
  EXPECT_EQ(samples.load(1).inputs.at("x"),
            (Tensor{.shape = {3, 2}, .values = std::vector<float>{6, 7, 8, 9, 10, 11}}));
  EXPECT_THAT(samples.load(1).labels, ElementsAre(4, 5, 6));
}

TEST(OpenNpy, ConvertsToTheTypeOfTheInput) {
  const TempFolder folder;
  const auto file = folder.write("a.npy", npy("|u1", "(1, 2)", {3, 255}));
  EXPECT_EQ(open_samples(file, one, {}).load(0).inputs.at("x").values,
            (Values{std::vector<float>{3, 255}}));
  const auto floats = folder.write("f.npy", npy_floats("(1, 3)", 3));
  const Samples samples =
      open_samples(floats, {{.name = "ids", .type = ElementType::int64, .shape = {-1, 3}}}, {});
  EXPECT_THAT(
      [&] { (void)samples.load(0); },
      ThrowsMessage<Error>(floats.string() +
                           ": input 'ids': the data is of type float, the model takes int64"));
}

// The same samples from every way of storing them.
class OpenNpz : public testing::TestWithParam<bool> {};

TEST_P(OpenNpz, TakesKeysAsInputNames) {
  const TempFolder folder;
  const std::vector<std::int32_t> ids{0, 1, 2, 3, 4, 5};
  const auto file = folder.write(
      "a.npz",
      zip({{.name = "ids.npy",
            .bytes = npy("<i4", "(2, 3)", raw_of(ids)),
            .is_deflated = GetParam()},
           {.name = "x.npy", .bytes = npy_floats("(2, 2)", 4), .is_deflated = GetParam()}}));
  const Samples samples = open_samples(file, two, {});
  ASSERT_EQ(samples.count, 2U);
  const Sample sample = samples.load(1);
  EXPECT_EQ(sample.inputs.at("x"), (Tensor{.shape = {1, 2}, .values = std::vector<float>{2, 3}}));
  EXPECT_EQ(sample.inputs.at("ids"),
            (Tensor{.shape = {1, 3}, .values = std::vector<std::int64_t>{3, 4, 5}}));
  EXPECT_EQ(sample.name, "a.npz[1]");
}

TEST_P(OpenNpz, ReadsFortranOrderItemByItem) {
  const TempFolder folder;
  std::vector<float> stored;  // a[i, j] = 10 i + j, i fastest
  for (int j = 0; j < 2; ++j) {
    for (int i = 0; i < 300; ++i) stored.push_back(static_cast<float>(10 * i + j));
  }
  const auto file =
      folder.write("a.npz", zip({{.name = "x.npy",
                                  .bytes = npy("<f4", "(300, 2)", raw_of(stored), true),
                                  .is_deflated = GetParam()}}));
  const Samples samples = open_samples(file, one, {});
  ASSERT_EQ(samples.count, 300U);
  std::vector<Tensor> tensors(samples.count);
  parallel_for(samples.count, [&](std::size_t i) { tensors[i] = samples.load(i).inputs.at("x"); });
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto base = static_cast<float>(10 * i);
    EXPECT_EQ(tensors[i], (Tensor{.shape = {1, 2}, .values = std::vector<float>{base, base + 1}}));
  }
}

TEST_P(OpenNpz, NoticesDamage) {
  const TempFolder folder;
  for (const std::string shape : {"(1, 2)", "(60, 2)"}) {
    Raw bytes = zip({{.name = "x.npy",
                      .bytes = npy_floats(shape, shape == "(1, 2)" ? 2 : 120),
                      .is_deflated = GetParam()}});
    const std::size_t directory = 46 + 5 + 22;
    bytes[bytes.size() - directory - 5] ^= 0x10U;
    const auto file = folder.write("a.npz", bytes);
    EXPECT_THAT([&] { (void)open_samples(file, one, {}).load(0); },
                ThrowsMessage<Error>(HasSubstr(file.string() + ": ")))
        << shape;
  }
}

INSTANTIATE_TEST_SUITE_P(Packing, OpenNpz, testing::Bool(),
                         [](const auto& param) { return param.param ? "Deflated" : "Stored"; });

TEST(OpenNpz, TakesNumberedArraysByPosition) {
  const TempFolder folder;
  const auto file =
      folder.write("a.npz", zip({{.name = "arr_1.npy", .bytes = npy("<i8", "(1, 3)", Raw(24))},
                                 {.name = "arr_0.npy", .bytes = npy_floats("(1, 2)", 2)}}));
  const Sample sample = open_samples(file, two, {}).load(0);
  EXPECT_EQ(sample.inputs.at("x").shape, (Shape{1, 2}));
  EXPECT_EQ(sample.inputs.at("ids").shape, (Shape{1, 3}));
}

TEST(OpenNpz, NamesWhatDoesNotFit) {
  const TempFolder folder;
  const auto file =
      folder.write("a.npz", zip({{.name = "x.npy", .bytes = npy_floats("(1, 2)", 2)}}));
  EXPECT_THAT(opening(file, two),
              ThrowsMessage<Error>(file.string() + ": no data for the model's input 'ids'"));
  EXPECT_THAT(opening(file, {{.name = "other", .shape = {1, 2}}}),
              ThrowsMessage<Error>(file.string() + ": the model has no input 'x'; it has other"));
  EXPECT_THAT(
      opening(file, {{.name = "x", .shape = {1, 3}}}),
      ThrowsMessage<Error>(file.string() +
                           ": the data for input 'x' has the shape [1,2], the model takes [1,3]"));
  const auto empty = folder.write("b.npz", zip({}));
  EXPECT_THAT(opening(empty, one), ThrowsMessage<Error>(empty.string() + ": holds no arrays"));
  const auto text = folder.write("c.npz", std::string("no archive, but longer than an end record"));
  EXPECT_THAT(opening(text, one),
              ThrowsMessage<Error>(text.string() + ": not a zip archive, or its end is cut off"));
  const auto objects =
      folder.write("d.npz", zip({{.name = "x.npy", .bytes = npy("|O", "(1, 2)", Raw(16))}}));
  EXPECT_THAT(
      opening(objects, one),
      ThrowsMessage<Error>(
          objects.string() +
          ": member 'x.npy': an array of Python objects; save an array of numbers instead"));
}

TEST(OpenNpy, NamesWhatDoesNotFit) {
  const TempFolder folder;
  const auto cut = folder.write("a.npy", npy_floats("(3, 2)", 5));
  EXPECT_THAT(
      opening(cut, one),
      ThrowsMessage<Error>(cut.string() +
                           ": the file is cut off: 6 elements for the shape [3,2], 5 are there"));
  const auto other = folder.write("b.npy", npy_floats("(3, 4)", 12));
  EXPECT_THAT(
      opening(other, one),
      ThrowsMessage<Error>(other.string() +
                           ": the data for input 'x' has the shape [3,4], the model takes [?,2]"));
  EXPECT_THAT(opening(other, two),
              ThrowsMessage<Error>(other.string() + ": a .npy file holds one array, the model has "
                                                    "2 inputs; .npz files hold several by name"));
}

TEST(OpenNpy, LeavesOutBadFilesWhereAsked) {
  const TempFolder folder;
  folder.write("a.npy", npy_floats("(2, 2)", 4));
  const auto bad = folder.write("b.npy", npy_floats("(3, 2)", 5));
  folder.write("c.npy", npy_floats("(1, 2)", 2));
  const auto labels =
      folder.write("labels.txt", std::string("a.npy 1\na.npy 2\nb.npy 3\nc.npy 4\n"));
  std::vector<std::string> notes;
  const Samples samples = open_samples(
      folder.path(), one,
      {.labels = labels, .skip_bad_samples = true, .note = [&](const std::string& note) {
         notes.push_back(note);
       }});
  EXPECT_EQ(samples.count, 3U);
  EXPECT_THAT(samples.load(2).labels, ElementsAre(4));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("left out: " + bad.string() + ": the file is cut off")));
}

}  // namespace
}  // namespace ocs
