#include "ocs/passes/compute_constant.h"

#include <algorithm>
#include <set>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/passes/cast_values.h"
#include "ocs/passes/slice_concat.h"

namespace ocs {
namespace {

using onnx::TensorProto;

class Computation {
 public:
  Computation(const onnx::NodeProto& node, const FindConstant& find,
              const std::filesystem::path& folder)
      : node_(&node), find_(&find), folder_(&folder) {}

  [[nodiscard]] std::optional<TensorProto> result() const;

 private:
  [[nodiscard]] bool inputs_are_constant() const;
  [[nodiscard]] const TensorProto& data() const { return *(*find_)(node_->input(0)); }
  [[nodiscard]] std::optional<Shape> list(const std::string& attribute_name, int input) const;
  [[nodiscard]] std::optional<TensorProto> with_shape(const std::optional<Shape>& shape) const;
  [[nodiscard]] std::optional<Shape> reshaped() const;
  [[nodiscard]] std::optional<Shape> squeezed() const;
  [[nodiscard]] std::optional<Shape> unsqueezed() const;
  [[nodiscard]] std::optional<Shape> flattened() const;
  [[nodiscard]] std::optional<TensorProto> transposed() const;
  [[nodiscard]] std::optional<TensorProto> cast() const;
  [[nodiscard]] std::optional<TensorProto> cut() const;
  [[nodiscard]] std::optional<TensorProto> concatenated() const;
  [[nodiscard]] std::optional<TensorProto> constant() const;
  [[nodiscard]] std::optional<TensorProto> constant_of_shape() const;

  const onnx::NodeProto* node_;
  const FindConstant* find_;
  const std::filesystem::path* folder_;
};

bool Computation::inputs_are_constant() const {
  return std::ranges::all_of(node_->input(), [&](const std::string& name) {
    return name.empty() || (*find_)(name) != nullptr;
  });
}

std::optional<TensorProto> Computation::result() const {
  const std::string& op = node_->op_type();
  if (!in_default_domain(*node_) || node_->output_size() < 1) return std::nullopt;
  if (op == "Constant") return constant();
  if (node_->input_size() < 1 || node_->input(0).empty() || !inputs_are_constant())
    return std::nullopt;
  if (op == "Identity") return with_shape(shape_of(data()));
  if (op == "Reshape") return with_shape(reshaped());
  if (op == "Squeeze") return with_shape(squeezed());
  if (op == "Unsqueeze") return with_shape(unsqueezed());
  if (op == "Flatten") return with_shape(flattened());
  if (op == "Transpose") return transposed();
  if (op == "Cast") return cast();
  if (op == "Slice") return cut();
  if (op == "Concat") return concatenated();
  if (op == "ConstantOfShape") return constant_of_shape();
  return std::nullopt;
}

// A list of integers that is an attribute in old opsets and an input in new ones.
std::optional<Shape> Computation::list(const std::string& attribute_name, int input) const {
  if (attribute(*node_, attribute_name) != nullptr) return ints_attribute(*node_, attribute_name);
  if (input >= node_->input_size() || node_->input(input).empty()) return std::nullopt;
  const TensorProto& proto = *(*find_)(node_->input(input));
  if (proto.data_type() != TensorProto::INT64) return std::nullopt;
  const Tensor tensor = to_tensor(proto, *folder_);
  const auto values = tensor.as<std::int64_t>();
  return Shape(values.begin(), values.end());
}

std::optional<TensorProto> Computation::with_shape(const std::optional<Shape>& shape) const {
  if (!shape || element_count(*shape) != element_count(data())) return std::nullopt;
  TensorProto moved = data();
  moved.mutable_dims()->Assign(shape->begin(), shape->end());
  return moved;
}

std::optional<Shape> Computation::reshaped() const {
  const Shape old = shape_of(data());
  std::optional<Shape> shape = list("shape", 1);
  if (!shape) return std::nullopt;
  const bool copy_zero = int_attribute(*node_, "allowzero", 0) == 0;
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::size_t i = 0; i < shape->size(); ++i) {
    std::int64_t& extent = (*shape)[i];
    if (extent == 0 && copy_zero) {
      if (i >= old.size()) return std::nullopt;
      extent = old[i];
    }
    if (extent < -1 || (extent == -1 && open != nullptr)) return std::nullopt;
    if (extent == -1) {
      open = &extent;
    } else if (__builtin_mul_overflow(known, extent, &known)) {
      return std::nullopt;
    }
  }
  if (open == nullptr) return shape;
  if (known == 0 || element_count(old) % known != 0) return std::nullopt;
  *open = element_count(old) / known;
  return shape;
}

// Axes counted from the front, each once; nothing where one is out of range.
std::optional<std::set<std::int64_t>> positive(const Shape& axes, std::int64_t rank) {
  std::set<std::int64_t> found;
  for (const std::int64_t axis : axes) {
    if (axis < -rank || axis >= rank) return std::nullopt;
    if (!found.insert(axis < 0 ? axis + rank : axis).second) return std::nullopt;
  }
  return found;
}

std::optional<Shape> Computation::squeezed() const {
  const Shape old = shape_of(data());
  const std::optional<Shape> axes = list("axes", 1);
  Shape shape;
  if (!axes) {
    std::ranges::copy_if(old, std::back_inserter(shape), [](auto extent) { return extent != 1; });
    return shape;
  }
  const auto gone = positive(*axes, static_cast<std::int64_t>(old.size()));
  if (!gone) return std::nullopt;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const bool goes = gone->contains(static_cast<std::int64_t>(i));
    if (goes && old[i] != 1) return std::nullopt;
    if (!goes) shape.push_back(old[i]);
  }
  return shape;
}

