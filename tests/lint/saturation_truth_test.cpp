// The sums that the engine really makes of uint8 and int8, on whatever processor the tests run: on one that adds pairs of products in 16
// bits every layer without a warning must be exact all the same, and every layer with one must be what adding in pairs gives.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lint/kernel_sums.h"
#include "support/processor.h"

namespace ocs {
namespace {

using testing::IsEmpty;
using testing::Not;

struct Convolution {
  std::int64_t inputs = 1;  // of all groups
  std::int64_t outputs = 1;
  std::int64_t kernel = 1;
  std::int64_t groups = 1;
  std::int64_t stride = 1;
  std::int64_t zero_point = 0;  // of the data
  bool is_q_operator = false;
  std::string weight_type = "int8";
  enum class Stored {
    integers,
    floats_quantized,
    floats
  };  // floats alone: the engine quantizes them
  Stored stored = Stored::integers;
  std::int64_t weight_zero = 0;  // floats less integers
};
using Stored = Convolution::Stored;

void PrintTo(const Convolution& each, std::ostream* out) {
  *out << fmt::format("{} to {}, {} groups, kernel {}, stride {}{}{}", each.inputs, each.outputs,
                      each.groups, each.kernel, each.stride,
                      each.is_q_operator ? ", QLinearConv" : "",
                      each.stored == Stored::integers           ? ""
                      : each.stored == Stored::floats_quantized ? ", quantized float weights"
                                                                : ", float weights");
}

constexpr std::int64_t extent = 9;
constexpr std::int64_t result_scale =
    1024;  // a power of two: the engine's product with its inverse is exact

class ConvSums : public testing::TestWithParam<Convolution> {
 protected:
  const Convolution conv = GetParam();
  const std::int64_t inputs = conv.inputs / conv.groups;
  const std::int64_t taps = conv.kernel * conv.kernel;
  const Shape shape{1, conv.inputs, extent, extent};
  const std::vector<std::int64_t> data = integers("uint8", 1, element_count(shape));
  const Shape weight_shape{conv.outputs, inputs, conv.kernel, conv.kernel};
  // As stored. With both ends of int8 at its front the engine's own scale is 1, and its zero point -conv.weight_zero.
  const std::vector<std::int64_t> weight = [&] {
    std::vector<std::int64_t> values = integers(conv.weight_type, 2, element_count(weight_shape));
    if (conv.stored != Stored::floats) return values;
    values[0] = -128;
    values[1] = 127;
    return values;
  }();

  [[nodiscard]] std::vector<std::int64_t> real_weight() const {
    std::vector<std::int64_t> values = weight;
    for (std::int64_t& value : values) value += conv.weight_zero;
    return values;
  }

  [[nodiscard]] std::string text() const {
    const std::string attributes =
        fmt::format("{{group = {}, strides = [{}, {}], kernel_shape = [{}, {}]}}", conv.groups,
                    conv.stride, conv.stride, conv.kernel, conv.kernel);
    const std::string head =
        fmt::format(
            "ir 8; opset 14; input x uint8{}; init one float[] {{1}}; init xz uint8[] "
            "{{{}}}; init wz {}[] {{0}}; init s float[] {{{}}}; init yz uint8[] {{128}};",
            to_string(shape), conv.zero_point, conv.weight_type, result_scale) +
        (conv.stored == Stored::integers ? constant("w", conv.weight_type, weight_shape, weight)
                                         : constant("wf", "float", weight_shape, real_weight())) +
        (conv.stored == Stored::floats_quantized ? "qw: w = QuantizeLinear(wf, one, wz); " : "");
    return head +
           (conv.is_q_operator
                ? "n: y = QLinearConv(x, one, xz, w, one, wz, s, yz) " + attributes + "; output y;"
                : "dx: f = DequantizeLinear(x, one, xz); " +
                      std::string(
                          conv.stored == Stored::floats
                              ? "n: c = Conv(f, wf) "
                              : "dw: v = DequantizeLinear(w, one, wz); n: c = Conv(f, v) ") +
                      attributes + "; q: y = QuantizeLinear(c, s, yz); output y;");
  }

  // The engine's order: taps, then the input channels of the group.
  [[nodiscard]] std::int64_t product(std::int64_t output, std::int64_t row, std::int64_t column,
                                     Sum sum) const {
    const std::int64_t group = output / (conv.outputs / conv.groups);
    std::vector<std::int64_t> x;
    std::vector<std::int64_t> w;
    std::int64_t correction = 0;
    for (std::int64_t i = 0; i < conv.kernel; ++i)
      for (std::int64_t j = 0; j < conv.kernel; ++j)
        for (std::int64_t c = 0; c < inputs; ++c) {
          const std::int64_t at = ((group * inputs + c) * extent + row * conv.stride + i) * extent +
                                  column * conv.stride + j;
          x.push_back(data[static_cast<std::size_t>(at)]);
          w.push_back(
              weight[static_cast<std::size_t>((output * inputs + c) * taps + i * conv.kernel + j)]);
          correction +=
              conv.zero_point * (w.back() + conv.weight_zero) - conv.weight_zero * x.back();
        }
    return sum(x, w) - correction;
  }

