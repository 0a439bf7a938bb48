#include "ocs/plan/proofs.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/plan/regions.h"

namespace ocs {
namespace {

constexpr double largest_int32 = std::numeric_limits<std::int32_t>::max();
constexpr float least_normal = std::numeric_limits<float>::min();
constexpr double bias_with_room = 536870912.0;  // 2^29
// Behind a quotient: what float takes away must not bring the scale below it.
constexpr double a_little_more = 1.0001;
// What a scale is raised by at least where sums are too large: rounding may take back less.
constexpr double least_raise = 1.0 + 1.0 / 1024.0;

template <typename T>
T of_row(std::span<const T> values, std::size_t row) {
  return values.size() == 1 ? values[0] : values[row];
}

float floor_for_bias(float bias, float data_scale) {
  const double least =
      std::fabs(static_cast<double>(bias)) / (bias_with_room * static_cast<double>(data_scale));
  return static_cast<float>(least * a_little_more);
}

}  // namespace

float bias_scale(float data_scale, float scale) { return data_scale * scale; }

double bias_level(float bias, float data_scale, float scale) {
  return std::nearbyint(static_cast<double>(bias) /
                        static_cast<double>(bias_scale(data_scale, scale)));
}

bool has_integer_sums(const ActivationPlan& data) { return data.params.grid.bits == 8; }

bool RowProof::holds() const {
  return has_normal_scale && bias <= largest_int32 && sum <= largest_int32;
}

std::vector<RowProof> prove_rows(const IntegerLayer& layer) {
  const ActivationPlan& data = *layer.data;
  const float data_scale = data.params.scale[0];
  const std::int32_t zero = data.params.zero_point[0];
  const std::int64_t largest_input =
      std::max(std::abs(data.level_low - zero), std::abs(data.level_high - zero));
  const auto rows = static_cast<std::size_t>(layer.weight.rows());
  std::vector<std::int64_t> magnitudes(rows, 0);
  std::vector<RowProof> proofs(rows);
  for_each_weight(layer.weight, [&](std::int64_t row, std::int64_t, std::size_t at) {
    const auto r = static_cast<std::size_t>(row);
    magnitudes[r] += std::abs(static_cast<std::int64_t>(layer.stored[at]));
    if (layer.weight.data[at] != 0.0F) proofs[r].is_dead = true;  // unless an integer is not 0
  });
  for (std::size_t row = 0; row < rows; ++row) {
    RowProof& proof = proofs[row];
    const float scale = of_row(layer.scales, row);
    const float step = bias_scale(data_scale, scale);
    proof.has_normal_scale = std::min(scale, step) >= least_normal;
    proof.is_dead = proof.is_dead && magnitudes[row] == 0;
    if (!layer.bias.empty()) {
      const double level = bias_level(layer.bias[row], data_scale, scale);
      proof.bias = std::fabs(level);
      proof.bias_error =
          std::fabs(static_cast<double>(layer.bias[row]) - level * static_cast<double>(step));
    }
    proof.sum = static_cast<double>(magnitudes[row] * largest_input) + proof.bias;
  }
  return proofs;
}

ScaleFloors scale_floors(std::int64_t rows, std::span<const float> bias, float data_scale) {
  const auto count = static_cast<std::size_t>(rows);
  ScaleFloors floors{
      .bias = std::vector<float>(count, 0.0F),
      .sum = std::vector<float>(count, 0.0F),
      .normal = static_cast<float>(static_cast<double>(least_normal) /
                                   std::min(1.0, static_cast<double>(data_scale)) * a_little_more)};
  for (std::size_t row = 0; row < bias.size(); ++row)
    floors.bias[row] = floor_for_bias(bias[row], data_scale);
  return floors;
}

float floor_of(const ScaleFloors& floors, std::size_t row) {
  return std::max({floors.normal, floors.bias[row], floors.sum[row]});
}

std::vector<float> raised(const ScaleFloors& floors, std::span<const float> scales) {
  std::vector<float> result(scales.begin(), scales.end());
  for (std::size_t row = 0; row < floors.bias.size(); ++row) {
    float& scale = result.size() == 1 ? result[0] : result[row];
    scale = std::max(scale, floor_of(floors, row));
  }
  return result;
}

bool raise_where_proofs_fail(ScaleFloors& floors, const IntegerLayer& layer) {
  const std::vector<RowProof> proofs = prove_rows(layer);
  bool any = false;
  for (std::size_t row = 0; row < proofs.size(); ++row) {
    if (proofs[row].holds()) continue;
    any = true;
    const float scale = of_row(layer.scales, row);
    if (!layer.bias.empty())
      floors.bias[row] =
          std::max(floors.bias[row], floor_for_bias(layer.bias[row], layer.data->params.scale[0]));
    if (proofs[row].bias <= largest_int32 && proofs[row].sum > largest_int32)
      floors.sum[row] = static_cast<float>(static_cast<double>(scale) *
                                           std::max(least_raise, proofs[row].sum / largest_int32));
  }
  return any;
}

RaisedRows count_raised(const ScaleFloors& floors, std::span<const float> scales) {
  RaisedRows count;
  for (std::size_t row = 0; row < floors.bias.size(); ++row) {
    const float floor = floor_of(floors, row);
    if (floor <= of_row(scales, row)) continue;
    if (floor == floors.sum[row])
      ++count.for_sum;
    else if (floor == floors.bias[row])
      ++count.for_bias;
    else
      ++count.for_scale;
  }
  return count;
}

namespace {

// None for a layer without integer sums.
std::optional<LayerProof> prove_layer(const Graph& graph, const Plan& plan,
                                      const LayerPlan& layer) {
  const onnx::NodeProto& node = *graph.node_named(layer.node);
  const auto data = plan.activations.find(data_of(node, layer.operand));
  if (!layer.act_bits || data == plan.activations.end() || !has_integer_sums(data->second))
    return std::nullopt;
  const Tensor weight = read_tensor(graph, layer.weight);
  const IntegerLayer integers{
      .weight = find_linear_op(node)->view(node, layer.operand, weight.shape, weight.as<float>()),
      .stored = layer.stored,
      .scales = layer.params.scale,
      .bias = layer.adds_bias ? std::span<const float>() : std::span(layer.bias),
      .data = &data->second};
  LayerProof proof{.layer = layer.id()};
  double bias_error = 0.0;
  for (const RowProof& row : prove_rows(integers)) {
    proof.largest_bias = std::max(proof.largest_bias, row.bias);
    proof.largest_sum = std::max(proof.largest_sum, row.sum);
    bias_error = std::max(bias_error, row.bias_error);
    proof.dead_rows += row.is_dead ? 1 : 0;
    proof.holds = proof.holds && row.holds();
  }
  const auto result = plan.activations.find(behind_activation(graph, result_of(node)));
  if (result != plan.activations.end())
    proof.bias_error = bias_error / static_cast<double>(result->second.params.scale[0]);
  return proof;
}

}  // namespace

std::vector<LayerProof> prove(const Model& model, const Plan& plan) {
  const Graph graph(model);
  std::vector<std::optional<LayerProof>> found(plan.layers.size());
  parallel_for(found.size(),
               [&](std::size_t i) { found[i] = prove_layer(graph, plan, plan.layers[i]); });
  std::vector<LayerProof> proofs;
  for (std::optional<LayerProof>& proof : found)
    if (proof) proofs.push_back(std::move(*proof));
  return proofs;
}

}  // namespace ocs
