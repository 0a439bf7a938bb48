// What every LinearOp promises, held against the engine: a new row of the table adds its models
// here.
#include "ocs/ops/op.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/slow_product.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/tensor_proto.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// The weight is `w`, the data `x`. Attribute kernel_shape is written out: the slow product needs
// it.
const std::vector<std::string> all_models{
    "input x float[2, 3, 7, 6]; init w float[4, 3, 3, 3] random 1; y = Conv(x, w) {kernel_shape = "
    "[3, 3]}",
    "input x float[1, 3, 7, 6]; init w float[4, 3, 1, 1] random 1; y = Conv(x, w) {kernel_shape = "
    "[1, 1]}",
    "input x float[1, 3, 9, 8]; init w float[4, 3, 3, 2] random 2; y = Conv(x, w) {kernel_shape = "
    "[3, 2], strides = [2, 1], pads = [1, 0, 2, 1]}",
    "input x float[1, 3, 9, 8]; init w float[4, 3, 3, 3] random 3; y = Conv(x, w) {kernel_shape = "
    "[3, 3], dilations = [2, 1], pads = [2, 1, 2, 1]}",
    "input x float[1, 3, 8, 7]; init w float[4, 3, 3, 3] random 4; y = Conv(x, w) {kernel_shape = "
    "[3, 3], strides = [2, 2], auto_pad = \"SAME_UPPER\"}",
    "input x float[1, 3, 8, 7]; init w float[4, 3, 2, 2] random 5; y = Conv(x, w) {kernel_shape = "
    "[2, 2], strides = [1, 2], auto_pad = \"SAME_LOWER\"}",
    "input x float[2, 4, 5, 5]; init w float[6, 2, 3, 3] random 6; y = Conv(x, w) {kernel_shape = "
    "[3, 3], group = 2}",
    "input x float[1, 3, 5, 5]; init w float[3, 1, 3, 3] random 7; y = Conv(x, w) {kernel_shape = "
    "[3, 3], group = 3, pads = [1, 1, 1, 1]}",
    "input x float[1, 3, 5, 5]; init w float[6, 1, 3, 3] random 8; y = Conv(x, w) {kernel_shape = "
    "[3, 3], group = 3}",
    "input x float[2, 3, 9]; init w float[4, 3, 3] random 9; y = Conv(x, w) {kernel_shape = [3], "
    "strides = [2], pads = [1, 1]}",
    "input x float[1, 2, 4, 5, 3]; init w float[3, 2, 2, 3, 2] random 10; y = Conv(x, w) "
    "{kernel_shape = [2, 3, 2], strides = [1, 2, 1]}",
    "input x float[2, 3, 4, 5]; init w float[3, 4, 3, 3] random 11; y = ConvTranspose(x, w) "
    "{kernel_shape = [3, 3]}",
    "input x float[1, 3, 4, 5]; init w float[3, 4, 3, 2] random 12; y = ConvTranspose(x, w) "
    "{kernel_shape = [3, 2], strides = [2, 3], pads = [1, 0, 1, 1], output_padding = [1, 0]}",
    "input x float[1, 3, 4, 5]; init w float[3, 4, 2, 2] random 13; y = ConvTranspose(x, w) "
    "{kernel_shape = [2, 2], dilations = [2, 1], strides = [1, 2]}",
    "input x float[1, 4, 3, 3]; init w float[4, 3, 2, 2] random 14; y = ConvTranspose(x, w) "
    "{kernel_shape = [2, 2], group = 2, strides = [2, 2]}",
    "input x float[1, 4, 3, 3]; init w float[4, 1, 2, 2] random 15; y = ConvTranspose(x, w) "
    "{kernel_shape = [2, 2], group = 4}",
    "input x float[2, 3, 4]; init w float[3, 2, 3] random 16; y = ConvTranspose(x, w) "
    "{kernel_shape = [3], strides = [2]}",
    "input x float[1, 2, 2, 3, 2]; init w float[2, 3, 2, 2, 2] random 17; y = ConvTranspose(x, w) "
    "{kernel_shape = [2, 2, 2]}",
    "input x float[3, 5]; init w float[5, 4] random 18; y = Gemm(x, w)",
    "input x float[3, 5]; init w float[4, 5] random 19; y = Gemm(x, w) {transB = 1}",
    "input x float[5, 3]; init w float[5, 4] random 20; y = Gemm(x, w) {transA = 1}",
    "input x float[5, 3]; init w float[4, 5] random 21; y = Gemm(x, w) {transA = 1, transB = 1}",
    "input x float[3, 5]; init w float[5, 4] random 22; y = MatMul(x, w)",
    "input x float[2, 3, 5]; init w float[5, 4] random 23; y = MatMul(x, w)",
    "input x float[2, 3, 2, 5]; init w float[5, 4] random 24; y = MatMul(x, w)",
    "input x float[3, 2, 5]; init w float[3, 5, 4] random 25; y = MatMul(x, w)",
    "input x float[2, 5]; init w float[3, 5, 4] random 26; y = MatMul(x, w)",
    "input x float[5, 3]; init w float[4, 5] random 27; y = MatMul(w, x)",
    "input x float[2, 5, 3]; init w float[4, 5] random 28; y = MatMul(w, x)",
    "input x float[3, 5, 2]; init w float[3, 4, 5] random 29; y = MatMul(w, x)",
};

