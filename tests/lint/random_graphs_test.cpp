// Random graphs, quantized here and there in random ways: the forecast of every node is what the engine does.
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "lint/engine_truth.h"
#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// All values are [1, 4, 8, 8]. No Transpose: the engine moves it about, which the forecast does not foresee.
class RandomText {
 public:
  explicit RandomText(unsigned seed) : random_(seed) {}

  std::string write(int nodes) {
    text_ = R"(ir 8; opset 14; input x float[1, 4, 8, 8];
      init low float[] {0}; init six float[] {6}; init far float[] {60}; init near float[] {25.46};
      init s1 float[] {0.1}; init s2 float[] {0.2}; init s3 float[1] {0.3};
      init u0 uint8[] {0}; init u128 uint8[] {128}; init i0 int8[] {0}; init i128 int8[] {-128};
      init wz int8[] {0}; init rz int8[4] zeros; init bz int32[] {0}; init bq int32[4] zeros;
    )";
    add_value("x");
    for (int i = 0; i < nodes; ++i) add_node(i);
    for (const std::string& value : values_)
      if (!read_.contains(value) && value != "x") text_ += fmt::format("output {};\n", value);
    return text_;
  }

 private:
  int below(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  bool chance(int percent) { return below(100) < percent; }

  // A float value as it stands, and with a pair behind in most cases.
  void add_value(const std::string& value) {
    values_.push_back(value);
    while (chance(70)) {
      const std::string type =
          chance(70) ? (chance(50) ? "u0" : "u128") : (chance(50) ? "i0" : "i128");
      const std::string scale = chance(75) ? "s1" : chance(80) ? "s2" : "s3";
      const std::string pair = fmt::format("{}_p{}", value, pairs_++);
      text_ += fmt::format(
          "q{0}: {0}i = QuantizeLinear({1}, {2}, {3}); d{0}: {0} = DequantizeLinear({0}i, {2}, "
          "{3});\n",
          pair, value, scale, type);
      read_.insert(value);
      scales_[pair] = scale == "s1" ? 0.1 : scale == "s2" ? 0.2 : 0.3;
      values_.push_back(pair);
      if (chance(80)) break;
    }
  }

  // Mostly one of the last values, so that graphs are deep, and mostly quantized.
  std::string take() {
    const int count = static_cast<int>(values_.size());
    std::string value = values_[static_cast<std::size_t>(count - 1 - below(std::min(count, 4)))];
    read_.insert(value);
    return value;
  }

  // Weights, quantized or not, of [4, 4, 3, 3]; their name.
  std::string weights(int i) {
    if (chance(8)) {
      text_ += fmt::format("init w{0} float[4, 4, 3, 3] random {0};\n", i);
      return fmt::format("w{}", i);
    }
    const bool per_channel = weights_per_channel_ = chance(50);
    text_ += fmt::format("init w{0} int8[4, 4, 3, 3] ones; init ws{0} float[{1}] {{{2}}};\n", i,
                         per_channel ? "4" : "", per_channel ? "1, 2, 3, 4" : "0.01");
    text_ += fmt::format("dw{0}: wd{0} = DequantizeLinear(w{0}, ws{0}, {1}) {{axis = 0}};\n", i,
                         per_channel ? "rz" : "wz");
    return fmt::format("wd{}", i);
  }

  // ", bias" or nothing.
  std::string bias(int i, const std::string& data) {
    if (chance(40)) return "";
    // With a scale of shape [1] it depends on other constants of the graph whether the engine manages.
    const bool has_scalar = !scales_.contains(data) || scales_.at(data) != 0.3;
    if (has_scalar && chance(40)) {
      text_ += fmt::format("init b{} float[4] {{1, 2, 3, 5}};\n", i);
      return fmt::format(", b{}", i);
    }
    // Mostly input scale * weight scale, as kernels want it.
    const double scale = chance(85) && scales_.contains(data) ? scales_.at(data) : 0.7;
    if (weights_per_channel_) {
      text_ += fmt::format(
          "init bs{0} float[4] {{{1}, {2}, {3}, {4}}}; db{0}: bd{0} = DequantizeLinear(b{0}, "
          "bs{0}, bq) {{axis = 0}};\n",
          i, scale, 2 * scale, 3 * scale, 4 * scale);
    } else {
      text_ += fmt::format(
          "init bs{0} float[] {{{1}}}; db{0}: bd{0} = DequantizeLinear(b{0}, bs{0}, bz);\n", i,
          0.01 * scale);
    }
    text_ += fmt::format("init b{} int32[4] ones;\n", i);
    return fmt::format(", bd{}", i);
  }

  void add_node(int i) {
    const std::string a = take();
    std::string node;
    switch (below(13)) {
      case 0:
      case 1:
      case 2: {
        const std::string w = weights(i);
        node = fmt::format("Conv({}, {}{}) {{pads = [1, 1, 1, 1]}}", a, w, bias(i, a));
        break;
      }
      case 3: {
        const std::string b = take();
        node = fmt::format("Add({}, {})", a, b);
        break;
      }
      case 4: {
        const std::string b = take();
        node = fmt::format("Mul({}, {})", a, b);
        break;
      }
      case 5:
      case 6:
        node = fmt::format("Relu({})", a);
        break;
      case 7:
        node = fmt::format("Clip({}, low, {})", a,
                           chance(50)   ? "six"
                           : chance(50) ? "near"
                                        : "far");
        break;
      case 8:
        node = fmt::format("MaxPool({}) {{kernel_shape = [3, 3], pads = [1, 1, 1, 1]}}", a);
        break;
      case 9:
        node = fmt::format("LeakyRelu({})", a);
        break;
      case 10:
        node = fmt::format("Sigmoid({})", a);
        break;
      case 11:
        node = fmt::format("Exp({})", a);
        break;
      default:
        text_ += fmt::format(
            "init w{0} int8[8, 8] ones; init ws{0} float[] {{{1}}}; dw{0}: wd{0} = "
            "DequantizeLinear(w{0}, ws{0}, wz);\n",
            i, i + 2);
        node = fmt::format("MatMul({}, wd{})", a, i);
    }
    const bool is_clamp = node.starts_with("Relu") || node.starts_with("Clip");
    if (is_clamp && clamped_.contains(a)) return;  // the engine makes one of two
    if (is_clamp) clamped_.insert(fmt::format("v{}", i));
    if (!written_.insert(node).second) return;  // the engine makes one of two equal nodes
    text_ += fmt::format("n{0}: v{0} = {1};\n", i, node);
    add_value(fmt::format("v{}", i));
  }

  std::mt19937 random_;
  std::string text_{};
  std::vector<std::string> values_{};
  std::set<std::string> read_{};
  std::set<std::string> written_{};
  std::set<std::string> clamped_{};
  std::map<std::string, double> scales_{};  // of values behind a pair
  bool weights_per_channel_ = false;
  int pairs_ = 0;
};

void expect_engine_agrees_on_random_graphs(unsigned graphs, const LintTarget& target,
                                           const std::map<std::string, std::string>& config) {
  for (unsigned seed = 0; seed < graphs; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const std::string text = RandomText(seed).write(3 + static_cast<int>(seed % 8));
    expect_engine_agrees(text_model(text), target, config);
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << text;
      return;
    }
  }
}

TEST(RandomGraphs, AreForecastAsTheEngineRunsThem) {
  expect_engine_agrees_on_random_graphs(2000, lint_target("ort-cpu"), {});
}

// What arm64 does by itself; its kernels are not run here.
TEST(RandomGraphs, AreForecastAsTheEngineRunsThemWithSignedActivations) {
  expect_engine_agrees_on_random_graphs(500, lint_target("ort-arm"),
                                        {{"session.qdqisint8allowed", "1"}});
}

}  // namespace
}  // namespace ocs
