#include "ocs/calibrate/input_energy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/calibrate/keep_value.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

constexpr auto network = R"(
  input x float[N, 3, 6, 5];
  init w float[4, 3, 3, 3] random 1; init d float[4, 1, 3, 3] random 2; init f float[4, 7] random 3;
  conv: a = Conv(x, w) {kernel_shape = [3, 3], pads = [1, 1, 1, 1], strides = [2, 1]};
  relu: b = Relu(a);
  dw: c = Conv(b, d) {kernel_shape = [3, 3], group = 4};
  pool: e = GlobalAveragePool(c);
  flat: g = Flatten(e);
  fc: y = MatMul(g, f);
  output y; output b; output g;
)";

Samples samples_of(std::size_t count, std::int64_t batch = 1) {
  return random_samples("x", {batch, 3, 6, 5}, count);
}

EnergyRequest request_for(const Model& model, const std::string& name) {
  const Graph graph(model);
  const onnx::NodeProto& node = *graph.node_named(name);
  const LinearOp* op = find_linear_op(node);
  const auto operand = std::get<std::vector<Operand>>(op->operands(node, graph)).front();
  return {.node = name,
          .op = op,
          .operand = operand,
          .weight = op->view(node, operand, initializer_of(model, node.input(1)).shape, {})};
}

std::vector<std::vector<float>> collected(const Model& model, std::size_t count,
                                          std::int64_t batch = 1) {
  std::vector<std::vector<float>> moments;
  for (InputEnergy& energy : collect_input_energies(
           {.model = &model, .samples = samples_of(count, batch)},
           {request_for(model, "conv"), request_for(model, "dw"), request_for(model, "fc")},
           onnx_runtime(), {})) {
    EXPECT_TRUE(energy.drift.empty());
    EXPECT_TRUE(energy.mean_drift.empty());
    moments.push_back(std::move(energy.moments));
  }
  return moments;
}

// Of a Conv by its definition: every output position, every pair of weights.
double slow_moment(const Tensor& data, std::int64_t stride_y, std::int64_t pad,
                   std::array<std::int64_t, 3> a, std::array<std::int64_t, 3> b) {
  const Shape& s = data.shape;
  const auto at = [&](std::int64_t n, std::array<std::int64_t, 3> tap, std::int64_t y,
                      std::int64_t x) {
    const std::int64_t row = y * stride_y - pad + tap[1];
    const std::int64_t column = x - pad + tap[2];
    if (row < 0 || row >= s[2] || column < 0 || column >= s[3]) return 0.0;
    return static_cast<double>(data.as<float>()[static_cast<std::size_t>(
        ((n * s[1] + tap[0]) * s[2] + row) * s[3] + column)]);
  };
  double sum = 0.0;
  for (std::int64_t n = 0; n < s[0]; ++n)
    for (std::int64_t y = 0; y * stride_y + 3 <= s[2] + 2 * pad; ++y)
      for (std::int64_t x = 0; x + 3 <= s[3] + 2 * pad; ++x) sum += at(n, a, y, x) * at(n, b, y, x);
  return sum;
}

TEST(InputEnergies, AreTheMomentsOfWhatMeetsTheWeights) {
  const Model model = text_model(network);
  const std::vector<std::vector<float>> energies = collected(model, 9, 2);
  ASSERT_EQ(energies.size(), 3U);
  ASSERT_EQ(energies[0].size(), 27U * 27U);
  ASSERT_EQ(energies[1].size(), 4U * 9U * 9U);
  ASSERT_EQ(energies[2].size(), 4U * 4U);
  const RunModel run = onnx_runtime()(model, {});
  std::vector<NamedTensors> values;
  const Samples samples = samples_of(9, 2);
  for (std::size_t i = 0; i < samples.count; ++i) {
    const NamedTensors inputs = samples.load(i).inputs;
    values.push_back(run_once(run, inputs));
    values.back()["x"] = inputs.at("x");
  }
  const auto tap_of = [](std::int64_t column) {
    return std::array<std::int64_t, 3>{column / 9, column / 3 % 3, column % 3};
  };
  for (std::int64_t i = 0; i < 27; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      double expected = 0.0;
      for (const NamedTensors& of : values)
        expected += slow_moment(of.at("x"), 2, 1, tap_of(i), tap_of(j));
      EXPECT_NEAR(static_cast<double>(energies[0][static_cast<std::size_t>(i * 27 + j)]), expected,
                  1e-3);
    }
  }
  for (std::int64_t c = 0; c < 4; ++c) {
    for (std::int64_t i = 0; i < 9; ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        double expected = 0.0;
        for (const NamedTensors& of : values)
          expected += slow_moment(of.at("b"), 1, 0, {c, i / 3, i % 3}, {c, j / 3, j % 3});
        EXPECT_NEAR(static_cast<double>(energies[1][static_cast<std::size_t>((c * 9 + i) * 9 + j)]),
                    expected, 1e-3);
      }
    }
  }
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double expected = 0.0;
      for (const NamedTensors& of : values)
        for (std::size_t n = 0; n < 2; ++n)
          expected += static_cast<double>(of.at("g").as<float>()[n * 4 + i]) *
                      static_cast<double>(of.at("g").as<float>()[n * 4 + j]);
      EXPECT_NEAR(static_cast<double>(energies[2][i * 4 + j]), expected, 1e-3);
    }
  }
}