struct Trial {
  explicit Trial(const std::string& text)
      : model(text_model(text + "; output y")),
        node(model.graph().node(0)),
        op(*find_linear_op(node)),
        operand(std::get<std::vector<Operand>>(op.operands(node, Graph(model))).front()),
        weight(initializer_of(model, "w")),
        data(random_inputs(model, 100).at("x")) {}

  [[nodiscard]] ChannelMatrix view() const {
    return op.view(node, operand, weight.shape, weight.as<float>());
  }

  // The engine's output for another weight and other data.
  [[nodiscard]] Tensor run(const Tensor& other_weight, const Tensor& other_data) const {
    Model other = model.clone();
    *other.graph().mutable_initializer(0) = to_proto(other_weight, "w");
    return run_once(onnx_runtime()(other, {}), {{"x", other_data}}).at("y");
  }
  [[nodiscard]] Tensor run() const { return run(weight, data); }

  Model model;
  const onnx::NodeProto& node;
  const LinearOp& op;
  Operand operand;
  Tensor weight;
  Tensor data;
};

template <typename Check>
void for_each_trial(Check&& check) {
  for (const std::string& text : all_models) {
    SCOPED_TRACE(text);
    check(Trial(text));
  }
}

std::size_t axis_of(int axis, const Shape& shape) {
  return static_cast<std::size_t>(axis < 0 ? axis + std::ssize(shape) : axis);
}

// Index on `axis` of the value at `position`.
std::int64_t index_on(const Shape& shape, int axis, std::size_t position) {
  const std::size_t at = axis_of(axis, shape);
  const auto inner = static_cast<std::size_t>(element_count(std::span(shape).subspan(at + 1)));
  return static_cast<std::int64_t>(position / inner) % shape[at];
}

// The values whose index on `axis` is `index`, times `factor`.
Tensor scaled(Tensor tensor, int axis, std::int64_t index, float factor) {
  const std::span<float> values = tensor.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (index_on(tensor.shape, axis, i) == index) values[i] *= factor;
  return tensor;
}

TEST(LinearOpContract, ProductByTheViewIsWhatTheEngineComputes) {
  for_each_trial([](const Trial& trial) {
    const Tensor output = trial.run();
    const Product product =
        slow_product(trial.node, trial.operand, trial.view(), trial.data, output.shape);
    const auto values = output.as<float>();
    ASSERT_EQ(product.values.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      // Up to 27 terms summed up as floats in some order: each addition is off by 2^-24 of what is
      // added at most.
      EXPECT_NEAR(static_cast<double>(values[i]), product.values[i],
                  30 * 0x1p-24 * product.magnitudes[i])
          << i;
    }
  });
}

TEST(LinearOpContract, ViewReachesEveryWeightOnce) {
  for_each_trial([](const Trial& trial) {
    std::multiset<std::size_t> seen;
    for_each_weight(trial.view(),
                    [&](std::int64_t, std::int64_t, std::size_t index) { seen.insert(index); });
    std::multiset<std::size_t> all;
    for (std::size_t i = 0; i < trial.weight.as<float>().size(); ++i) all.insert(i);
    EXPECT_EQ(seen, all);
  });
}

