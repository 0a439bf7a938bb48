#include "ocs/graph/expose.h"

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "ocs/core/error.h"

namespace ocs {

Model expose(Model model, const std::vector<std::string>& names) {
  onnx::GraphProto& graph = model.graph();
  std::unordered_set<std::string> known;
  std::unordered_map<std::string_view, const onnx::ValueInfoProto*> infos;
  for (const auto& value : graph.value_info()) infos.try_emplace(value.name(), &value);
  for (const auto& value : graph.input()) {
    infos.try_emplace(value.name(), &value);
    known.insert(value.name());
  }
  for (const auto& tensor : graph.initializer()) known.insert(tensor.name());
  for (const auto& node : graph.node()) known.insert(node.output().begin(), node.output().end());

  std::unordered_set<std::string> exposed;
  for (const auto& value : graph.output()) exposed.insert(value.name());
  for (const std::string& name : names) {
    if (name.empty() || !known.contains(name))
      throw_bad_input("the model has no value named '" + name + "'");
    if (!exposed.insert(name).second) continue;
    const auto info = infos.find(name);
    if (info != infos.end()) {
      *graph.add_output() = *info->second;
    } else {
      graph.add_output()->set_name(name);
    }
  }
  return model;
}

}  // namespace ocs
