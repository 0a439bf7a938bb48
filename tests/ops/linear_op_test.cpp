#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/ops/op.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// "data 0, weight 1, bias 2", or the reason.
std::string operand_of(std::string_view text) {
  const Model model = text_model(text);
  const onnx::NodeProto& node = model.graph().node(model.graph().node_size() - 1);
  const Operands answer = find_linear_op(node)->operands(node, Graph(model));
  if (const auto* reason = std::get_if<std::string>(&answer)) return *reason;
  const auto& operands = std::get<std::vector<Operand>>(answer);
  if (operands.size() != 1) return std::to_string(operands.size()) + " operands";
  const Operand& operand = operands.front();
  return "data " + std::to_string(operand.data_input.value_or(-1)) + ", weight " +
         std::to_string(operand.weight_input) +
         (operand.bias_input ? ", bias " + std::to_string(*operand.bias_input) : "");
}

TEST(LinearOps, AreThoseOfTheTable) {
  EXPECT_THAT(linear_op_names(),
              ElementsAre("Conv", "ConvTranspose", "GRU", "Gemm", "LSTM", "MatMul", "RNN"));
  const Model model = text_model("y = Relu(x); a = com.example.Conv(x, w); b = ai.onnx.Conv(x, w)");
  EXPECT_EQ(find_linear_op(model.graph().node(0)), nullptr);
  EXPECT_EQ(find_linear_op(model.graph().node(1)), nullptr);
  EXPECT_EQ(find_linear_op(model.graph().node(2))->op_type, "Conv");
}

TEST(LinearOps, SayWhichInputsAreDataWeightAndBias) {
  EXPECT_EQ(operand_of("init w float[4, 3, 1, 1] ones; y = Conv(x, w)"),
            "data 0, weight 1, bias 2");
  EXPECT_EQ(
      operand_of("init w float[3, 4, 1, 1] ones; init b float[4] ones; y = ConvTranspose(x, w, b)"),
      "data 0, weight 1, bias 2");
  EXPECT_EQ(operand_of("init w float[3, 4] ones; y = Gemm(x, w)"), "data 0, weight 1, bias 2");
  EXPECT_EQ(operand_of("init w float[3, 4] ones; y = MatMul(x, w)"), "data 0, weight 1");
  EXPECT_EQ(operand_of("init w float[3, 4] ones; y = MatMul(w, x)"), "data 1, weight 0");
}

TEST(LinearOps, SayWhyANodeHasNoOperand) {
  EXPECT_EQ(operand_of("w = Relu(v); y = Conv(x, w)"), "its weight is computed, not constant");
  EXPECT_EQ(operand_of("init w float16[1, 1, 1, 1] ones; y = Conv(x, w)"),
            "its weight is not of type float");
  EXPECT_EQ(operand_of("y = Conv(x)"), "it has no weight");
  EXPECT_EQ(operand_of("y = Conv(x, )"), "it has no weight");
  EXPECT_EQ(operand_of("init w float[1, 1, 1, 1] ones; b = Relu(v); y = Conv(x, w, b)"),
            "its bias is computed, not constant");
  EXPECT_EQ(operand_of("y = MatMul(x, z)"), "both of its inputs are computed");
  EXPECT_EQ(operand_of("y = MatMul(x)"), "it does not have two inputs");
  EXPECT_EQ(operand_of("init v float[1, 1] ones; init w float[1, 1] ones; y = MatMul(v, w)"),
            "both of its inputs are constant");
  EXPECT_EQ(operand_of("init v float[1, 1] ones; init w float[1, 1] ones; y = Gemm(v, w)"),
            "both of its inputs are constant");
  EXPECT_EQ(operand_of("init w float[3] ones; y = MatMul(x, w)"),
            "its constant side is a vector: it has no output channels");
  EXPECT_EQ(operand_of("init w float[1, 8, 3] ones; init r float[1, 8, 2] ones; y = LSTM(x, w, r) "
                       "{hidden_size = 2}"),
            "2 operands");
  EXPECT_EQ(operand_of("init w float[1, 8, 3] ones; init r float[1, 8, 2] ones; y = LSTM(x, w, r) "
                       "{hidden_size = 2, layout = 1}"),
            "layout 1 is not run by the engine");
  EXPECT_EQ(
      operand_of("init w float[1, 8, 3] ones; r = Relu(v); y = LSTM(x, w, r) {hidden_size = 2}"),
      "its weight is computed, not constant");
}

