// What must hold so that integer kernels with int32 sums give what the numbers say, shown for the integers as they are and for every
// input that the activation's levels allow:
//
//   y = s_x s_w (sum_k w_k (x_k - z) + b),   b = round(bias / (s_x s_w))
//
// (a) b fits int32; (b) so does every partial sum, in whatever order it is formed: sum_k |w_k| max|x - z| + |b| < 2^31; (c) s_w and
// s_x s_w are normal floats. Splits change nothing: the parts of an integer have one sign and add up to it. Only layers whose data have
// 8 bits are meant: the bias of all others is float, and so are their sums (or wider).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ocs/graph/model.h"
#include "ocs/plan/plan.h"
#include "ocs/quant/channel_matrix.h"

namespace ocs {

// s_x s_w, multiplied in float as engines do it, and the bias in steps of it, not clamped.
[[nodiscard]] float bias_scale(float data_scale, float scale);
[[nodiscard]] double bias_level(float bias, float data_scale, float scale);

// Whether sums of a layer that reads such data are int32, bias included.
[[nodiscard]] bool has_integer_sums(const ActivationPlan& data);

// One layer as integers.
struct IntegerLayer {
  ChannelMatrix weight{};  // float values, in the layout of `stored`
  std::span<const std::int16_t> stored{};
  std::span<const float> scales{};  // one, or one for each row
  std::span<const float> bias{};    // one for each row, real; empty: none in the sums
  const ActivationPlan* data = nullptr;
};

struct RowProof {
  double bias = 0.0;        // |b|
  double sum = 0.0;         // the largest that a partial sum can be, the bias included; exact
  double bias_error = 0.0;  // |bias - b s_x s_w|, real
  bool has_normal_scale = true;
  bool is_dead = false;  // all integers 0, the float weights not: nothing to prove, but to know

  [[nodiscard]] bool holds() const;
};
[[nodiscard]] std::vector<RowProof> prove_rows(const IntegerLayer& layer);

// Least scales of the rows, each with its reason; 0: none.
struct ScaleFloors {
  std::vector<float> bias{};
  std::vector<float> sum{};
  float normal = 0.0F;  // of all rows
};
// Before anything is rounded: the bias takes at most 2^29, so that there is room for what its correction adds.
[[nodiscard]] ScaleFloors scale_floors(std::int64_t rows, std::span<const float> bias,
                                       float data_scale);
[[nodiscard]] float floor_of(const ScaleFloors& floors, std::size_t row);
// The scales, raised to the floors; one scale for all rows to the highest.
[[nodiscard]] std::vector<float> raised(const ScaleFloors& floors, std::span<const float> scales);
// Raises the floors of rows whose proof fails above the scales that the layer has; whether there were any.
[[nodiscard]] bool raise_where_proofs_fail(ScaleFloors& floors, const IntegerLayer& layer);
// For which reason how many rows lie at their floor, that would have had `scales`.
[[nodiscard]] RaisedRows count_raised(const ScaleFloors& floors, std::span<const float> scales);

// The proofs of a planned layer, worst row each.
struct LayerProof {
  LayerId layer{};
  double largest_bias = 0.0;
  double largest_sum = 0.0;
  std::optional<double>
      bias_error{};  // in steps of the layer's quantized result; none: that is float
  std::int64_t dead_rows = 0;
  bool holds = true;
};
// Of each layer with integer sums, in the plan's order; from the plan alone. `model` is the float model that it was made for.
[[nodiscard]] std::vector<LayerProof> prove(const Model& model, const Plan& plan);

}  // namespace ocs
