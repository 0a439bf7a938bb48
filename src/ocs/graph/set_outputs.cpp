#include "ocs/graph/set_outputs.h"

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "ocs/core/error.h"

namespace ocs {

void set_outputs(onnx::GraphProto& graph, const std::vector<std::string>& names) {
  std::unordered_set<std::string_view> known;
  std::unordered_map<std::string_view, const onnx::ValueInfoProto*> infos;
  for (const auto& value : graph.output()) infos.try_emplace(value.name(), &value);
  for (const auto& value : graph.value_info()) infos.try_emplace(value.name(), &value);
  for (const auto& value : graph.input()) {
    infos.try_emplace(value.name(), &value);
    known.insert(value.name());
  }
  for (const auto& tensor : graph.initializer()) known.insert(tensor.name());
  for (const auto& node : graph.node()) known.insert(node.output().begin(), node.output().end());

  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> outputs;
  std::unordered_set<std::string_view> taken;
  for (const std::string& name : names) {
    if (name.empty() || !known.contains(name))
      throw_bad_input("the model has no value named '" + name + "'");
    if (!taken.insert(name).second) continue;
    const auto info = infos.find(name);
    if (info != infos.end()) {
      *outputs.Add() = *info->second;
    } else {
      outputs.Add()->set_name(name);
    }
  }
  graph.mutable_output()->Swap(&outputs);
}

}  // namespace ocs