std::optional<Shape> Computation::unsqueezed() const {
  const Shape old = shape_of(data());
  const std::optional<Shape> axes = list("axes", 1);
  if (!axes) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(old.size() + axes->size());
  const auto added = positive(*axes, rank);
  if (!added) return std::nullopt;
  Shape shape;
  auto next = old.begin();
  for (std::int64_t i = 0; i < rank; ++i) shape.push_back(added->contains(i) ? 1 : *next++);
  return shape;
}

std::optional<Shape> Computation::flattened() const {
  const Shape old = shape_of(data());
  const auto rank = static_cast<std::int64_t>(old.size());
  std::int64_t axis = int_attribute(*node_, "axis", 1);
  if (axis < -rank || axis > rank) return std::nullopt;
  if (axis < 0) axis += rank;
  const auto middle = static_cast<std::size_t>(axis);
  const std::span<const std::int64_t> all(old);
  return Shape{element_count(all.first(middle)), element_count(all.subspan(middle))};
}

std::size_t bytes_per_element(int type) {
  switch (type) {
    case TensorProto::BOOL:
    case TensorProto::INT8:
    case TensorProto::UINT8:
      return 1;
    case TensorProto::INT16:
    case TensorProto::UINT16:
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      return 2;
    case TensorProto::FLOAT:
    case TensorProto::INT32:
      return 4;
    case TensorProto::DOUBLE:
    case TensorProto::INT64:
      return 8;
    default:
      return 0;
  }
}

// to[i0, i1, ..] = from[..] with axis a of `to` being axis perm[a] of `from`.
std::string permuted(const std::string& from, const Shape& shape, const Shape& perm,
                     std::size_t width) {
  const std::size_t rank = shape.size();
  std::vector<std::size_t> stride(rank, width);
  for (std::size_t a = rank; a-- > 1;)
    stride[a - 1] = stride[a] * static_cast<std::size_t>(shape[a]);
  std::string to;
  to.reserve(from.size());
  std::vector<std::int64_t> index(rank, 0);
  std::size_t at = 0;
  while (to.size() < from.size()) {
    to.append(from, at, width);
    for (std::size_t a = rank; a-- > 0;) {  // the next index of `to`, last axis first
      const auto axis = static_cast<std::size_t>(perm[a]);
      at += stride[axis];
      if (++index[a] < shape[axis]) break;
      at -= stride[axis] * static_cast<std::size_t>(shape[axis]);
      index[a] = 0;
    }
  }
  return to;
}

std::optional<TensorProto> Computation::transposed() const {
  const Shape shape = shape_of(data());
  const auto rank = static_cast<std::int64_t>(shape.size());
  Shape perm = ints_attribute(*node_, "perm");
  if (perm.empty())
    for (std::int64_t i = rank; i-- > 0;) perm.push_back(i);
  const auto axes = positive(perm, rank);
  const std::size_t width = bytes_per_element(data().data_type());
  const bool negative = std::ranges::any_of(perm, [](auto axis) { return axis < 0; });
  if (!axes || negative || perm.size() != shape.size() || width == 0) return std::nullopt;
  TensorProto moved = data();
  load_external_data(moved, *folder_);
  if (!moved.has_raw_data()) {
    if (width == 2 &&
        (moved.data_type() == TensorProto::FLOAT16 || moved.data_type() == TensorProto::BFLOAT16))
      return std::nullopt;  // a Tensor would hold them widened
    moved = to_proto(to_tensor(moved), "");
  }
  if (moved.raw_data().size() != static_cast<std::size_t>(element_count(data())) * width)
    return std::nullopt;
  moved.set_raw_data(permuted(moved.raw_data(), shape, perm, width));
  moved.clear_dims();
  for (const std::int64_t axis : perm) moved.add_dims(shape[static_cast<std::size_t>(axis)]);
  return moved;
}

std::optional<TensorProto> Computation::cast() const {
  const std::int64_t to = int_attribute(*node_, "to", TensorProto::UNDEFINED);
  if (to == data().data_type()) return with_shape(shape_of(data()));
  if (bytes_per_element(data().data_type()) == 0) return std::nullopt;
  const Tensor from = to_tensor(data(), *folder_);  // half-width floats widened, exactly
  std::optional<Values> values = cast_values(from.values, to);
  if (!values) return std::nullopt;
  return to_proto({.shape = from.shape, .values = std::move(*values)}, "");
}