  [[nodiscard]] std::vector<float> expected(Sum sum) const {
    const std::int64_t side = (extent - conv.kernel) / conv.stride + 1;
    std::vector<float> values;
    for (std::int64_t o = 0; o < conv.outputs; ++o)
      for (std::int64_t i = 0; i < side; ++i)
        for (std::int64_t j = 0; j < side; ++j)
          values.push_back(std::clamp(
              128.0F + std::nearbyint(static_cast<float>(product(o, i, j, sum)) / result_scale),
              0.0F, 255.0F));
    return values;
  }
};

TEST_P(ConvSums, AreExactWithoutAWarningAndInPairsWithOne) {
  const bool is_warned = !warning_of(text()).empty();
  EXPECT_EQ(is_warned, expected(sum_in_pairs) != expected(sum_in_full));
  EXPECT_EQ(run(text(), shape, data),
            expected(is_warned && adds_in_16_bits() ? sum_in_pairs : sum_in_full));
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, ConvSums,
    testing::Values(
        Convolution{.inputs = 3, .outputs = 8, .kernel = 3},
        Convolution{.inputs = 3, .outputs = 7, .kernel = 7, .stride = 2, .zero_point = 99},
        Convolution{.inputs = 1, .outputs = 8, .kernel = 3},
        Convolution{.inputs = 5, .outputs = 16, .kernel = 3},
        Convolution{.inputs = 16, .outputs = 16, .kernel = 3, .zero_point = 120},
        Convolution{.inputs = 64, .outputs = 64, .kernel = 1},
        Convolution{.inputs = 16, .outputs = 16, .kernel = 3, .stored = Stored::floats_quantized},
        Convolution{.inputs = 16, .outputs = 16, .kernel = 3, .stored = Stored::floats},
        Convolution{.inputs = 16,
                    .outputs = 16,
                    .kernel = 3,
                    .zero_point = 127,
                    .stored = Stored::floats,
                    .weight_zero = 40},
        Convolution{.inputs = 16,
                    .outputs = 16,
                    .kernel = 3,
                    .zero_point = 127,
                    .stored = Stored::floats,
                    .weight_zero = 128},
        Convolution{.inputs = 16,
                    .outputs = 16,
                    .kernel = 3,
                    .is_q_operator = true,
                    .stored = Stored::floats_quantized},
        Convolution{.inputs = 64, .outputs = 32, .kernel = 1, .stride = 2},
        Convolution{.inputs = 64, .outputs = 3, .kernel = 3},
        Convolution{.inputs = 12, .outputs = 12, .kernel = 3, .groups = 4},
        Convolution{.inputs = 16, .outputs = 32, .kernel = 3, .groups = 16},
        Convolution{
            .inputs = 16, .outputs = 16, .kernel = 3, .zero_point = 7, .is_q_operator = true},
        Convolution{.inputs = 8, .outputs = 16, .kernel = 5, .groups = 8, .is_q_operator = true}));

class ExactConvSums : public ConvSums {};

TEST_P(ExactConvSums, AreExact) {
  EXPECT_EQ(warning_of(text()), "");
  EXPECT_EQ(run(text(), shape, data), expected(sum_in_full));
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, ExactConvSums,
    testing::Values(
        Convolution{.inputs = 1, .outputs = 1, .kernel = 5},
        Convolution{.inputs = 2, .outputs = 2, .kernel = 5, .groups = 2},
        Convolution{.inputs = 16, .outputs = 16, .kernel = 3, .groups = 16},
        Convolution{.inputs = 17, .outputs = 17, .kernel = 3, .groups = 17, .stride = 2},
        Convolution{.inputs = 32, .outputs = 32, .kernel = 7, .groups = 32, .zero_point = 9},
        Convolution{.inputs = 16, .outputs = 16, .kernel = 5, .groups = 16, .is_q_operator = true},
        Convolution{.inputs = 16, .outputs = 16, .kernel = 3, .weight_type = "uint8"},
        Convolution{.inputs = 16,
                    .outputs = 16,
                    .kernel = 3,
                    .is_q_operator = true,
                    .weight_type = "uint8"},
        Convolution{
            .inputs = 16, .outputs = 16, .kernel = 5, .groups = 16, .weight_type = "uint8"}));

// x uint8[rows, 64] times w int8[64, columns], stored as the operator wants it.
struct Product {
  std::string name{};
  std::string nodes{};  // of x and w, to y
  std::int64_t rows = 5;
  std::int64_t zero_point = 0;   // of the data
  std::int64_t weight_zero = 0;  // of the weight
  bool is_transposed = false;
  bool is_dynamic = false;  // float data that the kernel quantizes itself, to their own values
  std::string weight_type = "int8";
};

void PrintTo(const Product& each, std::ostream* out) { *out << each.name; }

constexpr std::int64_t length = 64;
constexpr std::int64_t columns = 6;
constexpr std::int64_t weight_count = length * columns;

class ProductSums : public testing::TestWithParam<Product> {
 protected:
  Product product = GetParam();
  const std::string data_type = product.is_dynamic ? "float" : "uint8";
  const Shape shape{product.rows, length};
  std::vector<std::int64_t> data = integers("uint8", 3, element_count(shape));
  std::vector<std::int64_t> weight = integers(product.weight_type, 4, weight_count);

