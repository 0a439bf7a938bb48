#include "ocs/graph/verify.h"

#include <string>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

#include "ocs/graph/walk.h"

namespace ocs {
namespace {

using Names = std::unordered_set<std::string_view>;

// Names that a graph sees: its own, then those of the graphs around it.
struct Scope {
  const Scope* outer = nullptr;
  Names names{};

  [[nodiscard]] bool sees(std::string_view name) const {
    return names.contains(name) || (outer != nullptr && outer->sees(name));
  }
};

std::string words_for(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})",
                     node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name(),
                     node.op_type());
}

class Verifier {
 public:
  Verifier(Error::Kind kind, bool unique_nodes) : kind_(kind), unique_nodes_(unique_nodes) {}

  void graph(const onnx::GraphProto& graph, const Scope* outer) const {
    Scope scope{.outer = outer};
    sources(graph, scope);
    Names written;  // by any node, to tell "later" from "nowhere"
    for (const auto& node : graph.node())
      for (const auto& output : node.output())
        if (!output.empty()) written.insert(output);
    Names node_names;
    for (const auto& node : graph.node()) {
      if (unique_nodes_ && !node.name().empty() && !node_names.insert(node.name()).second)
        fail(words_for(node) + ": another node has this name");
      reads(node, scope, written);
      for (const auto& output : node.output()) {
        if (output.empty() || scope.names.insert(output).second) continue;
        fail(fmt::format("{} writes '{}', which has a value already", words_for(node), output));
      }
    }
    for (const auto& output : graph.output())
      if (!scope.sees(output.name()))
        fail(fmt::format("graph output '{}' is not computed by any node", output.name()));
  }

 private:
  // Inputs and initializers; one that is both is one value.
  void sources(const onnx::GraphProto& graph, Scope& scope) const {
    for (const auto& input : graph.input()) {
      if (!scope.names.insert(input.name()).second)
        fail(fmt::format("two graph inputs are named '{}'", input.name()));
    }
    Names tensors;
    const auto add = [&](const std::string& name) {
      if (!tensors.insert(name).second) fail(fmt::format("two initializers are named '{}'", name));
      scope.names.insert(name);
    };
    for (const auto& tensor : graph.initializer()) add(tensor.name());
    for (const auto& tensor : graph.sparse_initializer()) add(tensor.values().name());
  }

  void reads(const onnx::NodeProto& node, const Scope& scope, const Names& written) const {
    for (const auto& input : node.input()) {
      if (input.empty() || scope.sees(input))
        continue;  // empty: an optional input that is left out
      fail(fmt::format(
          "{} reads '{}', {}", words_for(node), input,
          written.contains(input) ? "which is computed only after it" : "which nothing computes"));
    }
    for_each_body(node, [&](const onnx::GraphProto& body) { graph(body, &scope); });
  }

  [[noreturn]] void fail(const std::string& message) const { throw Error(kind_, message); }

  Error::Kind kind_;
  bool unique_nodes_;
};

}  // namespace

void check_values(const Model& model, Error::Kind kind) {
  Verifier(kind, false).graph(model.graph(), nullptr);
}

void verify(const Model& model) {
  Verifier(Error::Kind::internal, true).graph(model.graph(), nullptr);
}

}  // namespace ocs
