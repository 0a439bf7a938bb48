// x [N,3,?,?] and a sample [1,3,224,224]: x [1,3,224,224], and 1 for N wherever it stands.
#include "ocs/passes/fix_extents.h"

#include <cstdint>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

using Extents = std::map<std::string, std::int64_t>;  // by name
constexpr std::int64_t ambiguous = -1;  // the name stands for several: engines do not mind

bool is_free(const onnx::TensorShapeProto::Dimension& extent) {
  return !extent.has_dim_value() || extent.dim_value() < 0;
}

// Whether any was free. Names go to `named`.
bool fix_input(onnx::ValueInfoProto& input, const Shape& shape, Extents& named) {
  if (!input.type().tensor_type().has_shape()) {
    onnx::TensorShapeProto& stated = *input.mutable_type()->mutable_tensor_type()->mutable_shape();
    for (const std::int64_t extent : shape) stated.add_dim()->set_dim_value(extent);
    return true;
  }
  onnx::TensorShapeProto& stated = *input.mutable_type()->mutable_tensor_type()->mutable_shape();
  const auto refuse = [&] {
    throw_bad_input(
        fmt::format("input '{}': the data have the shape {}, which does not fit the model's",
                    input.name(), to_string(shape)));
  };
  if (stated.dim_size() != static_cast<int>(shape.size())) refuse();
  bool was_free = false;
  for (int i = 0; i < stated.dim_size(); ++i) {
    onnx::TensorShapeProto::Dimension& extent = *stated.mutable_dim(i);
    const std::int64_t value = shape[static_cast<std::size_t>(i)];
    if (!is_free(extent)) {
      if (extent.dim_value() != value) refuse();
      continue;
    }
    was_free = true;
    if (!extent.dim_param().empty()) {
      const auto [found, is_new] = named.try_emplace(extent.dim_param(), value);
      if (found->second != value) found->second = ambiguous;
    }
    extent.set_dim_value(value);
  }
  return was_free;
}

void replace_names(onnx::ValueInfoProto& value, const Extents& named) {
  if (!value.type().has_tensor_type() || !value.type().tensor_type().has_shape()) return;
  for (auto& extent : *value.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
    if (const auto found = named.find(extent.dim_param());
        is_free(extent) && found != named.end() && found->second != ambiguous)
      extent.set_dim_value(found->second);
}

}  // namespace

PassResult fix_extents(Model model, const std::map<std::string, Shape>& shapes) {
  PassResult result;
  onnx::GraphProto& graph = *model.proto().mutable_graph();
  Extents named;
  for (onnx::ValueInfoProto& input : *graph.mutable_input()) {
    const auto shape = shapes.find(input.name());
    if (shape != shapes.end() && input.type().has_tensor_type() &&
        fix_input(input, shape->second, named))
      result.notes.push_back({.text = fmt::format("input '{}' has the extents of the data now: {}",
                                                  input.name(), to_string(shape->second))});
  }
  for_each_graph(graph, [&](onnx::GraphProto& each) {
    for (auto* values : {each.mutable_input(), each.mutable_output(), each.mutable_value_info()})
      for (onnx::ValueInfoProto& value : *values) replace_names(value, named);
  });
  result.model = std::move(model);
  return result;
}

}  // namespace ocs