// Whether a Tensor holds the values as they are, not widened.
bool is_held_exactly(const TensorProto& proto) {
  return bytes_per_element(proto.data_type()) != 0 && proto.data_type() != TensorProto::FLOAT16 &&
         proto.data_type() != TensorProto::BFLOAT16;
}

std::optional<TensorProto> Computation::cut() const {
  const std::optional<Shape> from = list("starts", 1);
  const std::optional<Shape> to = list("ends", 2);
  if (!from || !to || from->size() != to->size() || !is_held_exactly(data())) return std::nullopt;
  const auto is_given = [&](int input) {
    return input < node_->input_size() && !node_->input(input).empty();
  };
  const std::optional<Shape> axes = list("axes", 3);
  const std::optional<Shape> steps = list("", 4);
  if ((is_given(3) && !axes) || (is_given(4) && !steps)) return std::nullopt;
  if ((axes && axes->size() != from->size()) || (steps && steps->size() != from->size()))
    return std::nullopt;
  std::vector<AxisCut> cuts;
  for (std::size_t i = 0; i < from->size(); ++i)
    cuts.push_back({.axis = axes ? (*axes)[i] : static_cast<std::int64_t>(i),
                    .from = (*from)[i],
                    .to = (*to)[i],
                    .step = steps ? (*steps)[i] : 1});
  const std::optional<Tensor> part = sliced(to_tensor(data(), *folder_), cuts);
  return part ? std::optional(to_proto(*part, "")) : std::nullopt;
}

std::optional<TensorProto> Computation::concatenated() const {
  // Chains of Concat of a thing with itself grow without bound.
  constexpr std::int64_t most = 1 << 26;
  std::int64_t count = 0;
  for (const std::string& name : node_->input()) {
    if (name.empty() || !is_held_exactly(*(*find_)(name))) return std::nullopt;
    count += element_count(*(*find_)(name));
    if (count > most) return std::nullopt;
  }
  if (attribute(*node_, "axis") == nullptr) return std::nullopt;
  std::vector<Tensor> parts;
  for (const std::string& name : node_->input())
    parts.push_back(to_tensor(*(*find_)(name), *folder_));
  const std::optional<Tensor> whole = joined(parts, int_attribute(*node_, "axis", 0));
  return whole ? std::optional(to_proto(*whole, "")) : std::nullopt;
}

// One of the attributes value, value_float, value_floats, ...; nothing for a sparse one.
std::optional<TensorProto> tensor_of(const onnx::AttributeProto& attribute) {
  if (attribute.has_t()) return attribute.t();
  TensorProto tensor;
  switch (attribute.type()) {
    case onnx::AttributeProto::FLOATS:
      tensor.add_dims(attribute.floats_size());
      *tensor.mutable_float_data() = attribute.floats();
      break;
    case onnx::AttributeProto::FLOAT:
      tensor.add_float_data(attribute.f());
      break;
    case onnx::AttributeProto::INTS:
      tensor.add_dims(attribute.ints_size());
      *tensor.mutable_int64_data() = attribute.ints();
      break;
    case onnx::AttributeProto::INT:
      tensor.add_int64_data(attribute.i());
      break;
    case onnx::AttributeProto::STRINGS:
      tensor.add_dims(attribute.strings_size());
      *tensor.mutable_string_data() = attribute.strings();
      break;
    case onnx::AttributeProto::STRING:
      tensor.add_string_data(attribute.s());
      break;
    default:
      return std::nullopt;
  }
  const std::string& name = attribute.name();
  tensor.set_data_type(name.starts_with("value_float")    ? TensorProto::FLOAT
                       : name.starts_with("value_string") ? TensorProto::STRING
                                                          : TensorProto::INT64);
  return tensor;
}

std::optional<TensorProto> Computation::constant() const {
  for (const auto& attribute : node_->attribute())
    if (attribute.name().starts_with("value")) return tensor_of(attribute);
  return std::nullopt;
}

std::optional<TensorProto> Computation::constant_of_shape() const {
  constexpr std::int64_t most = 65536;
  const std::optional<Shape> shape = list("", 0);
  const auto is_off = [](std::int64_t extent) { return extent < 0 || extent > most; };
  if (!shape || std::ranges::any_of(*shape, is_off)) return std::nullopt;
  const std::int64_t count = element_count(*shape);
  if (count > most) return std::nullopt;
  Tensor one{.shape = {1}, .values = std::vector<float>{0.0F}};
  if (const auto* value = attribute(*node_, "value")) {
    if (!is_held_exactly(value->t())) return std::nullopt;
    one = to_tensor(value->t());
  }
  if (element_count(one.shape) != 1) return std::nullopt;
  std::visit(
      [&](auto& values) {
        const auto value = values.front();
        values.assign(static_cast<std::size_t>(count), value);
      },
      one.values);
  one.shape = *shape;
  return to_proto(one, "");
}

}  // namespace

std::optional<onnx::TensorProto> compute_constant(const onnx::NodeProto& node,
                                                  const FindConstant& find,
                                                  const std::filesystem::path& folder) {
  std::optional<TensorProto> tensor = Computation(node, find, folder).result();
  if (tensor) tensor->set_name(node.output(0));
  return tensor;
}

}  // namespace ocs
