// The model zoo's test data through open_samples.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "data/files.h"
#include "ocs/core/error.h"
#include "ocs/data/open_samples.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::vector<Port> one{{.name = "x", .shape = {-1, 2}}};
const std::vector<Port> two{{.name = "x", .shape = {-1, 2}},
                            {.name = "ids", .type = ElementType::int64, .shape = {1}}};

std::string pb(const std::string& name, const Tensor& tensor) {
  return to_proto(tensor, name).SerializeAsString();
}

Tensor pair(float first) {
  return {.shape = {1, 2}, .values = std::vector<float>{first, first + 1}};
}
Tensor id(std::int64_t value) { return {.shape = {1}, .values = std::vector<std::int64_t>{value}}; }

auto opening(const std::filesystem::path& path, const std::vector<Port>& inputs) {
  return [=] { (void)open_samples(path, inputs, {}); };
}

TEST(OpenModelZoo, TakesTheSetsInTheOrderOfTheirNumbers) {
  const TempFolder folder;
  folder.write("model.onnx", std::string("not looked at"));
  for (const char* set : {"10", "2", "0"}) {
    folder.write(std::string("test_data_set_") + set + "/input_0.pb", pb("", pair(std::stof(set))));
    folder.write(std::string("test_data_set_") + set + "/output_0.pb", pb("y", id(7)));
  }
  const Samples samples = open_samples(folder.path(), one, {});
  ASSERT_EQ(samples.count, 3U);
  EXPECT_EQ(samples.load(2).name, "test_data_set_10");
  EXPECT_EQ(samples.load(2).inputs.at("x"), pair(10));
  EXPECT_EQ(samples.load(2).outputs.at("y"), id(7));
}

TEST(OpenModelZoo, TakesOneSetByItself) {
  const TempFolder folder;
  folder.write("test_data_set_0/input_0.pb", pb("", pair(3)));
  EXPECT_EQ(open_samples(folder / "test_data_set_0", one, {}).load(0).name, "test_data_set_0");
  EXPECT_EQ(open_samples(folder / "test_data_set_0/", one, {}).load(0).name, "test_data_set_0");
}

TEST(OpenModelZoo, MatchesInputsByNameOrElseByPosition) {
  const TempFolder folder;
  folder.write("input_0.pb", pb("ids", id(5)));
  folder.write("input_1.pb", pb("x", pair(1)));
  const Sample named = open_samples(folder.path(), two, {}).load(0);
  EXPECT_EQ(named.inputs.at("ids"), id(5));
  folder.write("input_0.pb", pb("gpu_0/data_0", pair(1)));
  folder.write("input_1.pb", pb("gpu_0/data_1", id(5)));
  const Sample placed = open_samples(folder.path(), two, {}).load(0);
  EXPECT_EQ(placed.inputs.at("ids"), id(5));
}

TEST(OpenModelZoo, AddsLabels) {
  const TempFolder folder;
  folder.write("test_data_set_0/input_0.pb",
               pb("", {.shape = {2, 2}, .values = std::vector<float>(4)}));
  const auto labels =
      folder.write("labels.txt", std::string("test_data_set_0 4\ntest_data_set_0 5\n"));
  EXPECT_THAT(open_samples(folder.path(), one, {.labels = labels}).load(0).labels,
              ElementsAre(4, 5));
}

TEST(OpenModelZoo, NamesWhatIsWrong) {
  const TempFolder folder;
  folder.write("test_data_set_0/input_0.pb", pb("", pair(3)));
  const std::string set = (folder / "test_data_set_0").string();
  EXPECT_THAT(opening(folder.path(), two),
              ThrowsMessage<Error>(set + ": 1 files input_*.pb for the model's 2 inputs"));
  EXPECT_THAT(
      opening(folder.path(), {{.name = "x", .shape = {-1, 3}}}),
      ThrowsMessage<Error>(
          set + ": input_0.pb: the data for input 'x' has the shape [1,2], the model takes [?,3]"));
  EXPECT_THAT(
      opening(folder.path(), {{.name = "x", .type = ElementType::int64, .shape = {1, 2}}}),
      ThrowsMessage<Error>(set + ": input_0.pb: the data is of type float, the model takes int64"));
  folder.write("test_data_set_0/input_0.pb", std::string("\xFF\xFF\xFF"));
  EXPECT_THAT(opening(folder.path(), one),
              ThrowsMessage<Error>(set + ": input_0.pb: not a serialized tensor"));
  folder.write("test_data_set_0/input_0.pb", pb("", pair(3)).substr(0, 12));
  EXPECT_THAT(opening(folder.path(), one), ThrowsMessage<Error>(HasSubstr(set + ": input_0.pb: ")));
  EXPECT_THAT(
      opening(folder / "test_data_set_0/input_0.pb", one),
      ThrowsMessage<Error>(HasSubstr("a single tensor; give the folder that holds input_0.pb")));
}

}  // namespace
}  // namespace ocs
