#include "ocs/graph/walk.h"

#include <string_view>
#include <unordered_set>

namespace ocs {
namespace {

// Adds to `free` what `body` reads and does not define. Order inside the body does not matter: a
// value has one name in a scope.
void add_free_names(const onnx::GraphProto& body, std::set<std::string_view>& free) {
  std::unordered_set<std::string_view> defined;
  for (const auto& input : body.input()) defined.insert(input.name());
  for (const auto& tensor : body.initializer()) defined.insert(tensor.name());
  for (const auto& tensor : body.sparse_initializer()) defined.insert(tensor.values().name());
  for (const auto& node : body.node()) defined.insert(node.output().begin(), node.output().end());

  std::set<std::string_view> read;
  for (const auto& node : body.node()) {
    read.insert(node.input().begin(), node.input().end());
    for_each_body(node, [&](const onnx::GraphProto& inner) { add_free_names(inner, read); });
  }
  for (const auto& output : body.output()) read.insert(output.name());
  for (const std::string_view name : read)
    if (!name.empty() && !defined.contains(name)) free.insert(name);
}

}  // namespace

std::set<std::string> reads_of(const onnx::GraphProto& graph) {
  std::set<std::string> reads;
  for_each_graph(graph, [&](const onnx::GraphProto& each) {
    for (const auto& node : each.node()) reads.insert(node.input().begin(), node.input().end());
    for (const auto& output : each.output()) reads.insert(output.name());
  });
  return reads;
}

std::vector<std::string> captures(const onnx::NodeProto& node) {
  std::set<std::string_view> names;
  for_each_body(node, [&](const onnx::GraphProto& body) { add_free_names(body, names); });
  return {names.begin(), names.end()};
}

}  // namespace ocs
