#include "ocs/costs/measure_costs.h"

#include <gtest/gtest.h>

#include "ocs/costs/cost_table_json.h"

namespace ocs {
namespace {

// An engine whose runs take what a table says, and a clock that they move on. Every third run is disturbed.
TEST(TimePairs, FindsWhatAPairTakes) {
  double now = 0.0;
  int runs = 0;
  const std::vector<MicroModel> models{
      {.kernel = Kernel::pointwise, .narrow = 16, .wide = 32, .extent = 8},
      {.kernel = Kernel::matmul, .narrow = 64, .wide = 64, .extent = 16}};
  const auto pair_ns = [](const MicroModel& micro) {
    double ns = 0.0;
    for (const KernelWork& work : work_of_pair(micro)) ns += predicted_ns(default_costs(), work);
    return ns;
  };
  const Engine engine = [&](const Model& model, const EngineOptions& options) {
    EXPECT_EQ(options.intra_op_threads, 1);
    const onnx::GraphProto& graph = model.graph();
    const auto layers = std::ranges::count_if(graph.node(), [](const onnx::NodeProto& node) {
      return node.op_type() == "Conv" || node.op_type() == "MatMul";
    });
    const bool is_matmul = std::ranges::any_of(
        graph.node(), [](const onnx::NodeProto& node) { return node.op_type() == "MatMul"; });
    const double seconds =
        1e-3 + 1e-9 * pair_ns(models[is_matmul ? 1 : 0]) * static_cast<double>(layers / 2);
    return RunModel{.inputs = model.inputs(),
                    .outputs = model.outputs(),
                    .run = [&now, &runs, seconds](const NamedTensors&, const Receive&) {
                      now += seconds + (++runs % 3 == 0 ? 0.5 : 0.0);
                    }};
  };
  const std::vector<PairTime> times = time_pairs(models, engine, 6, [&] { return now; }, {});
  ASSERT_EQ(times.size(), 2U);
  for (std::size_t i = 0; i < models.size(); ++i)
    EXPECT_NEAR(times[i].ns, pair_ns(models[i]), 1e-3 * pair_ns(models[i]));
}

}  // namespace
}  // namespace ocs