  ProductSums() {
    data[0] = 0;  // so that data which are quantized as the kernel runs keep their values
    data[1] = 255;
  }

  [[nodiscard]] std::string text() const {
    return fmt::format(
               "ir 8; opset 14; opset com.microsoft 1; input x {}{}; init one float[] {{1}}; "
               "init xz uint8[] {{{}}}; init wz {}[] {{{}}};",
               data_type, to_string(shape), product.zero_point, product.weight_type,
               product.weight_zero) +
           constant("w", product.weight_type,
                    product.is_transposed ? Shape{columns, length} : Shape{length, columns},
                    weight) +
           product.nodes + "output y;";
  }

  [[nodiscard]] std::vector<float> expected(Sum sum) const {
    std::vector<float> values;
    for (std::int64_t r = 0; r < product.rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c) {
        const std::vector<std::int64_t> x(data.begin() + r * length,
                                          data.begin() + (r + 1) * length);
        std::vector<std::int64_t> w;
        std::int64_t correction = 0;
        for (std::int64_t k = 0; k < length; ++k) {
          w.push_back(weight[static_cast<std::size_t>(product.is_transposed ? c * length + k
                                                                            : k * columns + c)]);
          correction += product.zero_point * (w.back() - product.weight_zero) +
                        product.weight_zero * x[static_cast<std::size_t>(k)];
        }
        values.push_back(static_cast<float>(sum(x, w) - correction));
      }
    return values;
  }
};

TEST_P(ProductSums, AreInPairsWhereThatIsWarnedOf) {
  ASSERT_NE(expected(sum_in_pairs), expected(sum_in_full));
  EXPECT_THAT(warning_of(text()), Not(IsEmpty()));
  EXPECT_EQ(run(text(), shape, data, data_type),
            expected(adds_in_16_bits() ? sum_in_pairs : sum_in_full));
}

TEST_P(ProductSums, AreExactWithUnsignedWeights) {
  product.weight_type = "uint8";
  product.weight_zero = std::abs(product.weight_zero);
  weight = integers("uint8", 4, weight_count);
  EXPECT_EQ(warning_of(text()), "");
  EXPECT_EQ(run(text(), shape, data, data_type), expected(sum_in_full));
}

const std::string dequantized =
    "dx: f = DequantizeLinear(x, one, xz); dw: v = DequantizeLinear(w, one, wz);";

INSTANTIATE_TEST_SUITE_P(
    Kernels, ProductSums,
    testing::Values(
        Product{.name = "MatMul", .nodes = dequantized + "n: y = MatMul(f, v);"},
        Product{
            .name = "MatMul of one row", .nodes = dequantized + "n: y = MatMul(f, v);", .rows = 1},
        Product{.name = "MatMul with zero points",
                .nodes = dequantized + "n: y = MatMul(f, v);",
                .zero_point = 3,
                .weight_zero = 5},
        Product{.name = "Gemm",
                .nodes = dequantized + "n: y = Gemm(f, v) {transB = 1};",
                .is_transposed = true},
        Product{.name = "MatMulInteger",
                .nodes = "n: i = MatMulInteger(x, w, xz, wz); c: y = Cast(i) {to = 1};",
                .zero_point = 7,
                .weight_zero = -4},
        Product{.name = "MatMulIntegerToFloat",
                .nodes = "n: y = com.microsoft.MatMulIntegerToFloat(x, w, one, one, xz, wz);",
                .zero_point = 7},
        Product{.name = "QGemm",
                .nodes = "n: y = com.microsoft.QGemm(x, one, xz, w, one, wz) {transB = 1};",
                .zero_point = 2,
                .is_transposed = true},
        Product{.name = "DynamicQuantizeMatMul",
                .nodes = "n: y = com.microsoft.DynamicQuantizeMatMul(x, w, one, wz);",
                .is_dynamic = true},
        Product{
            .name = "dynamic quantization",
            .nodes = "dq: q, s, z = DynamicQuantizeLinear(x); n: i = MatMulInteger(q, w, z, wz); "
                     "c: f = Cast(i) {to = 1}; r: t = Mul(s, one); m: y = Mul(f, t);",
            .is_dynamic = true}));

}  // namespace
}  // namespace ocs
