#include "ocs/lint/known_shapes.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>

#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/lint/surroundings.h"
#include "ocs/ops/window.h"

namespace ocs {
namespace {

constexpr std::array<std::string_view, 20> same_shape{"Abs",
                                                      "BatchNormalization",
                                                      "Cast",
                                                      "Clip",
                                                      "DequantizeLinear",
                                                      "Dropout",
                                                      "Exp",
                                                      "Floor",
                                                      "Identity",
                                                      "InstanceNormalization",
                                                      "LRN",
                                                      "LayerNormalization",
                                                      "Neg",
                                                      "Not",
                                                      "QuantizeLinear",
                                                      "Reciprocal",
                                                      "Relu",
                                                      "Round",
                                                      "Sign",
                                                      "Sqrt"};
static_assert(std::ranges::is_sorted(same_shape));

constexpr std::array<std::string_view, 7> broadcasts{"Add", "Div", "Max", "Min",
                                                     "Mul", "Pow", "Sub"};
static_assert(std::ranges::is_sorted(broadcasts));

bool is_fixed(std::int64_t extent) { return extent != -1; }
bool is_fixed(const Shape& shape) {
  return std::ranges::all_of(shape, [](std::int64_t extent) { return is_fixed(extent); });
}

// What stands for several extents taken together.
std::int64_t together(const Shape& shape) { return is_fixed(shape) ? some_extent : -1; }

class ShapeFinder {
 public:
  ShapeFinder(const WorkingGraph& graph, bool trusts_stated)
      : graph_(graph), trusts_stated_(trusts_stated) {}

  KnownShapes find() {
    for (const auto& [name, shape] : graph_.stated_shapes())
      if (stated(name)) shapes_[name] = shape;
    for (const Step& step : graph_.steps()) {
      if (step.gone || step.outputs.empty()) continue;
      std::optional<Shape> shape = stated(step.outputs.front());
      if (!shape) shape = of_result(step);
      if (shape) shapes_[step.outputs.front()] = std::move(*shape);
    }
    return std::move(shapes_);
  }

 private:
  [[nodiscard]] std::optional<Shape> stated(const std::string& value) const {
    const Shape* shape = graph_.stated_shape(value);
    const bool is_trusted =
        trusts_stated_ || graph_.is_input(value) || graph_.constant(value) != nullptr;
    return shape == nullptr || !is_trusted ? std::nullopt : std::optional(*shape);
  }
  [[nodiscard]] std::optional<Shape> input(const Step& step, std::size_t index) const {
    if (index >= step.inputs.size() || step.inputs[index].empty()) return std::nullopt;
    const auto found = shapes_.find(step.inputs[index]);
    return found == shapes_.end() ? stated(step.inputs[index]) : std::optional(found->second);
  }
  // Integers that an input holds, where it is constant.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> numbers(const Step& step,
                                                                 std::size_t index) const {
    if (index >= step.inputs.size()) return std::nullopt;
    const onnx::TensorProto* proto = graph_.constant(step.inputs[index]);
    if (proto == nullptr || proto->data_type() != 7) return std::nullopt;
    const Tensor tensor = to_tensor(*proto, graph_.folder());
    const std::span<const std::int64_t> values = tensor.as<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }

  [[nodiscard]] std::optional<Shape> of_result(const Step& step) const;
  [[nodiscard]] std::optional<Shape> broadcast(const Step& step, std::size_t second) const;
  [[nodiscard]] std::optional<Shape> behind_window(const Step& step, const Shape& data) const;
  [[nodiscard]] std::optional<Shape> of_vector(const Step& step) const;
  [[nodiscard]] std::optional<Shape> of_concat(const Step& step, Shape data) const;
  [[nodiscard]] std::optional<Shape> reshaped(const Step& step, const Shape& data) const;
  [[nodiscard]] std::optional<Shape> with_axes(const Step& step, const Shape& data) const;

