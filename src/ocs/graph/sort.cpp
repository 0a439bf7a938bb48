#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

// producers[i]: nodes that write what node i reads, in the order of its inputs; a node may be there
// twice.
std::vector<std::vector<int>> producers_of(const onnx::GraphProto& graph) {
  std::unordered_map<std::string_view, int> written_by;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const auto& output : graph.node(i).output())
      if (!output.empty()) written_by.try_emplace(output, i);

  std::vector<std::vector<int>> producers(static_cast<std::size_t>(graph.node_size()));
  for (int i = 0; i < graph.node_size(); ++i) {
    auto& mine = producers[static_cast<std::size_t>(i)];
    const auto add = [&](const std::string& value) {
      if (const auto found = written_by.find(value); found != written_by.end())
        mine.push_back(found->second);
    };
    for (const auto& input : graph.node(i).input()) add(input);
    if (!has_body(graph.node(i))) continue;
    for (const std::string& value : captures(graph.node(i))) add(value);
  }
  return producers;
}

// Depth first from every node in the present order, with a stack of our own: chains are as long as
// the file likes.
std::vector<int> order_of(const onnx::GraphProto& graph) {
  enum class State : char { unseen, open, done };
  struct Step {
    int node = 0;
    std::size_t next_producer = 0;
  };
  const auto producers = producers_of(graph);
  std::vector<State> states(producers.size(), State::unseen);
  std::vector<int> order;
  order.reserve(producers.size());
  std::vector<Step> stack;
  for (int start = 0; start < graph.node_size(); ++start) {
    if (states[static_cast<std::size_t>(start)] == State::unseen) stack.push_back({.node = start});
    while (!stack.empty()) {
      Step& top = stack.back();
      const auto index = static_cast<std::size_t>(top.node);
      states[index] = State::open;
      if (top.next_producer == producers[index].size()) {
        states[index] = State::done;
        order.push_back(top.node);
        stack.pop_back();
        continue;
      }
      const int producer = producers[index][top.next_producer++];
      switch (states[static_cast<std::size_t>(producer)]) {
        case State::unseen:
          stack.push_back({.node = producer});
          break;
        case State::open:
          throw_bad_input(
              fmt::format("node '{}' ({}) is on a cycle: its output is needed to compute its input",
                          graph.node(producer).name(), graph.node(producer).op_type()));
        case State::done:
          break;
      }
    }
  }
  return order;
}

}  // namespace

void sort_topologically(Model& model) { sort_topologically(model.graph()); }

void sort_topologically(onnx::GraphProto& graph) {
  const std::vector<int> order = order_of(graph);
  auto* nodes = graph.mutable_node();
  // Pointers are moved, not nodes: references to nodes stay valid.
  std::vector<onnx::NodeProto*> sorted;
  sorted.reserve(order.size());
  for (const int index : order) sorted.push_back(nodes->Mutable(index));
  std::copy(sorted.begin(), sorted.end(), nodes->pointer_begin());
}

}  // namespace ocs
