#include "ocs/export/dynamic_lstm.h"

#include <algorithm>

#include "ocs/graph/edit.h"

namespace ocs {
namespace {

constexpr auto domain = "com.microsoft";
constexpr int first_parameter = 8;  // s_W, z_W, s_R, z_R

// [d, a, b] -> [d, b, a], the integers shifted to `zero_point`.
template <typename To>
std::vector<To> transposed(std::span<const std::int8_t> from, const Shape& shape, int zero_point) {
  const auto rows = static_cast<std::size_t>(shape[1]);
  const auto columns = static_cast<std::size_t>(shape[2]);
  std::vector<To> to(from.size());
  for (std::size_t begin = 0; begin < from.size(); begin += rows * columns)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < columns; ++c)
        to[begin + c * rows + r] = static_cast<To>(from[begin + r * columns + c] + zero_point);
  return to;
}

}  // namespace

DynamicWeight add_dynamic_weight(Model& out, const LayerPlan& layer, const Tensor& stored,
                                 const std::vector<float>& scales) {
  const bool is_signed = layer.dynamic_weights == DynamicWeights::int8;
  constexpr int middle = 128;
  const auto integers = stored.as<std::int8_t>();
  Tensor weight{.shape = {stored.shape[0], stored.shape[2], stored.shape[1]}};
  if (is_signed)
    weight.values = transposed<std::int8_t>(integers, stored.shape, 0);
  else
    weight.values = transposed<std::uint8_t>(integers, stored.shape, middle);

  // One scale for the tensor is one for each direction here.
  Tensor scale{.shape = {stored.shape[0]}, .values = scales};
  if (scales.size() > 1)
    scale.shape.push_back(stored.shape[1]);
  else
    scale.values = std::vector<float>(static_cast<std::size_t>(stored.shape[0]), scales[0]);
  const auto count = static_cast<std::size_t>(element_count(scale.shape));
  Tensor zero_point{.shape = scale.shape};
  if (is_signed)
    zero_point.values = std::vector<std::int8_t>(count, 0);
  else
    zero_point.values = std::vector<std::uint8_t>(count, middle);

  return {.weight = add_initializer(out, layer.weight + "_quantized", weight),
          .scale = add_initializer(out, layer.weight + "_scale", scale),
          .zero_point = add_initializer(out, layer.weight + "_zero_point", zero_point)};
}

void set_dynamic_weight(onnx::NodeProto& node, const LayerPlan& layer,
                        const DynamicWeight& weight) {
  const int parameter = first_parameter + (layer.operand.is_hidden() ? 2 : 0);
  set_input(node, layer.operand.weight_input, weight.weight);
  set_input(node, parameter, weight.scale);
  set_input(node, parameter + 1, weight.zero_point);
}

void make_dynamic(Model& out, onnx::NodeProto& node) {
  node.set_op_type("DynamicQuantizeLSTM");
  node.set_domain(domain);
  const auto& imports = out.proto().opset_import();
  const bool is_imported =
      std::ranges::any_of(imports, [](const auto& import) { return import.domain() == domain; });
  if (is_imported) return;
  auto* import = out.proto().add_opset_import();
  import->set_domain(domain);
  import->set_version(1);
}

}  // namespace ocs