  const WorkingGraph& graph_;
  bool trusts_stated_;
  KnownShapes shapes_{};
};

// Of Conv and pools, where the extents of the picture are known; nothing elsewhere.
std::optional<Shape> ShapeFinder::behind_window(const Step& step, const Shape& data) const {
  const bool is_conv = step.op == "Conv" || step.op == "QLinearConv" || step.op == "ConvInteger";
  const bool is_pool = step.op == "MaxPool" || step.op == "AveragePool";
  if ((!is_conv && !is_pool) || int_attribute(*step.node, "ceil_mode", 0) != 0) return std::nullopt;
  Shape shape = data;
  onnx::NodeProto node = *step.node;
  if (is_conv) {
    const std::optional<Shape> weight = input(step, step.op == "QLinearConv" ? 3 : 1);
    if (!weight || weight->size() != data.size()) return std::nullopt;
    shape[1] = weight->front();
    if (attribute(node, "kernel_shape") == nullptr) {
      onnx::AttributeProto& kernel = *node.add_attribute();
      kernel.set_name("kernel_shape");
      kernel.set_type(onnx::AttributeProto::INTS);
      for (std::size_t i = 2; i < weight->size(); ++i) kernel.add_ints((*weight)[i]);
    }
  }
  const std::vector<WindowAxis> axes = window_axes(node, data);
  if (axes.empty()) return std::nullopt;
  for (std::size_t i = 0; i < axes.size(); ++i) shape[i + 2] = axes[i].outputs();
  return shape;
}

std::optional<Shape> ShapeFinder::broadcast(const Step& step, std::size_t second) const {
  std::optional<Shape> a = input(step, 0);
  std::optional<Shape> b = input(step, second);
  if (!a || !b) return std::nullopt;
  if (a->size() < b->size()) std::swap(a, b);
  const std::size_t ahead = a->size() - b->size();
  for (std::size_t i = 0; i < b->size(); ++i)
    if ((*a)[ahead + i] == 1 || !is_fixed((*b)[i])) (*a)[ahead + i] = (*b)[i];
  return a;
}

std::optional<Shape> ShapeFinder::reshaped(const Step& step, const Shape& data) const {
  const std::optional<std::vector<std::int64_t>> wanted = numbers(step, 1);
  const std::optional<Shape> computed = input(step, 1);
  if (!wanted && computed && computed->size() == 1 && computed->front() >= 0 &&
      computed->front() < 16)
    return Shape(static_cast<std::size_t>(computed->front()), -1);
  if (!wanted) return std::nullopt;
  Shape shape = *wanted;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && i < data.size())
      shape[i] = data[i];
    else if (shape[i] == -1)
      shape[i] = together(data);
  }
  return shape;
}

// Squeeze and Unsqueeze: axes as an attribute before opset 13, else as an input.
std::optional<Shape> ShapeFinder::with_axes(const Step& step, const Shape& data) const {
  std::vector<std::int64_t> axes = ints_attribute(*step.node, "axes");
  if (axes.empty()) axes = numbers(step, 1).value_or(std::vector<std::int64_t>{});
  if (axes.empty()) return std::nullopt;
  const bool adds = step.op == "Unsqueeze";
  const auto rank = static_cast<std::int64_t>(data.size() + (adds ? axes.size() : 0));
  for (std::int64_t& axis : axes) axis = axis < 0 ? axis + rank : axis;
  std::ranges::sort(axes);
  Shape shape = data;
  if (adds) {
    for (const std::int64_t axis : axes)
      if (axis >= 0 && axis <= static_cast<std::int64_t>(shape.size()))
        shape.insert(shape.begin() + axis, 1);
  } else {
    for (const std::int64_t axis : axes | std::views::reverse)
      if (axis >= 0 && axis < static_cast<std::int64_t>(shape.size()))
        shape.erase(shape.begin() + axis);
  }
  return shape;
}

// Vectors of extents, as they are put together ahead of a Reshape.
std::optional<Shape> ShapeFinder::of_vector(const Step& step) const {
  if (step.op == "Slice") {
    const auto first = numbers(step, 1);
    const auto last = numbers(step, 2);
    const std::int64_t length = input(step, 0)->front();
    if (!first || !last || first->size() != 1 || last->size() != 1 || length < 0)
      return std::nullopt;
    const auto place = [&](std::int64_t at) {
      return std::clamp(at < 0 ? at + length : at, std::int64_t{0}, length);
    };
    return Shape{std::max(place(last->front()) - place(first->front()), std::int64_t{0})};
  }
  std::int64_t length = 0;
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    const std::optional<Shape> part = input(step, i);
    if (!part || part->size() != 1 || part->front() < 0) return std::nullopt;
    length += part->front();
  }
  return Shape{length};
}

