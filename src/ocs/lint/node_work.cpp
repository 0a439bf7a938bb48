#include "ocs/lint/node_work.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace ocs {
namespace {

struct Product {
  std::string_view op{};
  std::size_t weight = 1;  // input that holds the weights, or the second factor
};

constexpr std::array products{
    Product{"Conv"},           Product{"ConvInteger"},      Product{"ConvTranspose"},
    Product{"Gemm"},           Product{"MatMul"},           Product{"MatMulInteger"},
    Product{"QLinearConv", 3}, Product{"QLinearMatMul", 3}, Product{"com.microsoft.QGemm", 3}};

std::optional<Shape> shape_of(const KnownShapes& shapes, const Step& step, std::size_t input) {
  if (input >= step.inputs.size()) return std::nullopt;
  const auto found = shapes.find(step.inputs[input]);
  return found == shapes.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> count_of(std::span<const std::int64_t> extents) {
  std::int64_t count = 1;
  for (const std::int64_t extent : extents) {
    constexpr std::int64_t largest = std::int64_t{1} << 40U;  // more than any layer has
    if (extent <= 0 || extent > largest / count) return std::nullopt;
    count *= extent;
  }
  return count;
}

}  // namespace

std::optional<std::int64_t> macs_of(const KnownShapes& shapes, const Step& step) {
  const auto* const product = std::ranges::find(products, step.op, &Product::op);
  if (product == products.end()) return std::nullopt;
  const std::optional<Shape> data = shape_of(shapes, step, 0);
  const std::optional<Shape> weight = shape_of(shapes, step, product->weight);
  if (!data || !weight || data->size() < 2 || weight->empty()) return std::nullopt;
  const bool has_window = step.op.find("Conv") != std::string::npos;
  if (!has_window) {  // every row of the data, of one item, meets the whole matrix, or that of its batch
    const std::span<const std::int64_t> extents(*data);
    const auto rows = count_of(extents.subspan(1, extents.size() - 2));
    const auto matrix = count_of(std::span(*weight).last(std::min<std::size_t>(weight->size(), 2)));
    return rows && matrix ? count_of(std::array{*rows, *matrix}) : std::nullopt;
  }
  // Each output of a Conv, each input of a ConvTranspose meets the weights of one channel.
  const bool is_transposed = step.op == "ConvTranspose";
  const auto result = step.outputs.empty() ? shapes.end() : shapes.find(step.outputs.front());
  if (!is_transposed && result == shapes.end()) return std::nullopt;
  const Shape& met = is_transposed ? *data : result->second;
  if (met.size() != weight->size()) return std::nullopt;
  const auto positions = count_of(std::span(met).subspan(1));
  const auto channel = count_of(std::span(*weight).subspan(1));
  return positions && channel ? count_of(std::array{*positions, *channel}) : std::nullopt;
}

}  // namespace ocs
