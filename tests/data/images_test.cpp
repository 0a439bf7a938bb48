// Folders of images and list files through open_samples.
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

const std::vector<Port> tiny{{.name = "data", .shape = {-1, 3, 2, 2}}};

std::vector<std::string> names(const Samples& samples) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < samples.count; ++i) all.push_back(samples.load(i).name);
  return all;
}

auto opening(const std::filesystem::path& path, const DataOptions& options = {}) {
  return [=] { (void)open_samples(path, tiny, options); };
}

TEST(OpenImages, TakesTheFilesInTheOrderOfTheirNames) {
  const TempFolder folder;
  for (const char* name : {"b.ppm", "a10.PPM", "a2.ppm", ".hidden.ppm", "readme.txt"})
    folder.write(name, ppm(2, 2));
  const Samples samples = open_samples(folder.path(), tiny, {});
  EXPECT_THAT(names(samples), ElementsAre("a10.PPM", "a2.ppm", "b.ppm"));
  EXPECT_FALSE(samples.has_labels);
  EXPECT_FALSE(samples.synthetic);
  EXPECT_EQ(samples.source, folder.path().string());
}

TEST(OpenImages, GivesPixelsWithoutAPreprocessing) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  const Sample sample = open_samples(folder.path(), tiny, {}).load(0);
  EXPECT_EQ(sample.inputs.at("data"),
            (Tensor{.shape = {1, 3, 2, 2},
                    .values = std::vector<float>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}}));
}

TEST(OpenImages, AppliesThePreprocessing) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(4, 3));
  const Samples samples =
      open_samples(folder.path(), tiny, {.preprocess = Preprocess{.crop = 2, .scale = 0.5}});
  EXPECT_EQ(samples.load(0).inputs.at("data").as<float>()[0], 1.5F);  // pixel (1, 0) has red 3
}

TEST(OpenImages, ReadsAFolderForEachClass) {
  const TempFolder folder;
  folder.write("dog/x.ppm", ppm(2, 2));
  folder.write("cat/y.ppm", ppm(2, 2));
  EXPECT_THAT(names(open_samples(folder.path(), tiny, {})), ElementsAre("cat/y.ppm", "dog/x.ppm"));
}

TEST(OpenImages, ReadsASingleImage) {
  const TempFolder folder;
  EXPECT_THAT(names(open_samples(folder.write("one.ppm", ppm(2, 2)), tiny, {})),
              ElementsAre("one.ppm"));
}

TEST(OpenImages, TakesTheFirstOnesUpToALimit) {
  const TempFolder folder;
  for (const char* name : {"a.ppm", "b.ppm", "c.ppm"}) folder.write(name, ppm(2, 2));
  EXPECT_THAT(names(open_samples(folder.path(), tiny, {.count_limit = 2})),
              ElementsAre("a.ppm", "b.ppm"));
  EXPECT_EQ(open_samples(folder.path(), tiny, {.count_limit = 9}).count, 3U);
}

TEST(OpenImages, AddsLabels) {
  const TempFolder folder;
  for (const char* name : {"a.ppm", "b.ppm"}) folder.write(name, ppm(2, 2));
  const auto labels = folder.write("labels.txt", std::string("b.ppm 7\na.ppm 3\n"));
  const Samples samples = open_samples(folder.path(), tiny, {.labels = labels});
  EXPECT_TRUE(samples.has_labels);
  EXPECT_THAT(samples.load(0).labels, ElementsAre(3));
  EXPECT_THAT(samples.load(1).labels, ElementsAre(7));
  folder.write("labels.txt", std::string("a.ppm 3\n"));
  EXPECT_THAT(opening(folder.path(), {.labels = labels}),
              ThrowsMessage<Error>(labels.string() + ": no label for 'b.ppm'"));
}

