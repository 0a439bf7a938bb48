#include "ocs/passes/slice_concat.h"

#include <algorithm>
#include <set>
#include <utility>

namespace ocs {
namespace {

std::optional<std::size_t> position(std::int64_t axis, std::size_t rank) {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) return std::nullopt;
  return static_cast<std::size_t>(axis < 0 ? axis + count : axis);
}

std::vector<std::int64_t> entries(const AxisCut& cut, std::int64_t extent) {
  if (extent == 0) return {};
  // A forward cut may begin at the end (and be empty), a backward one at the last entry and end
  // before the first.
  const std::int64_t lowest = cut.step > 0 ? 0 : -1;
  const std::int64_t highest = cut.step > 0 ? extent : extent - 1;
  const auto bound = [&](std::int64_t at) {
    return std::clamp(at < 0 ? at + extent : at, lowest, highest);
  };
  const std::int64_t to = bound(cut.to);
  std::vector<std::int64_t> taken;
  for (std::int64_t at = std::max<std::int64_t>(bound(cut.from), 0);
       cut.step > 0 ? at < to : at > to; at += cut.step) {
    taken.push_back(at);
    if (cut.step > extent || cut.step < -extent) break;  // the next one lies beyond every bound
  }
  return taken;
}

Tensor taken(const Tensor& tensor, std::size_t axis, const std::vector<std::int64_t>& indices) {
  const std::span<const std::int64_t> extents(tensor.shape);
  const std::int64_t outer = element_count(extents.first(axis));
  const std::int64_t inner = element_count(extents.subspan(axis + 1));
  Tensor result{.shape = tensor.shape, .values = tensor.values};
  result.shape[axis] = static_cast<std::int64_t>(indices.size());
  std::visit(
      [&](auto& values) {
        const auto from = std::exchange(values, {});
        values.reserve(static_cast<std::size_t>(outer * inner) * indices.size());
        for (std::int64_t o = 0; o < outer; ++o)
          for (const std::int64_t index : indices) {
            const auto begin = from.begin() + (o * extents[axis] + index) * inner;
            values.insert(values.end(), begin, begin + inner);
          }
      },
      result.values);
  return result;
}

}  // namespace

std::optional<Tensor> sliced(const Tensor& tensor, std::span<const AxisCut> cuts) {
  std::set<std::size_t> seen;
  Tensor result = tensor;
  for (const AxisCut& cut : cuts) {
    const auto axis = position(cut.axis, tensor.shape.size());
    if (!axis || cut.step == 0 || !seen.insert(*axis).second) return std::nullopt;
    result = taken(result, *axis, entries(cut, result.shape[*axis]));
  }
  return result;
}

std::optional<Tensor> joined(std::span<const Tensor> tensors, std::int64_t axis) {
  Tensor result = tensors.front();
  const auto at = position(axis, result.shape.size());
  if (!at) return std::nullopt;
  result.shape[*at] = 0;
  for (const Tensor& tensor : tensors) {
    if (tensor.values.index() != result.values.index() ||
        tensor.shape.size() != result.shape.size())
      return std::nullopt;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i)
      if (i != *at && tensor.shape[i] != result.shape[i]) return std::nullopt;
    result.shape[*at] += tensor.shape[*at];
  }
  const std::int64_t outer = element_count(std::span(result.shape).first(*at));
  std::visit(
      [&]<typename V>(V& values) {
        values.clear();
        for (std::int64_t o = 0; o < outer; ++o)
          for (const Tensor& tensor : tensors) {
            const V& from = std::get<V>(tensor.values);
            const auto block = static_cast<std::int64_t>(from.size()) / outer;
            const auto begin = from.begin() + o * block;
            values.insert(values.end(), begin, begin + block);
          }
      },
      result.values);
  return result;
}

}  // namespace ocs
