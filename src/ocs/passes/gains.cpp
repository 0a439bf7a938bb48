#include "ocs/passes/gains.h"

#include <algorithm>
#include <map>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"

namespace ocs {

AddedGains add_gains(Model model, const std::vector<GainPoint>& points) {
  AddedGains added{.model = std::move(model)};
  for (const GainPoint& point : points) {
    const Tensor ones{.shape = {point.channels},
                      .values = std::vector<float>(static_cast<std::size_t>(point.channels), 1.0F)};
    const std::string gain = add_initializer(added.model, point.value + "_gain", ones);
    const std::string scaled = added.model.unique_name(point.value + "_smoothed");
    added.nodes.push_back(
        add_node(added.model, "Mul", point.value + "_smooth", {point.value, gain}, {scaled})
            .name());
    for (const GainPoint::Reader& reader : point.readers) {
      auto& nodes = *added.model.graph().mutable_node();
      const auto node = std::ranges::find(nodes, reader.node, &onnx::NodeProto::name);
      if (node == nodes.end() || reader.input >= node->input_size() ||
          node->input(reader.input) != point.value)
        throw_internal("node '" + reader.node + "' does not read '" + point.value + "'");
      node->set_input(reader.input, scaled);
    }
  }
  sort_topologically(added.model);
  return added;
}

Model remove_gains(Model model, const std::set<std::string>& nodes) {
  std::map<std::string, std::string> renamed;
  for (const onnx::NodeProto& node : model.graph().node())
    if (nodes.contains(node.name())) renamed[node.output(0)] = node.input(0);
  replace_uses(model, renamed);
  remove_nodes(model, nodes);
  return model;
}

}  // namespace ocs
