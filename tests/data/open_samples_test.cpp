#include "ocs/data/open_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<Port> image{{.name = "x", .shape = {-1, 3, 2, 2}}};

auto opening(const std::filesystem::path& path, const DataOptions& options = {}) {
  return [=] { (void)open_samples(path, image, options); };
}

TEST(OpenSamples, NamesThePathThatIsNotThere) {
  EXPECT_THAT(opening("/no/such/place"),
              ThrowsMessage<Error>("/no/such/place: no such file or folder"));
}

TEST(OpenSamples, RefusesFoldersWithoutData) {
  const TempFolder folder;
  EXPECT_THAT(opening(folder.path()),
              ThrowsMessage<Error>(folder.path().string() + ": the folder is empty"));
  folder.write("readme.txt", std::string("nothing"));
  EXPECT_THAT(opening(folder.path()),
              ThrowsMessage<Error>(
                  folder.path().string() +
                  ": holds no data of a known form (images, list, npy, zoo, cifar10, raw)"));
  std::filesystem::create_directory(folder / "sub");
  EXPECT_THAT(opening(folder.path()),
              ThrowsMessage<Error>(HasSubstr("holds no file .jpg, .jpeg, .png")));
}

TEST(OpenSamples, RefusesFoldersWithSeveralForms) {
  const TempFolder folder;
  folder.write("a.ppm", ppm(2, 2));
  folder.write("b.npy", npy_floats("(1, 3, 2, 2)", 12));
  EXPECT_THAT(opening(folder.path()),
              ThrowsMessage<Error>(folder.path().string() +
                                   ": holds 'a.ppm' and 'b.npy', different forms of data; name one "
                                   "by the format, or give a list file"));
  EXPECT_EQ(open_samples(folder.path(), image, {.format = "npy"}).load(0).name, "b.npy");
  EXPECT_EQ(open_samples(folder.path(), image, {.format = "images"}).load(0).name, "a.ppm");
}

TEST(OpenSamples, RefusesFilesOfNoKnownForm) {
  const TempFolder folder;
  const auto file = folder.write("model.onnx", std::string("\x08\x07\0\x12", 4));
  EXPECT_THAT(opening(file),
              ThrowsMessage<Error>(
                  file.string() +
                  ": not a form of data that is known (images, list, npy, zoo, cifar10, raw)"));
}

TEST(OpenSamples, KnowsTheNamesOfItsFormats) {
  const TempFolder folder;
  EXPECT_THAT(opening(folder.path(), {.format = "np"}),
              ThrowsMessage<Error>("no form of data is named 'np' (did you mean 'npy'?); known are "
                                   "images, list, npy, zoo, cifar10, raw"));
}

const std::vector<Port> mixed{{.name = "pixels", .shape = {-1, -1, -1, -1}},
                              {.name = "nhwc", .shape = {2, -1, -1, 3}},
                              {.name = "ids", .type = ElementType::int64, .shape = {-1, -1}},
                              {.name = "mask", .type = ElementType::boolean, .shape = {3}},
                              {.name = "rate", .type = ElementType::float64, .shape = {}}};

TEST(SyntheticSamples, FillFreeExtentsAsDocumented) {
  const Samples samples = synthetic_samples(mixed, 2, 7);
  EXPECT_EQ(samples.count, 2U);
  EXPECT_TRUE(samples.synthetic);
  const Sample sample = samples.load(1);
  EXPECT_EQ(sample.inputs.at("pixels").shape, (Shape{1, 3, 224, 224}));
  EXPECT_EQ(sample.inputs.at("nhwc").shape, (Shape{2, 224, 224, 3}));
  EXPECT_EQ(sample.inputs.at("ids").shape, (Shape{1, 16}));
  EXPECT_EQ(sample.inputs.at("mask").shape, (Shape{3}));
  EXPECT_EQ(sample.inputs.at("rate").shape, (Shape{}));
}

