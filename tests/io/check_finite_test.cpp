#include "ocs/io/check_finite.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

std::string complaint_about(const Model& model) {
  try {
    check_finite(model);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::bad_input);
    return error.what();
  }
  return "nothing";
}

std::string complaint_about(std::string_view text) { return complaint_about(text_model(text)); }

TEST(CheckFinite, NamesTensorAndPlace) {
  EXPECT_EQ(complaint_about("init w float[2, 2] {1, 2, nan, 4}; y = MatMul(x, w)"),
            "tensor 'w' holds NaN (value 2 of 4)");
  EXPECT_EQ(complaint_about("init w float[3] {1, -inf, inf}; y = Add(x, w)"),
            "tensor 'w' holds infinity (value 1 of 3)");
  EXPECT_EQ(complaint_about("init w float[3] {inf, nan, 0}; y = Add(x, w)"),
            "tensor 'w' holds NaN (value 1 of 3)");
  EXPECT_EQ(complaint_about("init w double[1] {nan}; y = Add(x, w)"),
            "tensor 'w' holds NaN (value 0 of 1)");
  EXPECT_EQ(complaint_about("init w float[2] {3e38, -1e-45}; y = Add(x, w)"), "nothing");
}

// Ends of the block of 1,024 floats that is scanned at once, and of the shorter one behind it.
TEST(CheckFinite, FindsAValueAtAnyPlace) {
  for (const int place : {0, 1, 7, 8, 1022, 1023, 1024, 1025, 1498, 1499}) {
    Model model = text_model("init w float[1500] zeros; y = Add(x, w)");
    const float nan = std::numeric_limits<float>::quiet_NaN();
    model.graph().mutable_initializer(0)->mutable_raw_data()->replace(
        static_cast<std::size_t>(place) * 4, 4, reinterpret_cast<const char*>(&nan), 4);
    ASSERT_EQ(complaint_about(model),
              "tensor 'w' holds NaN (value " + std::to_string(place) + " of 1500)");
  }
}

TEST(CheckFinite, LooksIntoTypedFieldsAndHalves) {
  Model model = text_model("y = Add(x, w)");
  auto& tensor = *model.graph().add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(1);
  tensor.add_float_data(std::numeric_limits<float>::infinity());
  EXPECT_THAT(complaint_about(model), HasSubstr("infinity"));
  tensor.clear_float_data();
  tensor.set_data_type(onnx::TensorProto::FLOAT16);
  tensor.add_int32_data(0x7C01);
  EXPECT_THAT(complaint_about(model), HasSubstr("NaN"));
  tensor.set_int32_data(0, 0xFC00);
  EXPECT_THAT(complaint_about(model), HasSubstr("infinity"));
  tensor.set_int32_data(0, 0x7BFF);
  EXPECT_EQ(complaint_about(model), "nothing");
  tensor.set_data_type(onnx::TensorProto::BFLOAT16);
  tensor.clear_int32_data();
  tensor.set_raw_data(std::string("\x80\xff", 2));
  EXPECT_THAT(complaint_about(model), HasSubstr("infinity"));
}

TEST(CheckFinite, LooksIntoConstantsBodiesAndAttributes) {
  EXPECT_EQ(complaint_about("c = Constant() {value = float[1] {nan}}; y = Add(x, c)"),
            "tensor 'c' holds NaN (value 0 of 1)");
  EXPECT_THAT(
      complaint_about(
          "r = If(cond) {then_branch = graph { init w float[1] {nan}; t = Add(x, w); output t; }}"),
      HasSubstr("'w' holds NaN"));
  EXPECT_THAT(complaint_about("r = If(cond) {then_branch = graph { c = Constant() {value = "
                              "float[1] {inf}}; t = Add(x, c); output t; }}"),
              HasSubstr("'c' holds infinity"));
  EXPECT_EQ(complaint_about("leaky: y = LeakyRelu(x) {alpha = nan}"),
            "node 'leaky' (LeakyRelu): attribute 'alpha' is NaN");
}

TEST(CheckFinite, AllowsInfinityWhereItIsAnOrdinaryValue) {
  EXPECT_EQ(complaint_about("init mask float[] {-inf}; y = Where(cond, x, mask)"), "nothing");
  EXPECT_EQ(
      complaint_about("init low float[] {0}; init high float[] {inf}; y = Clip(x, low, high)"),
      "nothing");
  EXPECT_EQ(complaint_about("c = Constant() {value = float[] {-inf}}; y = Max(x, c)"), "nothing");
  EXPECT_EQ(complaint_about("y = ConstantOfShape(s) {value = float[1] {-inf}}"), "nothing");
  EXPECT_THAT(
      complaint_about("init mask float[] {-inf}; y = Where(cond, x, mask); z = Add(x, mask)"),
      HasSubstr("infinity"));
  EXPECT_THAT(complaint_about("init mask float[] {nan}; y = Where(cond, x, mask)"),
              HasSubstr("NaN"));
}

}  // namespace
}  // namespace ocs