std::optional<Shape> ShapeFinder::of_concat(const Step& step, Shape data) const {
  const std::int64_t rank = static_cast<std::int64_t>(data.size());
  const std::int64_t stated = int_attribute(*step.node, "axis", 0);
  const std::int64_t axis = stated < 0 ? stated + rank : stated;
  if (axis < 0 || axis >= rank) return std::nullopt;
  data[static_cast<std::size_t>(axis)] = some_extent;
  for (std::size_t i = 1; i < step.inputs.size(); ++i)
    if (const std::optional<Shape> part = input(step, i); !part || !is_fixed(*part))
      data[static_cast<std::size_t>(axis)] = -1;
  return data;
}

std::optional<Shape> ShapeFinder::of_result(const Step& step) const {
  if (std::ranges::binary_search(broadcasts, step.op)) return broadcast(step, 1);
  if (step.op == "com.microsoft.QLinearAdd" || step.op == "com.microsoft.QLinearMul")
    return broadcast(step, 3);
  std::optional<Shape> data = input(step, 0);
  if (!data || step.node == nullptr) return std::nullopt;
  if (std::ranges::binary_search(same_shape, step.op) || is_activation_function(step.op))
    return data;
  if (step.op == "Shape") return Shape{static_cast<std::int64_t>(data->size())};
  if (data->size() == 1 && (step.op == "Slice" || step.op == "Concat")) return of_vector(step);
  if (step.op == "Concat") return of_concat(step, *data);
  if (step.op == "LSTM" || step.op == "GRU" || step.op == "RNN" ||
      step.op == "com.microsoft.DynamicQuantizeLSTM") {
    if (data->size() != 3) return std::nullopt;
    return Shape{(*data)[0], some_extent, (*data)[1], some_extent};
  }
  if (step.op == "Reshape") return reshaped(step, *data);
  if (step.op == "Squeeze" || step.op == "Unsqueeze") return with_axes(step, *data);
  if (step.op == "Flatten") return Shape{together(*data), together(*data)};
  const std::optional<Shape> other = input(step, 1);
  if (step.op == "MatMul" && other && other->size() == 2 && !data->empty()) {
    data->back() = other->back();
    return data;
  }
  if (step.op == "Gemm" && other && other->size() == 2 && data->size() == 2) {
    const bool is_transposed = int_attribute(*step.node, "transB", 0) != 0;
    data->back() = is_transposed ? other->front() : other->back();
    return int_attribute(*step.node, "transA", 0) == 0 ? data : std::nullopt;
  }
  if (step.op == "Transpose") {
    const std::vector<std::int64_t> order = ints_attribute(*step.node, "perm");
    Shape shape(data->rbegin(), data->rend());
    if (order.size() == data->size())
      std::ranges::transform(order, shape.begin(), [&](std::int64_t axis) {
        return axis >= 0 && axis < static_cast<std::int64_t>(data->size())
                   ? (*data)[static_cast<std::size_t>(axis)]
                   : -1;
      });
    return shape;
  }
  if (std::optional<Shape> shape = behind_window(step, *data)) return shape;
  constexpr std::array<std::string_view, 11> same_rank{
      "AveragePool",       "Conv",          "ConvInteger", "ConvTranspose",
      "GlobalAveragePool", "GlobalMaxPool", "MaxPool",     "Pad",
      "QLinearConv",       "Resize",        "Slice"};
  if (data->size() > 2 && (step.op == "GlobalAveragePool" || step.op == "GlobalMaxPool")) {
    std::fill(data->begin() + 2, data->end(), 1);
    return data;
  }
  if (!std::ranges::binary_search(same_rank, step.op)) return std::nullopt;
  const std::int64_t rest = together(*data);
  for (std::size_t i = step.op == "Slice" || step.op == "Pad" ? 0 : 1; i < data->size(); ++i)
    (*data)[i] = rest;
  return data;
}

}  // namespace

KnownShapes known_shapes(const WorkingGraph& graph) { return ShapeFinder(graph, true).find(); }

KnownShapes certain_shapes(const WorkingGraph& graph) { return ShapeFinder(graph, false).find(); }

}  // namespace ocs
