#include "ocs/export/expand.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>

#include "ocs/core/error.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/quant/scale_index.h"
#include "ocs/split/copies.h"

namespace ocs {
namespace {

std::vector<std::int64_t> given_or_all(const std::vector<std::int64_t>& order, std::int64_t count) {
  if (!order.empty()) return order;
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

std::int8_t narrow(const LayerPlan& plan, std::int32_t value) {
  if (std::abs(value) > std::numeric_limits<std::int8_t>::max())
    throw_internal("node '" + plan.node + "': the integer " + std::to_string(value) +
                   " does not fit into int8");
  return static_cast<std::int8_t>(value);
}

// Which part of its channel's weights each physical input carries.
struct Share {
  std::int32_t part = 0;
  std::int32_t copies = 1;
};
std::vector<Share> shares_of(const LayerPlan& plan, const std::vector<std::int64_t>& inputs,
                             std::int64_t columns) {
  std::vector<std::int32_t> seen(static_cast<std::size_t>(columns), 0);
  std::vector<Share> shares(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i)
    shares[i].part = seen[static_cast<std::size_t>(inputs[i])]++;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    shares[i].copies = seen[static_cast<std::size_t>(inputs[i])];
  if (plan.inputs.empty()) return shares;
  for (std::size_t c = 0; c < seen.size(); ++c)
    if (!plan.copies.empty() && seen[c] != plan.copies[c])
      throw_internal("node '" + plan.node + "': copies and inputs disagree");
  return shares;
}

// The integers as they are, residual columns behind them.
std::vector<std::int8_t> with_residual(const LayerPlan& plan, const ChannelMatrix& from,
                                       const ChannelMatrix& to) {
  std::vector<std::int8_t> values(static_cast<std::size_t>(to.size()));
  const auto added = static_cast<std::int64_t>(plan.residual.channels.size());
  for (std::int64_t row = 0; row < to.outputs; ++row) {
    for (std::int64_t c = 0; c < from.inputs; ++c)
      values[to.index(0, row, c, 0)] = narrow(plan, plan.stored[from.index(0, row, c, 0)]);
    for (std::int64_t i = 0; i < added; ++i)
      values[to.index(0, row, from.inputs + i, 0)] =
          narrow(plan, plan.residual.stored[static_cast<std::size_t>(row * added + i)]);
  }
  return values;
}

Tensor as_it_is(const LayerPlan& plan, const Shape& weight) {
  std::vector<std::int8_t> values(plan.stored.size());
  // Checked apart: a check that may throw would keep the loop from many at once.
  std::int32_t largest = 0;
  for (const std::int16_t q : plan.stored) largest = std::max(largest, std::abs(std::int32_t{q}));
  (void)narrow(plan, largest);
  std::ranges::transform(plan.stored, values.begin(),
                         [](std::int16_t q) { return static_cast<std::int8_t>(q); });
  return {.shape = weight, .values = std::move(values)};
}

// Depthwise: row and input are one; each group keeps its single input.
std::vector<std::int8_t> with_rows(const LayerPlan& plan, const ChannelMatrix& from,
                                   const std::vector<std::int64_t>& rows) {
  std::vector<std::int8_t> values;
  values.reserve(rows.size() * static_cast<std::size_t>(from.taps));
  for (const std::int64_t row : rows)
    for (std::int64_t k = 0; k < from.taps; ++k)
      values.push_back(narrow(plan, plan.stored[from.index(row, 0, 0, k)]));
  return values;
}

}  // namespace

PhysicalWeight physical_weight(const onnx::NodeProto& node, const LayerPlan& plan,
                               const Shape& weight) {
  const LinearOp& op = *find_linear_op(node);
  const std::vector<float> no_values;
  const ChannelMatrix from = op.view(node, plan.operand, weight, no_values);
  PhysicalWeight result{.groups = from.groups};
  if (plan.params.block > 0 && !plan.rows.empty())
    throw_internal("node '" + plan.node + "': rows of blocks in another order");
  if (!plan.residual.channels.empty()) {
    Shape shape = weight;
    shape[static_cast<std::size_t>(op.input_axis(node, plan.operand, weight))] +=
        static_cast<std::int64_t>(plan.residual.channels.size());
    const ChannelMatrix to = op.view(node, plan.operand, shape, no_values);
    result.tensor = {.shape = std::move(shape), .values = with_residual(plan, from, to)};
    return result;
  }
  if (plan.rows.empty() && plan.inputs.empty()) {
    result.tensor = as_it_is(plan, weight);
    return result;
  }

  const std::vector<std::int64_t> rows = given_or_all(plan.rows, from.rows());
  const std::vector<std::int64_t> inputs = given_or_all(plan.inputs, from.columns());
  Shape shape = weight;
  if (from.groups > 1) {
    result.groups = static_cast<std::int64_t>(rows.size());
    const int axis = op.output_axis(node, plan.operand, weight).value();
    shape[static_cast<std::size_t>(axis)] = result.groups;
    result.tensor = {.shape = std::move(shape), .values = with_rows(plan, from, rows)};
    return result;
  }

  const std::vector<Share> shares = shares_of(plan, inputs, from.columns());
  if (const auto axis = op.output_axis(node, plan.operand, weight)) {
    std::int64_t& extent = shape[static_cast<std::size_t>(*axis)];  // directions may lie before it
    extent = extent * static_cast<std::int64_t>(rows.size()) / from.rows();
  } else if (!plan.rows.empty()) {
    throw_internal("node '" + plan.node +
                   "': rows of this operator cannot be written in another order");
  }
  shape[static_cast<std::size_t>(op.input_axis(node, plan.operand, weight))] =
      static_cast<std::int64_t>(inputs.size());
  const ChannelMatrix to = op.view(node, plan.operand, shape, no_values);
  std::vector<std::int8_t> values(static_cast<std::size_t>(to.size()));
  for (std::int64_t r = 0; r < to.outputs; ++r)
    for (std::int64_t c = 0; c < to.inputs; ++c)
      for (std::int64_t k = 0; k < to.taps; ++k) {
        const auto column = static_cast<std::size_t>(c);
        const std::int32_t whole =
            plan.stored[from.index(0, rows[static_cast<std::size_t>(r)], inputs[column], k)];
        values[to.index(0, r, c, k)] =
            narrow(plan, part_of(whole, shares[column].copies, shares[column].part));
      }
  result.tensor = {.shape = std::move(shape), .values = std::move(values)};
  return result;
}

std::vector<float> physical_scales(const LayerPlan& plan) {
  if (plan.residual.channels.empty()) return physical_rows(plan.params.scale, plan.rows);
  const std::vector<float>& first = plan.params.scale;
  const std::vector<float>& second = plan.residual.scale;
  const auto blocks = static_cast<std::size_t>(ScaleIndex::count_of(
      static_cast<std::int64_t>(plan.residual.channels.size()), plan.params.block));
  const std::size_t rows = second.size() / blocks;
  const std::size_t before = first.size() / rows;
  std::vector<float> scales;
  scales.reserve(first.size() + second.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const auto part = [&](const std::vector<float>& of, std::size_t count) {
      const std::span<const float> all(of);
      std::ranges::copy(all.subspan(row * count, count), std::back_inserter(scales));
    };
    part(first, before);
    part(second, blocks);
  }
  return scales;
}

StoredWeight stored_weight(const onnx::NodeProto& node, const LayerPlan& plan,
                           const Shape& weight) {
  if (plan.kept != nullptr)
    return {.tensor = *plan.kept, .groups = int_attribute(node, "group", 1)};
  const PhysicalWeight physical = physical_weight(node, plan, weight);
  return {.tensor = to_packed_proto(physical.tensor, plan.storage_bits), .groups = physical.groups};
}

std::vector<float> physical_rows(const std::vector<float>& values,
                                 const std::vector<std::int64_t>& rows) {
  if (rows.empty() || values.size() <= 1) return values;
  std::vector<float> physical;
  physical.reserve(rows.size());
  for (const std::int64_t row : rows) physical.push_back(values[static_cast<std::size_t>(row)]);
  return physical;
}

}  // namespace ocs
