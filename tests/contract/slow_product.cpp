#include "contract/slow_product.h"

#include <cmath>

#include "ocs/core/error.h"

namespace ocs {
namespace {

// Row-major position of an index and back.
std::size_t flat(const Shape& shape, const Shape& index) {
  std::size_t position = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    position =
        position * static_cast<std::size_t>(shape[axis]) + static_cast<std::size_t>(index[axis]);
  return position;
}

Shape index_at(const Shape& shape, std::int64_t position) {
  Shape index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = position % shape[axis];
    position /= shape[axis];
  }
  return index;
}

class Accumulator {
 public:
  explicit Accumulator(Shape shape) : shape_(std::move(shape)) {
    const auto size = static_cast<std::size_t>(element_count(shape_));
    product_.values.resize(size);
    product_.magnitudes.resize(size);
  }
  void add(const Shape& index, double x, double w) {
    const std::size_t at = flat(shape_, index);
    product_.values[at] += x * w;
    product_.magnitudes[at] += std::abs(x * w);
  }
  Product take() { return std::move(product_); }

 private:
  Shape shape_;
  Product product_;
};

Shape spatial(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

// Geometry of Conv and ConvTranspose along each spatial axis.
struct Window {
  Shape kernel{};
  Shape strides{};
  Shape dilations{};
  Shape pads{};  // in front
};

// `longer` and `shorter`: the spatial extents on the side of the taps and on the side of the
// windows.
Window window_of(const onnx::NodeProto& node, const Shape& longer, const Shape& shorter) {
  const std::size_t axes = longer.size();
  Window window{.kernel = ints_attribute(node, "kernel_shape"),
                .strides = ints_attribute(node, "strides"),
                .dilations = ints_attribute(node, "dilations"),
                .pads = ints_attribute(node, "pads")};
  if (window.strides.empty()) window.strides.assign(axes, 1);
  if (window.dilations.empty()) window.dilations.assign(axes, 1);
  if (window.pads.empty()) window.pads.assign(2 * axes, 0);
  const std::string automatic = string_attribute(node, "auto_pad", "NOTSET");
  for (std::size_t axis = 0; axis < axes && automatic.starts_with("SAME"); ++axis) {
    const std::int64_t reach = (shorter[axis] - 1) * window.strides[axis] +
                               (window.kernel[axis] - 1) * window.dilations[axis] + 1;
    const std::int64_t total = std::max<std::int64_t>(reach - longer[axis], 0);
    window.pads[axis] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
  }
  return window;
}

// Calls visit(position on the long side, position on the short side, tap) for every pair that meets
// outside of the padding.
template <typename Visit>
void for_each_meeting(const Window& window, const Shape& longer, const Shape& shorter,
                      Visit&& visit) {
  for (std::int64_t s = 0; s < element_count(shorter); ++s)
    for (std::int64_t tap = 0; tap < element_count(window.kernel); ++tap) {
      const Shape at = index_at(shorter, s);
      const Shape k = index_at(window.kernel, tap);
      Shape met(longer.size());
      bool inside = true;
      for (std::size_t axis = 0; axis < longer.size(); ++axis) {
        met[axis] =
            at[axis] * window.strides[axis] + k[axis] * window.dilations[axis] - window.pads[axis];
        inside = inside && met[axis] >= 0 && met[axis] < longer[axis];
      }
      if (inside) visit(met, at, tap);
    }
}

Shape joined(std::int64_t item, std::int64_t channel, const Shape& position) {
  Shape index{item, channel};
  index.insert(index.end(), position.begin(), position.end());
  return index;
}

Product convolve(const onnx::NodeProto& node, const ChannelMatrix& w, const Tensor& data,
                 const Shape& shape) {
  const bool transposed = node.op_type() == "ConvTranspose";
  const Shape longer = spatial(transposed ? shape : data.shape);
  const Shape shorter = spatial(transposed ? data.shape : shape);
  const auto x = data.as<float>();
  Accumulator sum(shape);
  for_each_meeting(
      window_of(node, longer, shorter), longer, shorter,
      [&](const Shape& far, const Shape& near, std::int64_t tap) {
        const Shape& from = transposed ? near : far;
        const Shape& to = transposed ? far : near;
        for (std::int64_t n = 0; n < shape[0]; ++n)
          for (std::int64_t g = 0; g < w.groups; ++g)
            for (std::int64_t o = 0; o < w.outputs; ++o)
              for (std::int64_t i = 0; i < w.inputs; ++i)
                sum.add(joined(n, g * w.outputs + o, to),
                        static_cast<double>(x[flat(data.shape, joined(n, g * w.inputs + i, from))]),
                        static_cast<double>(w.at(g, o, i, tap)));
      });
  return sum.take();
}

// Every axis in front of the last two is a batch; a batch of the data that is shorter than the
// weight's is used again.
Product multiply(const Operand& operand, bool data_transposed, const ChannelMatrix& w,
                 const Tensor& data, const Shape& shape) {
  const bool left = operand.weight_input == 0;  // y[out, n] = W[out, in] x[in, n]
  const Shape last(shape.end() - 2, shape.end());
  const Shape matrix(data.shape.end() - 2, data.shape.end());
  const auto x = data.as<float>();
  const auto batches = static_cast<std::size_t>(element_count(shape) / element_count(last));
  const std::size_t data_batches = x.size() / static_cast<std::size_t>(element_count(matrix));
  const Shape flat_shape{static_cast<std::int64_t>(batches), last[0], last[1]};
  Accumulator sum(flat_shape);
  for (std::size_t b = 0; b < batches; ++b)
    for (std::int64_t row = 0; row < last[0]; ++row)
      for (std::int64_t column = 0; column < last[1]; ++column)
        for (std::int64_t i = 0; i < w.inputs; ++i) {
          const Shape at = left              ? Shape{i, column}
                           : data_transposed ? Shape{i, row}
                                             : Shape{row, i};
          const std::size_t base =
              b % data_batches * static_cast<std::size_t>(element_count(matrix));
          sum.add({static_cast<std::int64_t>(b), row, column},
                  static_cast<double>(x[base + flat(matrix, at)]),
                  static_cast<double>(
                      w.at(0, left ? row : column, i, static_cast<std::int64_t>(b) % w.taps)));
        }
  return sum.take();
}

}  // namespace

Product slow_product(const onnx::NodeProto& node, const Operand& operand,
                     const ChannelMatrix& weight, const Tensor& data, const Shape& shape) {
  const std::string& op = node.op_type();
  if (op == "Conv" || op == "ConvTranspose") return convolve(node, weight, data, shape);
  if (op == "Gemm" || op == "MatMul")
    return multiply(operand, int_attribute(node, "transA", 0) != 0, weight, data, shape);
  throw_internal("no slow product is known for " + op);
}

}  // namespace ocs