TEST(InputEnergies, AreTheSameForAnyNumberOfThreads) {
  const Model model = text_model(network);
  const std::vector<std::vector<float>> many = collected(model, 21);
  const ThreadLimit one_thread(1);
  EXPECT_EQ(collected(model, 21), many);
}

TEST(InputEnergies, TellHowFarTheRoundedModelHasDrifted) {
  const Model model = text_model(network);
  std::string other(network);
  other.replace(other.find("random 1"), 8, "random 9");
  const Model rounded = text_model(other);
  constexpr std::size_t count = 9;
  const std::vector<InputEnergy> found = collect_input_energies(
      {.model = &model, .samples = samples_of(count), .rounded = &rounded},
      {request_for(model, "conv"), request_for(model, "fc")}, onnx_runtime(), {});
  // The image is the same in both models.
  EXPECT_THAT(found[0].drift, testing::Each(0.0F));
  EXPECT_THAT(found[0].mean_drift, testing::Each(0.0));
  EXPECT_EQ(found[0].moments, collected(model, count)[0]);
  const RunModel run_x = onnx_runtime()(model, {});
  const RunModel run_y = onnx_runtime()(rounded, {});
  std::array<double, 16> moments{};
  std::array<double, 16> drift{};
  std::array<double, 4> mean{};
  for (std::size_t n = 0; n < count; ++n) {
    const NamedTensors inputs = samples_of(count).load(n).inputs;
    const NamedTensors of_x = run_once(run_x, inputs);
    const NamedTensors of_y = run_once(run_y, inputs);
    for (std::size_t i = 0; i < 4; ++i) {
      const double y = static_cast<double>(of_y.at("g").as<float>()[i]);
      const double moved = static_cast<double>(of_x.at("g").as<float>()[i]) - y;
      mean[i] += moved / count;
      for (std::size_t j = 0; j < 4; ++j) {
        const double other_y = static_cast<double>(of_y.at("g").as<float>()[j]);
        moments[i * 4 + j] += y * other_y;
        drift[i * 4 + j] += moved * other_y;
      }
    }
  }
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(found[1].mean_drift[i], mean[i], 1e-5);
    for (std::size_t j = 0; j < 4; ++j) {
      EXPECT_NEAR(static_cast<double>(found[1].drift[i * 4 + j]), drift[i * 4 + j], 1e-3);
      EXPECT_NEAR(static_cast<double>(found[1].moments[i * 4 + j]), moments[i * 4 + j], 1e-3);
    }
  }
}