TEST(LinearOpContract, OutputAxisIsTheRow) {
  for_each_trial([](const Trial& trial) {
    const auto axis = trial.op.output_axis(trial.node, trial.operand, trial.weight.shape);
    if (!axis) {
      EXPECT_GT(trial.view().groups, 1) << "without groups every layout has an axis for its rows";
      return;
    }
    EXPECT_EQ(trial.weight.shape[axis_of(*axis, trial.weight.shape)], trial.view().rows());
    for_each_weight(trial.view(), [&](std::int64_t row, std::int64_t, std::size_t index) {
      ASSERT_EQ(index_on(trial.weight.shape, *axis, index), row);
    });
  });
}

// Doubling is exact, so that nothing but the channel in question may change by a bit.
TEST(LinearOpContract, ARowOfTheWeightMakesAChannelOfTheResult) {
  for_each_trial([](const Trial& trial) {
    const Tensor before = trial.run();
    const int result_axis = trial.op.result_axis(trial.node, trial.operand);
    ASSERT_EQ(before.shape[axis_of(result_axis, before.shape)], trial.view().rows());
    for (std::int64_t row = 0; row < trial.view().rows(); ++row) {
      Tensor weight = trial.weight;
      for_each_weight(trial.view(), [&](std::int64_t r, std::int64_t, std::size_t index) {
        if (r == row) weight.as<float>()[index] *= 2.0F;
      });
      EXPECT_EQ(trial.run(weight, trial.data), scaled(before, result_axis, row, 2.0F))
          << "row " << row;
    }
  });
}

TEST(LinearOpContract, AColumnOfTheWeightMeetsAChannelOfTheData) {
  for_each_trial([](const Trial& trial) {
    const Tensor before = trial.run();
    const int data_axis = trial.op.data_axis(trial.node, trial.operand);
    ASSERT_EQ(trial.data.shape[axis_of(data_axis, trial.data.shape)], trial.view().columns());
    for (std::int64_t column = 0; column < trial.view().columns(); ++column) {
      Tensor weight = trial.weight;
      for_each_weight(trial.view(), [&](std::int64_t, std::int64_t c, std::size_t index) {
        if (c == column) weight.as<float>()[index] *= 0.5F;
      });
      EXPECT_EQ(trial.run(weight, scaled(trial.data, data_axis, column, 2.0F)), before)
          << "column " << column;
    }
  });
}

TEST(LinearOpContract, InputAxisIsTheColumn) {
  for_each_trial([](const Trial& trial) {
    const ChannelMatrix matrix = trial.view();
    const int axis = trial.op.input_axis(trial.node, trial.operand, trial.weight.shape);
    const std::int64_t extent = trial.weight.shape[axis_of(axis, trial.weight.shape)];
    EXPECT_TRUE(extent == matrix.inputs || extent == matrix.columns());
    for_each_weight(matrix, [&](std::int64_t, std::int64_t column, std::size_t index) {
      ASSERT_EQ(index_on(trial.weight.shape, axis, index), column % extent);
    });
  });
}

TEST(LinearOpContract, ViewWithoutValuesHasTheSameGeometry) {
  for_each_trial([](const Trial& trial) {
    const ChannelMatrix whole = trial.view();
    const ChannelMatrix bare = trial.op.view(trial.node, trial.operand, trial.weight.shape, {});
    EXPECT_TRUE(bare.data.empty());
    EXPECT_EQ(bare.size(), whole.size());
    EXPECT_EQ(bare.index(bare.groups - 1, bare.outputs - 1, bare.inputs - 1, bare.taps - 1),
              whole.index(whole.groups - 1, whole.outputs - 1, whole.inputs - 1, whole.taps - 1));
  });
}

