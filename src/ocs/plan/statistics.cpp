#include "ocs/plan/statistics.h"

#include <map>

#include "ocs/plan/find_layers.h"
#include "ocs/plan/regions.h"

namespace ocs {

std::vector<TensorRequest> statistics_requests(const Model& model, bool of_results) {
  const Graph graph(model);
  std::vector<Layer> layers = find_all_layers(graph).layers;
  // No value of the graph holds hidden states, and the engine shows none of a body.
  std::erase_if(layers,
                [](const Layer& layer) { return layer.operand.is_hidden() || layer.is_in_body; });
  std::map<std::string, TensorRequest> requests;
  for (const std::string& value :
       find_regions(graph, layers, ActScope::regions, of_results).quantized)
    requests[value].name = value;
  for (const Layer& layer : layers)
    requests[layer.data].channel_axes.insert(
        layer.op->data_axis(*graph.node_named(layer.node), layer.operand));
  std::vector<TensorRequest> list;
  for (auto& [name, request] : requests) list.push_back(std::move(request));
  return list;
}

}  // namespace ocs