TEST(SyntheticSamples, AreStandardNormalAndWholeNumbersOfZeroAndOne) {
  const Sample sample = synthetic_samples(mixed, 1, 7).load(0);
  const auto values = sample.inputs.at("pixels").as<float>();
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  // 150528 values: the standard error of the mean is 0.0026, that of the mean square 0.0036; five
  // of each.
  EXPECT_NEAR(sum / static_cast<double>(values.size()), 0, 0.013);
  EXPECT_NEAR(squares / static_cast<double>(values.size()), 1, 0.018);
  EXPECT_THAT(sample.inputs.at("ids").as<std::int64_t>(), testing::Each(testing::AnyOf(0, 1)));
  EXPECT_THAT(sample.inputs.at("ids").as<std::int64_t>(), testing::Contains(1));
}

TEST(SyntheticSamples, DependOnSeedAndIndexOnly) {
  const std::vector<Port> inputs{{.name = "x", .shape = {-1, 8}}};
  const Samples few = synthetic_samples(inputs, 1, 7);
  const Samples many = synthetic_samples(inputs, 9, 7);
  EXPECT_EQ(few.load(0).inputs, many.load(0).inputs);
  EXPECT_NE(many.load(0).inputs, many.load(1).inputs);
  EXPECT_NE(few.load(0).inputs, synthetic_samples(inputs, 1, 8).load(0).inputs);
}

// One sample that holds the given values for image-like or other inputs.
Samples of(const Tensor& tensor) {
  Samples samples{.count = 1};
  samples.load = [tensor](std::size_t) {
    return Sample{.name = "a.png", .inputs = {{"x", tensor}}};
  };
  return samples;
}

std::vector<std::string> lines_for(const Tensor& tensor, bool is_preprocessed) {
  DataOptions options;
  if (is_preprocessed) options.preprocess = Preprocess{};
  Shape shape = tensor.shape;
  return check_first_sample(of(tensor), {{.name = "x", .shape = shape}}, options);
}

Tensor pixels(const std::vector<float>& values) {
  return {.shape = {1, 1, 1, static_cast<std::int64_t>(values.size())}, .values = values};
}

TEST(CheckFirstSample, StatesShapeAndRange) {
  EXPECT_THAT(lines_for(pixels({-1, 0.5F, 2}), true),
              testing::ElementsAre("a.png: input 'x' float [1,1,1,3], min -1, max 2, mean 0.5"));
}

TEST(CheckFirstSample, WarnsWhereValuesLookWrong) {
  const auto warning = [](const std::string& text) {
    return testing::ElementsAre(testing::_, "warning: input 'x' of a.png: " + text);
  };
  EXPECT_THAT(lines_for(pixels({0, 17, 255}), false),
              warning("the values are pixels from 0 to 255, as they are stored; most models take "
                      "them scaled (--preprocess)"));
  EXPECT_THAT(lines_for(pixels({-0.99F, -1, -0.98F}), true),
              warning("the values hardly differ; are they scaled twice?"));
  EXPECT_THAT(
      lines_for(pixels({0, 65025}), true),
      warning("the values are far from what models of images take; check scale, mean and std"));
  EXPECT_THAT(lines_for(pixels({2, 2, 2}), true), warning("all values are 2"));
  EXPECT_THAT(lines_for(pixels({1, NAN, INFINITY}), true),
              warning("2 of 3 values are NaN or infinite"));
  EXPECT_THAT(lines_for({.shape = {0, 3}, .values = std::vector<float>{}}, true),
              warning("it is empty"));
}

TEST(CheckFirstSample, DoesNotWarnOfWhatIsUsual) {
  EXPECT_EQ(lines_for(pixels({0, 17, 255}), true).size(), 1U);     // asked for
  EXPECT_EQ(lines_for(pixels({0, 0.5F, 1}), false).size(), 1U);    // scaled already
  EXPECT_EQ(lines_for(pixels({-123, 10, 151}), true).size(), 1U);  // mean taken away
  EXPECT_EQ(
      lines_for({.shape = {1, 4}, .values = std::vector<std::int64_t>{1, 1, 1, 1}}, false).size(),
      1U);  // a mask
  EXPECT_EQ(lines_for({.shape = {1, 2}, .values = std::vector<float>{0, 1000}}, false).size(),
            1U);  // no image
  EXPECT_EQ(lines_for({.shape = {}, .values = std::vector<float>{5}}, false).size(),
            1U);  // a scalar
}

}  // namespace
}  // namespace ocs