// A term a weight and position that is not in the padding; the padding counts as if it were data.
TEST(LinearOpContract, MacsCountTheTermsOfTheProduct) {
  for_each_trial([](const Trial& trial) {
    const Tensor output = trial.run();
    Tensor ones{.shape = trial.data.shape,
                .values = std::vector<float>(trial.data.as<float>().size(), 1.0F)};
    Tensor unit{.shape = trial.weight.shape,
                .values = std::vector<float>(trial.weight.as<float>().size(), 1.0F)};
    double terms = 0.0;
    const ChannelMatrix matrix =
        trial.op.view(trial.node, trial.operand, unit.shape, unit.as<float>());
    for (const double value :
         slow_product(trial.node, trial.operand, matrix, ones, output.shape).values)
      terms += value;
    const auto macs = static_cast<double>(trial.op.macs(trial.node, matrix, output.shape));
    const bool padded =
        attribute(trial.node, "pads") != nullptr || attribute(trial.node, "auto_pad") != nullptr;
    if (padded) {
      EXPECT_GE(macs, terms);
    } else {
      EXPECT_EQ(macs, terms);
    }
  });
}

// Row by row the weights of a group give the group's outputs at that position.
TEST(LinearOpContract, PatchesMeetTheWeights) {
  for_each_trial([](const Trial& trial) {
    const ChannelMatrix weight = trial.view();
    if (trial.op.patches == nullptr || (weight.taps > 1 && trial.node.op_type() == "MatMul"))
      return;
    const Tensor output = trial.run();
    const std::size_t axis = axis_of(trial.op.result_axis(trial.node, trial.operand), output.shape);
    const std::int64_t inner = element_count(std::span(output.shape).subspan(axis + 1));
    const std::vector<Patches> groups =
        trial.op.patches(trial.node, trial.operand, weight, ocs::view(trial.data), {});
    ASSERT_EQ(std::ssize(groups), weight.groups);
    for (std::int64_t group = 0; group < weight.groups; ++group) {
      const Patches& patches = groups[static_cast<std::size_t>(group)];
      ASSERT_EQ(patches.rows * weight.rows(), element_count(output.shape));
      ASSERT_EQ(patches.columns, weight.inputs * weight.taps);
      for (std::int64_t row = 0; row < patches.rows; ++row) {
        for (std::int64_t o = 0; o < weight.outputs; ++o) {
          double sum = 0.0;
          for (std::int64_t c = 0; c < patches.columns; ++c)
            sum += static_cast<double>(
                       patches.values[static_cast<std::size_t>(row * patches.columns + c)]) *
                   static_cast<double>(weight.at(group, o, c / weight.taps, c % weight.taps));
          const std::int64_t channel = group * weight.outputs + o;
          const std::int64_t at = (row / inner * weight.rows() + channel) * inner + row % inner;
          EXPECT_NEAR(static_cast<double>(output.as<float>()[static_cast<std::size_t>(at)]), sum,
                      1e-4);
        }
      }
    }
  });
}

TEST(LinearOpContract, CoverEveryRowOfTheTable) {
  std::set<std::string> covered{"GRU", "LSTM", "RNN"};  // no plain product: tests/pipeline
  for (const std::string& text : all_models)
    covered.insert(text_model(text).graph().node(0).op_type());
  EXPECT_THAT(linear_op_names(), testing::ElementsAreArray(covered));
}

TEST(LinearOpContract, GemmIsAlphaTimesTheProduct) {
  const Model model = text_model(
      "input x float[3, 5]; init w float[5, 4] random 1; y = Gemm(x, w) {alpha = 0.25}; output y");
  const NamedTensors inputs = random_inputs(model, 2);
  const Tensor weight = initializer_of(model, "w");
  const Tensor output = run_once(onnx_runtime()(model, {}), inputs).at("y");
  const onnx::NodeProto& node = model.graph().node(0);
  const LinearOp& op = *find_linear_op(node);
  const Product product = slow_product(
      node, {}, op.view(node, {}, weight.shape, weight.as<float>()), inputs.at("x"), output.shape);
  for (std::size_t i = 0; i < product.values.size(); ++i)
    EXPECT_NEAR(static_cast<double>(output.as<float>()[i]), 0.25 * product.values[i],
                8 * 0x1p-24 * product.magnitudes[i]);
}

}  // namespace
}  // namespace ocs