TEST(OpenImages, FillsTheBatchOfTheModel) {
  const TempFolder folder;
  for (const char* name : {"a.ppm", "b.ppm", "c.ppm", "d.ppm", "e.ppm"})
    folder.write(name, ppm(2, 2, name[0]));
  const auto labels =
      folder.write("labels.txt", std::string("a.ppm 0\nb.ppm 1\nc.ppm 2\nd.ppm 3\ne.ppm 4\n"));
  std::vector<std::string> notes;
  const Samples samples = open_samples(
      folder.path(), {{.name = "data", .shape = {2, 3, 2, 2}}},
      {.labels = labels, .note = [&](const std::string& note) { notes.push_back(note); }});
  ASSERT_EQ(samples.count, 2U);
  const Sample second = samples.load(1);
  EXPECT_EQ(second.inputs.at("data").shape, (Shape{2, 3, 2, 2}));
  EXPECT_EQ(second.inputs.at("data").as<float>()[12], static_cast<float>('d'));
  EXPECT_THAT(second.labels, ElementsAre(2, 3));
  EXPECT_THAT(
      notes,
      ElementsAre(
          "left out: the last 1 of 5 samples do not fill a batch of 2, which the model takes"));
  EXPECT_THAT(
      [&] {
        (void)open_samples(folder.path(), {{.name = "data", .shape = {8, 3, 2, 2}}}, {});
      },
      ThrowsMessage<Error>(folder.path().string() +
                           ": 5 samples, the model takes a fixed batch of 8"));
}

TEST(OpenImages, NamesTheFileThatDoesNotFit) {
  const TempFolder folder;
  const auto file = folder.write("a.ppm", ppm(3, 2));
  const Samples samples = open_samples(folder.path(), tiny, {});
  EXPECT_THAT(
      [&] { (void)samples.load(0); },
      ThrowsMessage<Error>(file.string() +
                           ": the image becomes [1,3,2,3], the model's input 'data' takes "
                           "[?,3,2,2]; give the preprocessing a crop, or a resize and a crop"));
}

TEST(OpenImages, NamesTheFileThatIsDamaged) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  const auto bad = folder.write("b.ppm", ppm(2, 2).substr(0, 15));
  const Samples samples = open_samples(folder.path(), tiny, {});
  EXPECT_NO_THROW((void)samples.load(0));
  EXPECT_THAT(
      [&] { (void)samples.load(1); },
      ThrowsMessage<Error>(bad.string() + ": damaged PPM: 4 bytes of pixels, 12 are needed"));
}

TEST(OpenImages, LeavesOutDamagedFilesWhereAsked) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  const auto b = folder.write("b.jpg", std::string("no image"));
  folder.write("c.ppm", ppm(2, 2));
  const auto d = folder.write("d.webp", std::string("RIFF"));
  const auto e = folder.write("e.ppm", ppm(4, 4));
  folder.write("f.ppm", ppm(2, 2));
  const auto labels = folder.write(
      "labels.txt", std::string("a.ppm 1\nb.jpg 2\nc.ppm 3\nd.webp 4\ne.ppm 5\nf.ppm 6"));
  std::vector<std::string> notes;
  DataOptions options{.labels = labels, .skip_bad_samples = true};
  options.note = [&](const std::string& note) { notes.push_back(note); };
  const Samples samples = open_samples(folder.path(), tiny, options);
  EXPECT_THAT(names(samples), ElementsAre("a.ppm", "c.ppm", "f.ppm"));
  EXPECT_THAT(samples.load(1).labels, ElementsAre(3));
  EXPECT_THAT(notes, ElementsAre(HasSubstr("left out: " + b.string() + ": not an image"),
                                 HasSubstr("left out: " + d.string() + ": not an image"),
                                 HasSubstr("left out: " + e.string() + ": the image becomes")));
  options.count_limit = 2;
  notes.clear();
  EXPECT_THAT(names(open_samples(folder.path(), tiny, options)), ElementsAre("a.ppm", "c.ppm"));
  EXPECT_EQ(notes.size(), 1U);  // only what stood in front of the second good one
}

TEST(OpenImages, FailsWhereNothingGoodIsLeft) {
  const TempFolder folder;
  const auto a = folder.write("a.jpg", std::string("no image"));
  EXPECT_THAT(opening(folder.path(), {.skip_bad_samples = true}),
              ThrowsMessage<Error>(HasSubstr("no sample can be read; the first: " + a.string())));
}

