#include "ocs/data/preprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/files.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

auto parsing(const std::string& text) {
  return [text] { (void)parse_preprocess(text); };
}

TEST(ParsePreprocess, KnowsTheNamedOnes) {
  EXPECT_EQ(parse_preprocess("imagenet-torch"), (Preprocess{.resize = 256,
                                                            .crop = 224,
                                                            .scale = 1.0 / 255.0,
                                                            .mean = {.485, .456, .406},
                                                            .deviation = {.229, .224, .225}}));
  EXPECT_EQ(parse_preprocess("imagenet-tf"),
            (Preprocess{.mean = {127.5, 127.5, 127.5}, .deviation = {127.5, 127.5, 127.5}}));
  EXPECT_EQ(parse_preprocess("imagenet-caffe"),
            (Preprocess{.channels = Channels::bgr, .mean = {103.939, 116.779, 123.68}}));
  EXPECT_EQ(parse_preprocess("cifar10"), parse_preprocess("imagenet-tf"));
  for (const std::string& name : preprocess_names())
    EXPECT_NO_THROW(check(parse_preprocess(name))) << name;
}

TEST(ParsePreprocess, ReadsPairsWithListsAndFractions) {
  EXPECT_EQ(parse_preprocess(
                "resize=256,crop=224,channels=bgr,scale=1/255,mean=.5,0.25,1,std=2,layout=nhwc,"
                "interpolation=bicubic"),
            (Preprocess{.resize = 256,
                        .crop = 224,
                        .channels = Channels::bgr,
                        .scale = 1.0 / 255.0,
                        .mean = {0.5, 0.25, 1},
                        .deviation = {2},
                        .layout = Layout::nhwc,
                        .interpolation = Interpolation::bicubic}));
}

TEST(ParsePreprocess, LetsPairsReplaceWhatANameSets) {
  Preprocess expected = parse_preprocess("imagenet-caffe");
  expected.resize = 256;
  expected.crop = 224;
  EXPECT_EQ(parse_preprocess("imagenet-caffe,resize=256,crop=224"), expected);
}

TEST(ParsePreprocess, ReadsAFile) {
  const TempFolder folder;
  const auto file = folder.write("p.json", std::string(R"({"crop": 32, "mean": 1.5})"));
  EXPECT_EQ(parse_preprocess(file.string()), (Preprocess{.crop = 32, .mean = {1.5}}));
  EXPECT_THAT(parsing(folder.path().string() + "/none.json"),
              ThrowsMessage<Error>(HasSubstr("cannot be read")));
}

TEST(ParsePreprocess, SaysWhatIsWrong) {
  EXPECT_THAT(
      parsing("imagenet-trch"),
      ThrowsMessage<Error>(
          "preprocess 'imagenet-trch': no preprocessing is named 'imagenet-trch' (did you mean "
          "'imagenet-torch'?); known are imagenet-torch, imagenet-tf, imagenet-caffe, cifar10, "
          "a FILE.json, or key=value,..."));
  EXPECT_THAT(parsing("crop=224,scal=2"),
              ThrowsMessage<Error>("preprocess 'crop=224,scal=2': unknown key 'scal' (did "
                                   "you mean 'scale'?)"));
  EXPECT_THAT(parsing("crop=x"),
              ThrowsMessage<Error>("preprocess 'crop=x': crop: \"x\" is not a number of pixels"));
  EXPECT_THAT(parsing("crop=2.5"),
              ThrowsMessage<Error>("preprocess 'crop=2.5': crop: 2.5 is not a number of pixels"));
  EXPECT_THAT(parsing("crop=9999999999"),
              ThrowsMessage<Error>(HasSubstr("is not a number of pixels")));
  EXPECT_THAT(parsing("crop=1,crop=2"),
              ThrowsMessage<Error>(HasSubstr("key 'crop' is given twice")));
  EXPECT_THAT(parsing("mean=1,b,3"),
              ThrowsMessage<Error>("preprocess 'mean=1,b,3': mean: \"b\" is not a number"));
  EXPECT_THAT(parsing("mean=1,2"),
              ThrowsMessage<Error>("preprocess 'mean=1,2': mean has 2 values for 3 channels"));
  EXPECT_THAT(parsing("channels=gray,mean=1,2,3"),
              ThrowsMessage<Error>(HasSubstr("mean has 3 values for 1 channel")));
  EXPECT_THAT(parsing("std=0"), ThrowsMessage<Error>("preprocess 'std=0': std cannot be 0"));
  EXPECT_THAT(parsing("scale=nan"),
              ThrowsMessage<Error>("preprocess 'scale=nan': scale cannot be nan"));
  EXPECT_THAT(parsing("scale=1/0"),
              ThrowsMessage<Error>("preprocess 'scale=1/0': scale: \"1/0\" is not a number"));
  EXPECT_THAT(parsing("resize=200,crop=224"),
              ThrowsMessage<Error>(HasSubstr("crop 224 does not fit into resize 200")));
  EXPECT_THAT(parsing("channels=rbg"),
              ThrowsMessage<Error>("preprocess 'channels=rbg': channels: 'rbg' is none of rgb, "
                                   "bgr, gray (did you mean 'rgb'?)"));
  EXPECT_THAT(parsing(""), ThrowsMessage<Error>(HasSubstr("no preprocessing is named ''")));
}

TEST(PreprocessFromJson, ReturnsWhatToJsonWrote) {
  for (const char* text :
       {"imagenet-torch", "imagenet-caffe", "cifar10", "channels=gray,mean=1,std=2",
        "layout=nhwc,interpolation=bicubic,scale=1/3", "channels=rgb"}) {
    const Preprocess preprocess = parse_preprocess(text);
    const std::string written = to_json(preprocess).dump();
    EXPECT_EQ(preprocess_from_json(parse_json(written, "test")), preprocess) << written;
  }
  EXPECT_EQ(to_json(Preprocess{}).dump(), R"({"channels":"rgb"})");
}

TEST(FindSidecar, LooksBesideTheModelUnderItsName) {
  const TempFolder folder;
  EXPECT_EQ(find_sidecar(folder / "net.onnx"), std::nullopt);
  folder.write("net.preprocess.json", std::string(R"({"crop": 32})"));
  EXPECT_EQ(find_sidecar(folder / "net.onnx"), (Preprocess{.crop = 32}));
  EXPECT_EQ(find_sidecar(folder / "net.v2.onnx"), std::nullopt);
}

TEST(FindSidecar, NamesTheFileThatIsWrong) {
  const TempFolder folder;
  const auto file = folder.write("net.preprocess.json", std::string(R"({"crp": 32})"));
  EXPECT_THAT([&] { (void)find_sidecar(folder / "net.onnx"); },
              ThrowsMessage<Error>(file.string() + ": unknown key 'crp' (did you mean 'crop'?)"));
  folder.write("net.preprocess.json", std::string("[1"));
  EXPECT_THAT([&] { (void)find_sidecar(folder / "net.onnx"); },
              ThrowsMessage<Error>(HasSubstr(file.string())));
  folder.write("net.preprocess.json", std::string("[1]"));
  EXPECT_THAT([&] { (void)find_sidecar(folder / "net.onnx"); },
              ThrowsMessage<Error>(HasSubstr("expected a JSON object")));
}

}  // namespace
}  // namespace ocs