std::string complaint_about(std::string_view text, const Shape& weight) {
  const Model model = text_model(text);
  const onnx::NodeProto& node = model.graph().node(0);
  try {
    (void)find_linear_op(node)->view(node, {}, weight, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::bad_input);
    return error.what();
  }
  return "nothing";
}

TEST(LinearOps, RefuseWeightsThatDoNotFitTheNode) {
  EXPECT_EQ(complaint_about("conv: y = Conv(x, w)", {4, 3}),
            "node 'conv' (Conv): weight of shape [4,3]: 3 to 5 axes can be handled");
  EXPECT_EQ(
      complaint_about("conv: y = Conv(x, w) {group = 3}", {4, 1, 1, 1}),
      "node 'conv' (Conv): weight of shape [4,1,1,1]: 4 channels cannot be shared out to 3 groups");
  EXPECT_THAT(complaint_about("conv: y = Conv(x, w) {group = 0}", {4, 1, 1, 1}),
              HasSubstr("to 0 groups"));
  EXPECT_EQ(complaint_about("conv: y = Conv(x, w) {kernel_shape = [3, 3]}", {4, 1, 3, 1}),
            "node 'conv' (Conv): weight of shape [4,1,3,1]: attribute kernel_shape is [3,3]");
  EXPECT_EQ(complaint_about("fc: y = Gemm(x, w)", {4, 3, 1}),
            "node 'fc' (Gemm): weight of shape [4,3,1]: 2 axes are needed");
  EXPECT_EQ(
      complaint_about("conv: y = Conv(x, w) {kernel_shape = [3, 1], group = 2}", {4, 1, 3, 1}),
      "nothing");
}

TEST(LinearOps, RefuseValuesThatAreNotAsManyAsTheShapeSays) {
  const Model model = text_model("y = Gemm(x, w)");
  const std::vector<float> values(11);
  EXPECT_THROW(
      (void)find_linear_op(model.graph().node(0))->view(model.graph().node(0), {}, {4, 3}, values),
      Error);
}

std::int64_t macs_of(std::string_view text, const Shape& weight, const Shape& output) {
  const Model model = text_model(text);
  const onnx::NodeProto& node = model.graph().node(0);
  const LinearOp& op = *find_linear_op(node);
  return op.macs(node, op.view(node, {}, weight, {}), output);
}

TEST(LinearOps, CountMultiplyAccumulates) {
  EXPECT_EQ(macs_of("y = Conv(x, w)", {8, 3, 3, 3}, {1, 8, 10, 10}), 8 * 100 * 3 * 9);
  EXPECT_EQ(macs_of("y = Conv(x, w) {group = 8}", {8, 1, 3, 3}, {2, 8, 10, 10}), 2 * 8 * 100 * 9);
  EXPECT_EQ(macs_of("y = Gemm(x, w) {transB = 1}", {10, 64}, {5, 10}), 5 * 10 * 64);
  EXPECT_EQ(macs_of("y = MatMul(x, w)", {64, 10}, {2, 7, 10}), 2 * 7 * 10 * 64);
  // 5 x 5 positions in, stride 2, 3 x 3 taps, padding 1 and 1 more behind: 10 x 10 positions out.
  EXPECT_EQ(macs_of("y = ConvTranspose(x, w) {kernel_shape = [3, 3], strides = [2, 2], pads = [1, "
                    "1, 1, 1], output_padding = [1, 1]}",
                    {4, 6, 3, 3}, {1, 6, 10, 10}),
            25 * 4 * 6 * 9);
  EXPECT_EQ(macs_of("y = ConvTranspose(x, w) {kernel_shape = [2, 2], strides = [2, 2], group = 2}",
                    {4, 3, 2, 2}, {1, 6, 10, 10}),
            25 * 4 * 3 * 4);
}

}  // namespace
}  // namespace ocs
