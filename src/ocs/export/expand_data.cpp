#include "ocs/export/expand_data.h"

#include <optional>
#include <vector>

#include "ocs/graph/edit.h"

namespace ocs {
namespace {

// Nodes that are named after one layer.
class DataWriter {
 public:
  DataWriter(Model& out, onnx::GraphProto& place, const std::string& layer)
      : out_(out), place_(place), layer_(layer) {}

  std::string constant(const char* name, const std::vector<std::int64_t>& values) {
    return add_initializer(out_, layer_ + name,
                           {.shape = {static_cast<std::int64_t>(values.size())}, .values = values});
  }

  // One node; returns its result.
  std::string add(const std::string& op, const char* result, const std::vector<std::string>& inputs,
                  std::optional<std::int64_t> axis) {
    std::string output = out_.unique_name(layer_ + result);
    onnx::NodeProto& node = add_node(out_, place_, op, layer_ + "_" + op, inputs, {output});
    if (axis) set_attribute(node, "axis", *axis);
    return output;
  }

 private:
  Model& out_;
  onnx::GraphProto& place_;
  const std::string& layer_;
};

}  // namespace

std::string expand_data(Model& out, onnx::GraphProto& place, const LayerPlan& layer,
                        const std::string& value, std::int64_t axis) {
  DataWriter writer(out, place, layer.node);
  if (!layer.residual.channels.empty()) {
    const std::string channels = writer.constant("_channels", layer.residual.channels);
    const std::string some = writer.add("Gather", "_residual_data", {value, channels}, axis);
    return writer.add("Concat", "_split_data", {value, some}, axis);
  }
  if (layer.form == SplitForm::gather)
    return writer.add("Gather", "_split_data", {value, writer.constant("_channels", layer.inputs)},
                      axis);
  std::vector<std::string> parts{value};
  const std::string axes = writer.constant("_axes", {axis});
  for (const ChannelRun& run : layer.slices) {
    const std::string begin = writer.constant("_begin", {run.begin});
    const std::string end = writer.constant("_end", {run.end});
    parts.push_back(writer.add("Slice", "_run", {value, begin, end, axes}, std::nullopt));
  }
  return writer.add("Concat", "_split_data", parts, axis);
}

}  // namespace ocs
