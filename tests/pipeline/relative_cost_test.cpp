// The size and cost of copies that the report gives, against a count of what the written file holds.
#include "ocs/report/relative_cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/engine/onnx_runtime.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/pipeline/quantize.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

// Copies can be folded into `reduce` (and through the depthwise layer), and not into what `first`
// gives, which an Add reads too.
Model network() {
  return text_model(R"(
      input x float[2, 3, 8, 8];
      init a float[12, 3, 3, 3] random 1; init b float[10, 12, 1, 1] random 2; init c float[10, 1, 3, 3] random 3;
      init d float[12, 10, 3, 3] random 4; init e float[12, 7] random 5; init f float[7] random 6;
      first: p = Conv(x, a) {pads = [1, 1, 1, 1]}; relu1: q = Relu(p);
      reduce: r = Conv(q, b); relu2: s = Relu(r); depthwise: t = Conv(s, c) {group = 10}; relu3: u = Relu(t);
      widen: v = Conv(u, d) {pads = [2, 2, 2, 2]}; sum: w = Add(v, q); pool: y = GlobalAveragePool(w); flat: z = Flatten(y);
      head: o = Gemm(z, e, f); output o float)");
}

Samples samples() {
  return {.count = 4, .load = [](std::size_t i) {
            return Sample{.name = "s", .inputs = {{"x", random_tensor({2, 3, 8, 8}, i + 1)}}};
          }};
}

struct Count {
  std::int64_t weights = 0;
  std::int64_t activations = 0;
  std::int64_t macs = 0;
  bool operator==(const Count&) const = default;
  friend void PrintTo(const Count& count, std::ostream* out) {
    *out << count.weights << " " << count.activations << " " << count.macs;
  }
};

// Every layer with integer weights, its tensors measured while the file runs on two images: of each
// output value the products are counted.
Count count_file(const Model& model, const Sample& sample) {
  const Graph graph(model);
  std::vector<const onnx::NodeProto*> layers;
  std::vector<std::string> values;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.op_type() != "Conv" && node.op_type() != "Gemm") continue;
    if (graph.producer(node.input(1)) == nullptr) continue;  // float
    layers.push_back(&node);
    values.push_back(node.input(0));
    values.push_back(node.output(0));
  }
  const RunModel run = onnx_runtime()(model, {.optimize = false, .outputs = values});
  const NamedTensors seen = run_once(run, sample.inputs);
  Count count;
  for (const onnx::NodeProto* node : layers) {
    const std::string& stored = graph.producer(node->input(1))->input(0);
    const Shape weight = shape_of(*graph.initializer(stored));
    const std::int64_t images = node->op_type() == "Conv" ? 2 : 1;
    count.weights += element_count(weight);
    count.activations += element_count(seen.at(node->input(0)).shape) / images;
    // Weights that one output value meets: all but the axis of the outputs, the last of a Gemm.
    const std::int64_t outputs = node->op_type() == "Conv" ? weight.front() : weight.back();
    count.macs +=
        element_count(seen.at(node->output(0)).shape) / images * (element_count(weight) / outputs);
  }
  return count;
}

Count count_report(const Report& report) {
  Count count;
  for (const LayerReport& layer : report.layers) {
    if (!layer.quantized) continue;
    count.weights += layer.weights + layer.extra_weights;
    count.activations += layer.activations + layer.extra_activations;
    count.macs += layer.macs + layer.extra_macs;
  }
  return count;
}

Recipe with_copies(SplitForm form) {
  Recipe recipe = built_in_recipe("paper");
  recipe.expand_ratio = 0.25;
  recipe.split_form = form;
  return recipe;
}

Quantized quantized(const Recipe& recipe) {
  const Samples data = samples();
  return quantize(network(), &data, recipe, onnx_runtime(), {});
}

double over(std::int64_t with, std::int64_t without) {
  return static_cast<double>(with) / static_cast<double>(without);
}

class RelativeCostOf : public testing::TestWithParam<SplitForm> {};

TEST_P(RelativeCostOf, IsWhatTheFileHolds) {
  const Sample sample = samples().load(0);
  const Count plain = count_file(quantized(with_copies(SplitForm::gather)).model, sample);
  const Quantized split = quantized(with_copies(GetParam()));
  const Count held = count_file(split.model, sample);
  EXPECT_EQ(count_report(split.report), held);
  // A fold also repeats rows of the producer; the other forms hold the same.
  EXPECT_EQ(held.weights > plain.weights, GetParam() == SplitForm::fold);

  Recipe without = with_copies(GetParam());
  without.expand_ratio = 0.0;
  const Count unsplit = count_file(quantized(without).model, sample);
  const RelativeCost cost = relative_cost(split.report.layers);
  EXPECT_DOUBLE_EQ(cost.weights.value_or(0.0), over(held.weights, unsplit.weights));
  EXPECT_DOUBLE_EQ(cost.activations.value_or(0.0), over(held.activations, unsplit.activations));
  EXPECT_DOUBLE_EQ(cost.macs.value_or(0.0), over(held.macs, unsplit.macs));
  EXPECT_GT(*cost.activations, 1.05);
}

INSTANTIATE_TEST_SUITE_P(Forms, RelativeCostOf,
                         testing::Values(SplitForm::gather, SplitForm::slice, SplitForm::fold));

TEST(RelativeCost, OfVirtualCopiesIsThatOfRealOnes) {
  Recipe recipe = with_copies(SplitForm::virtual_);
  recipe.weight_bits = 4;
  const Quantized split = quantized(recipe);
  recipe.split_form = SplitForm::gather;
  const Quantized real = quantized(recipe);
  const Sample sample = samples().load(0);
  EXPECT_EQ(count_report(split.report), count_file(real.model, sample));
  recipe.expand_ratio = 0.0;
  EXPECT_EQ(count_file(split.model, sample), count_file(quantized(recipe).model, sample));
}

// Halves and saturating parts, made by a Gather or by the rows of the Conv in front.
TEST(RelativeCost, CountsSplitActivations) {
  for (const ActSplit parts : {ActSplit::halving, ActSplit::saturating}) {
    Recipe recipe = with_copies(SplitForm::gather);
    recipe.act_expand_ratio = 0.2;
    recipe.act_split = parts;
    const Quantized split = quantized(recipe);
    EXPECT_EQ(count_report(split.report), count_file(split.model, samples().load(0)))
        << static_cast<int>(parts);
  }
}

TEST(RelativeCost, KnowsNothingOfANetworkWithoutQuantizedLayers) {
  EXPECT_EQ(relative_cost({}), RelativeCost{});
  EXPECT_EQ(relative_text({}), "weights -, activations -, MACs -");
}

}  // namespace
}  // namespace ocs