TEST(OpenImages, RefusesKindsThatItCannotRead) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  const auto gif = folder.write("b.GIF", std::string("GIF89a"));
  EXPECT_THAT(opening(folder.path()),
              ThrowsMessage<Error>(
                  gif.string() + ": images of this kind are not read; JPEG, PNG, PPM and PGM are"));
}

TEST(OpenImages, RefusesModelsThatTakeNone) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  EXPECT_THAT(
      [&] {
        (void)open_samples(folder.path(), {{.name = "ids", .shape = {1, 8}}}, {});
      },
      ThrowsMessage<Error>(folder.path().string() +
                           ": the model's input 'ids' of shape [1,8] takes no images"));
}

TEST(OpenImages, ChecksThePreprocessing) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  EXPECT_THAT(opening(folder.path(), {.preprocess = Preprocess{.deviation = {0}}}),
              ThrowsMessage<Error>("std cannot be 0"));
}

TEST(OpenImages, LoadsFromManyThreads) {
  const TempFolder folder;
  for (int i = 0; i < 40; ++i) folder.write(std::to_string(100 + i) + ".ppm", ppm(2, 2, i));
  const Samples samples = open_samples(folder.path(), tiny, {});
  std::vector<float> first(samples.count);
  parallel_for(samples.count,
               [&](std::size_t i) { first[i] = samples.load(i).inputs.at("data").as<float>()[0]; });
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i], static_cast<float>(i));
}

TEST(OpenList, NamesFilesRelativeToItself) {
  const TempFolder folder;
  folder.write("images/b.ppm", ppm(2, 2));
  folder.write("images/my cat 2.ppm", ppm(2, 2));
  const auto list =
      folder.write("list.txt", std::string("images/my cat 2.ppm\r\n\nimages/b.ppm\n"));
  EXPECT_THAT(names(open_samples(list, tiny, {})),
              ElementsAre("images/my cat 2.ppm", "images/b.ppm"));
}

TEST(OpenList, TakesLabelsFromItsLines) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  folder.write("b 1", ppm(2, 2));  // a name that ends like a label
  const auto list = folder.write("list.txt", std::string("b 1 5\na.ppm 3\n"));
  const Samples samples = open_samples(list, tiny, {});
  EXPECT_TRUE(samples.has_labels);
  EXPECT_THAT(samples.load(0).labels, ElementsAre(5));
  EXPECT_THAT(opening(list, {.labels = list}),
              ThrowsMessage<Error>(list.string() +
                                   ": the list has labels, and there is a file of labels too (" +
                                   list.string() + ")"));
}

TEST(OpenList, ReadsArraysToo) {
  const TempFolder folder;
  folder.write("a.npy", npy_floats("(2, 3, 2, 2)", 24));
  const auto list = folder.write("list.txt", std::string("a.npy\n"));
  EXPECT_THAT(names(open_samples(list, tiny, {})), ElementsAre("a.npy[0]", "a.npy[1]"));
}

TEST(OpenList, NamesTheLine) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  folder.write("x.npy", npy_floats("(1, 3, 2, 2)", 12));
  const auto listing = [&](const std::string& text) {
    return opening(folder.write("list.txt", text));
  };
  const std::string list = (folder / "list.txt").string();
  EXPECT_THAT(listing("a.ppm\nnone.ppm\n"),
              ThrowsMessage<Error>(list + ", line 2: there is no file 'none.ppm'"));
  EXPECT_THAT(listing("a.ppm 1\na.ppm\n"),
              ThrowsMessage<Error>(list + ", line 2: some lines have a label and some have none"));
  EXPECT_THAT(listing("a.ppm\na.ppm\n"),
              ThrowsMessage<Error>(list + ", line 2: 'a.ppm' is listed twice"));
  EXPECT_THAT(
      listing("a.ppm\nx.npy\n"),
      ThrowsMessage<Error>(list + ": the list names images and arrays; it must be one of them"));
  EXPECT_THAT(listing("\n \n"), ThrowsMessage<Error>(list + ": the list is empty"));
}

}  // namespace
}  // namespace ocs
