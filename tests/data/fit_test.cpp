#include "ocs/data/fit.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::ThrowsMessage;

Cut cut(const Shape& array, const Shape& input) {
  return cut_arrays({{"x", array}}, {{.name = "x", .shape = input}}).at("x");
}
void expect_cut(const Shape& array, const Shape& input, std::int64_t samples, const Shape& shape) {
  const Cut found = cut(array, input);
  EXPECT_EQ(found.samples, samples) << to_string(array) << " for " << to_string(input);
  EXPECT_EQ(found.shape, shape) << to_string(array) << " for " << to_string(input);
}

TEST(CutArrays, MakesSingleItemsOfABatch) {
  expect_cut({5, 3, 8, 8}, {-1, 3, 8, 8}, 5, {1, 3, 8, 8});  // free batch
  expect_cut({5, 3, 8, 8}, {1, 3, 8, 8}, 5, {1, 3, 8, 8});   // fixed batch of 1
  expect_cut({1, 3, 8, 8}, {-1, 3, 8, 8}, 1, {1, 3, 8, 8});
  expect_cut({6, 3}, {2, 3}, 3, {2, 3});  // fixed batch of 2
  expect_cut({5, 3, 4, 9}, {-1, 3, -1, -1}, 5, {1, 3, 4, 9});
}

TEST(CutArrays, AddsAndTakesAwayTheAxisOfTheBatch) {
  expect_cut({3, 8, 8}, {-1, 3, 8, 8}, 1, {1, 3, 8, 8});
  expect_cut({3, 8, 8}, {1, 3, 8, 8}, 1, {1, 3, 8, 8});
  expect_cut({7, 1, 3, 8, 8}, {1, 3, 8, 8}, 7, {1, 3, 8, 8});
  expect_cut({7, 2, 3}, {-1, 3}, 7, {2, 3});
  expect_cut({}, {}, 1, {});
  expect_cut({1}, {}, 1, {});
  expect_cut({}, {1}, 1, {1});
  expect_cut({9}, {}, 9, {});
}

TEST(CutArrays, RefusesOtherShapesWithBoth) {
  const auto cutting = [](const Shape& array, const Shape& input) {
    return [=] { (void)cut(array, input); };
  };
  EXPECT_THAT(cutting({1, 3, 8, 9}, {-1, 3, 8, 8}),
              ThrowsMessage<Error>(
                  "the data for input 'x' has the shape [1,3,8,9], the model takes [?,3,8,8]"));
  EXPECT_THAT(
      cutting({5, 3}, {2, 3}),
      ThrowsMessage<Error>("the data for input 'x' has the shape [5,3], the model takes [2,3]"));
  EXPECT_THROW(cutting({0, 3}, {1, 3})(), Error);
  EXPECT_THROW(cutting({3, 8, 8}, {2, 3, 8, 8})(), Error);
  EXPECT_THROW(cutting({2}, {1, 3, 8, 8})(), Error);
}

const std::vector<Port> recurrent{{.name = "ids", .type = ElementType::int64, .shape = {-1, -1}},
                                  {.name = "h0", .shape = {1, -1, 256}}};

TEST(CutArrays, LeavesTimeWholeWhereTheInputsDoNotAgree) {
  const auto cuts = cut_arrays({{"ids", {35, 10}}, {"h0", {1, 10, 256}}}, recurrent);
  EXPECT_EQ(cuts.at("ids").shape, (Shape{35, 10}));
  EXPECT_EQ(cuts.at("ids").rows, 0);
  EXPECT_EQ(cuts.at("h0").shape, (Shape{1, 10, 256}));
}

TEST(CutArrays, CutsSeveralInputsThatAgree) {
  const std::vector<Port> inputs{{.name = "ids", .shape = {-1, -1}},
                                 {.name = "mask", .shape = {-1, -1}},
                                 {.name = "rate", .shape = {}}};
  const auto cuts = cut_arrays({{"ids", {8, 128}}, {"mask", {8, 128}}, {"rate", {}}}, inputs);
  EXPECT_EQ(cuts.at("ids").samples, 8);
  EXPECT_EQ(cuts.at("ids").shape, (Shape{1, 128}));
  EXPECT_EQ(cuts.at("mask").samples, 8);
  EXPECT_EQ(cuts.at("rate").rows, 0);  // shared by all
}