TEST(InputEnergies, AreThoseOfTheWholeWhereTheyGoOnFromAKeptValue) {
  const Model model = text_model(network);
  std::string other(network);
  other.replace(other.find("random 1"), 8, "random 9");
  const Model rounded = text_model(other);
  const EnergySource whole{.model = &model, .samples = samples_of(9), .rounded = &rounded};
  EnergySource from_kept = whole;
  std::optional<KeptValue> x = keep_value(model, "b", whole.samples, 1 << 20, onnx_runtime(), {});
  std::optional<KeptValue> y = keep_value(rounded, "b", whole.samples, 1 << 20, onnx_runtime(), {});
  from_kept.from = {x->port};
  from_kept.samples = x->samples;
  from_kept.rounded_samples = y->samples;
  // One reads the kept value itself, one what lies behind it.
  const std::vector<EnergyRequest> requests{request_for(model, "dw"), request_for(model, "fc")};
  const auto a = collect_input_energies(whole, requests, onnx_runtime(), {});
  const auto b = collect_input_energies(from_kept, requests, onnx_runtime(), {});
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto near = testing::Pointwise(testing::FloatNear(1e-3F), a[i].moments);
    EXPECT_THAT(b[i].moments, near);
    EXPECT_THAT(b[i].drift, testing::Pointwise(testing::FloatNear(1e-3F), a[i].drift));
    EXPECT_THAT(b[i].mean_drift, testing::Pointwise(testing::DoubleNear(1e-5), a[i].mean_drift));
  }
}

// About the means of what was seen: from the sums by hand.
TEST(InputEnergies, AreTakenAboutTheMeansWhereAsked) {
  const Model model = text_model(network);
  std::string other(network);
  other.replace(other.find("random 1"), 8, "random 9");
  const Model rounded = text_model(other);
  constexpr std::size_t count = 9;
  std::vector<EnergyRequest> requests{request_for(model, "fc"), request_for(model, "dw")};
  const auto collect = [&] {
    return collect_input_energies(
        {.model = &model, .samples = samples_of(count), .rounded = &rounded}, requests,
        onnx_runtime(), {});
  };
  const std::vector<InputEnergy> plain = collect();
  for (EnergyRequest& request : requests) request.centred = true;
  const std::vector<InputEnergy> centred = collect();
  EXPECT_EQ(centred[0].mean_drift, plain[0].mean_drift);
  const RunModel run_y = onnx_runtime()(rounded, {});
  std::array<double, 4> mean{};
  std::vector<Tensor> seen;
  for (std::size_t n = 0; n < count; ++n) {
    seen.push_back(run_once(run_y, samples_of(count).load(n).inputs).at("g"));
    for (std::size_t i = 0; i < 4; ++i)
      mean[i] += static_cast<double>(seen.back().as<float>()[i]) / count;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      double moment = 0.0;
      for (const Tensor& y : seen)
        moment += (static_cast<double>(y.as<float>()[i]) - mean[i]) *
                  (static_cast<double>(y.as<float>()[j]) - mean[j]);
      EXPECT_NEAR(static_cast<double>(centred[0].moments[i * 4 + j]), moment, 1e-3);
      EXPECT_NEAR(
          static_cast<double>(centred[0].drift[i * 4 + j]),
          static_cast<double>(plain[0].drift[i * 4 + j]) - count * plain[0].mean_drift[i] * mean[j],
          1e-3);
    }
  }
  // Of every group by itself: no variance is more than the second moment.
  for (std::size_t c = 0; c < 4; ++c)
    for (std::size_t i = 0; i < 9; ++i)
      EXPECT_LT(centred[1].moments[(c * 9 + i) * 9 + i], plain[1].moments[(c * 9 + i) * 9 + i]);
}

TEST(InputEnergies, TakesOtherPositionsOfEachSample) {
  const std::vector<std::int64_t> first = chosen(1000, {.most = 100, .turn = 0});
  const std::vector<std::int64_t> second = chosen(1000, {.most = 100, .turn = 1});
  ASSERT_EQ(first.size(), 100U);
  EXPECT_NE(first, second);
  for (const auto& positions : {first, second}) {
    EXPECT_TRUE(std::ranges::is_sorted(positions, std::less_equal<>()));
    EXPECT_GE(positions.front(), 0);
    EXPECT_LT(positions.back(), 1000);
  }
  EXPECT_THAT(chosen(3, {.most = 100, .turn = 5}), testing::ElementsAre(0, 1, 2));
}

TEST(InputEnergies, NameTheSampleThatDoesNotFit) {
  const Model model = text_model(network);
  Samples samples = samples_of(2);
  samples.load = [](std::size_t) { return Sample{.name = "empty"}; };
  EXPECT_THAT(
      [&] {
        static_cast<void>(collect_input_energies({.model = &model, .samples = samples},
                                                 {request_for(model, "conv")}, onnx_runtime(), {}));
      },
      testing::ThrowsMessage<Error>(testing::HasSubstr("sample 'empty': has no input 'x'")));
}

}  // namespace
}  // namespace ocs
