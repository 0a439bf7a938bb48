#include "ocs/graph/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/graph/edit.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;

// As dump writes it, so that the text is its own dump.
constexpr std::string_view canonical = R"(ir 8; opset 13; opset com.microsoft 1;
metadata "key" "value";
input x float[1,N,?];
input "odd name" float;
input cond bool[];
output r;
conv: y = Conv(x, w, , b) {group = 1, pads = [1, 1]};
z = com.microsoft.Gelu(y) {alpha = 0.5, beta = 1.0, list = [0.5, 2.0], mode = "fast", names = ["p", "q"]};
c = Constant() {value = int64[2] {0, -1}};
r = If(cond) {else_branch = graph {
  output e;
  e = Neg(z);
}, then_branch = graph {
  output t float[1];
  t = Relu(inner);
  init inner float[1] {1};
}};
init b float[3] {0, 1.5, -2e+20};
init flags bool[2] {1, 0};
init halves float16[2] {0.5, -2};
init nothing float[0,3] {};
init scalar int8[] {-128};
init w float[1] {nan};
info y float[1,4];
)";

TEST(Dump, IsATextThatReadsBackAsTheSameModel) {
  EXPECT_EQ(dump(text_model(canonical)), canonical);
}

TEST(Dump, SortsWhatHasNoOrder) {
  const Model one = text_model(
      "init b float[1] {1}; init a float[1] {2}; y = Clip(x) {min = 0.0, max = 1.0}; opset b.c 1; "
      "opset a.b 2");
  const Model two = text_model(
      "opset a.b 2; opset b.c 1; y = Clip(x) {max = 1.0, min = 0.0}; init a float[1] {2}; init b "
      "float[1] {1}");
  EXPECT_EQ(dump(one), dump(two));
}

TEST(Dump, ShowsRangeAndHashOfLargeTensors) {
  const Model model = text_model("init w float[9] range; init v int64[9] range");
  EXPECT_THAT(dump(model), HasSubstr("init w float[9] in [0, 8], hash "));
  EXPECT_THAT(dump(model), HasSubstr("init v int64[9] hash "));
  EXPECT_NE(dump(model),
            dump(text_model("init w float[9] range; init v int64[9] {0, 1, 2, 3, 4, 5, 6, 7, 9}")));
}

TEST(Dump, DoesNotDependOnTheStorageForm) {
  const Model raw = text_model("init w float[9] range");
  Model typed = text_model("y = Relu(x)");
  typed.graph().clear_node();
  auto& tensor = *typed.graph().add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(9);
  for (int i = 0; i < 9; ++i) tensor.add_float_data(static_cast<float>(i));
  EXPECT_EQ(dump(typed), dump(raw));
}

TEST(Dump, ShowsWhatItCannotCompute) {
  Model model = text_model("y = Relu(x) {s = \"a\nb\"}");
  auto& tensor = *model.graph().add_initializer();
  tensor.set_name("packed");
  tensor.set_data_type(22);
  tensor.add_dims(3);
  tensor.set_raw_data("ab");
  EXPECT_THAT(dump(model), HasSubstr("init packed type22[3] hash "));
  EXPECT_THAT(dump(model), HasSubstr("s = \"a\\x0ab\""));
}

}  // namespace
}  // namespace ocs