TEST(CutArrays, RefusesInputsThatMustBeCutAndDoNotAgree) {
  const std::vector<Port> inputs{{.name = "a", .shape = {1, 2}}, {.name = "b", .shape = {1, 2}}};
  EXPECT_THAT(
      [&] {
        (void)cut_arrays({{"a", {4, 2}}, {"b", {3, 2}}}, inputs);
      },
      ThrowsMessage<Error>(
          "the data for input 'a' holds 4 samples (shape [4,2], the model takes [1,2]), that of "
          "other inputs another number"));
}

TEST(CutArrays, NamesMissingAndUnknownInputs) {
  EXPECT_THAT(
      [] {
        (void)cut_arrays({{"ids", {1, 2}}, {"ho", {1, 2, 256}}}, recurrent);
      },
      ThrowsMessage<Error>("the model has no input 'ho' (did you mean 'h0'?); it has ids, h0"));
  EXPECT_THAT(
      [] {
        (void)cut_arrays({{"ids", {1, 2}}}, recurrent);
      },
      ThrowsMessage<Error>("no data for the model's input 'h0'"));
}

template <typename From, typename To>
void expect_converted(const std::vector<From>& from, ElementType type, const std::vector<To>& to) {
  const Shape shape{static_cast<std::int64_t>(from.size())};
  EXPECT_EQ(convert({.shape = shape, .values = from}, type), (Tensor{.shape = shape, .values = to}))
      << name_of(type);
}

TEST(Convert, ChangesTypesWhereTheValuesStay) {
  expect_converted<float, float>({1.5F}, ElementType::float32, {1.5F});
  expect_converted<double, float>({0.1}, ElementType::float32, {0.1F});
  expect_converted<float, double>({1.5F}, ElementType::float64, {1.5});
  expect_converted<std::uint8_t, float>({0, 255}, ElementType::float32, {0, 255});
  expect_converted<std::int64_t, float>({1 << 24}, ElementType::float32, {16777216});
  expect_converted<std::int32_t, std::int64_t>({-5}, ElementType::int64, {-5});
  expect_converted<std::int64_t, std::int32_t>({-5}, ElementType::int32, {-5});
  expect_converted<std::int64_t, Boolean>({0, 1}, ElementType::boolean,
                                          {Boolean::no, Boolean::yes});
  expect_converted<Boolean, float>({Boolean::no, Boolean::yes}, ElementType::float32, {0, 1});
  expect_converted<Boolean, std::int64_t>({Boolean::yes}, ElementType::int64, {1});
}

template <typename From>
auto converting(From value, ElementType type) {
  return [=] { (void)convert({.shape = {1}, .values = std::vector<From>{value}}, type); };
}

TEST(Convert, RefusesToChangeValues) {
  EXPECT_THAT(converting(1.0F, ElementType::int64),
              ThrowsMessage<Error>("the data is of type float, the model takes int64"));
  EXPECT_THAT(converting(1.0, ElementType::boolean),
              ThrowsMessage<Error>("the data is of type double, the model takes bool"));
  EXPECT_THAT(
      converting(std::int64_t{(1 << 24) + 1}, ElementType::float32),
      ThrowsMessage<Error>(
          "the value 16777217 of type int64 is no value of type float, which the model takes"));
  EXPECT_THAT(
      converting(std::numeric_limits<std::int64_t>::max(), ElementType::float64),
      ThrowsMessage<Error>(
          "the value 9223372036854775807 of type int64 is no value of type double, which the "
          "model takes"));
  EXPECT_THAT(converting(std::int32_t{-1}, ElementType::uint8),
              ThrowsMessage<Error>(
                  "the value -1 of type int32 is no value of type uint8, which the model takes"));
  EXPECT_THAT(converting(std::int32_t{2}, ElementType::boolean),
              ThrowsMessage<Error>(
                  "the value 2 of type int32 is no value of type bool, which the model takes"));
}

}  // namespace
}  // namespace ocs
