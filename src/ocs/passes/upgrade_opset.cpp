// One opset at a time, the rules of that opset:
//
//   opset 9: Slice(x; starts, ends)                    opset 13: Slice(x, starts, ends)
//            Upsample(x, scales)               -->               Resize(x, , scales)
//            Squeeze(x; axes)                                    Squeeze(x, axes)
//
// so that a rule knows two neighbouring opsets and no more. New constants are initializers in the
// main graph, Constant nodes in bodies and functions.
#include "ocs/passes/upgrade_opset.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/walk.h"
#include "ocs/passes/upgrade_rewrite.h"
#include "ocs/passes/upgrade_table.h"

namespace ocs {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

// Of opset 7, 8, ... 25 (the release notes of ONNX 1.2 to 1.20).
constexpr std::array<std::int64_t, 19> ir_versions{3, 3, 4, 5, 6,  7,  7,  7,  8, 8,
                                                   8, 8, 9, 9, 10, 10, 11, 12, 13};
constexpr std::int64_t oldest_ir = 4;  // from here on initializers need not be graph inputs

void raise_ir_version(Model& model) {
  const std::int64_t opset = std::clamp<std::int64_t>(model.opset(), oldest_opset, newest_opset);
  const std::int64_t needed =
      std::max(oldest_ir, ir_versions.at(static_cast<std::size_t>(opset - oldest_opset)));
  if (model.proto().ir_version() < needed) model.proto().set_ir_version(needed);
}

// Throws for the first node between `from` and `target` without a rule, before anything is changed.
void check_nodes(const Nodes& nodes, int from, int target) {
  for (const auto& node : nodes) {
    for_each_body(node,
                  [&](const onnx::GraphProto& body) { check_nodes(body.node(), from, target); });
    if (!in_default_domain(node)) continue;
    if (!is_standard_operator(node.op_type()))
      refuse_upgrade(node, from + 1, "ONNX has no operator of this name");
    for (int version = from + 1; version <= target; ++version) {
      const Change change = change_of(node.op_type(), version);
      if (change.effect == Change::Effect::refused) refuse_upgrade(node, version, change.reason);
    }
  }
}

bool has_work(const Nodes& nodes, int version) {
  return std::ranges::any_of(nodes, [&](const onnx::NodeProto& node) {
    bool found = in_default_domain(node) &&
                 change_of(node.op_type(), version).effect == Change::Effect::rewritten;
    for_each_body(node, [&](const onnx::GraphProto& body) {
      found = found || has_work(body.node(), version);
    });
    return found;
  });
}

void add_reads(const Nodes& nodes, std::set<std::string>& read) {
  for (const auto& node : nodes) {
    read.insert(node.input().begin(), node.input().end());
    const std::vector<std::string> captured = captures(node);
    read.insert(captured.begin(), captured.end());
  }
}

void apply_rule(Rewrite& rewrite, int version, std::vector<Note>& notes) {
  const onnx::NodeProto& node = rewrite.node();
  const Change change = change_of(node.op_type(), version);
  const bool parametric = std::ranges::any_of(
      node.attribute(), [](const auto& attribute) { return !attribute.ref_attr_name().empty(); });
  if (parametric) rewrite.refuse("an attribute is a parameter of the function");
  if (node.output_size() == 0) rewrite.refuse("it has no output");
  const std::string before = node.SerializeAsString();
  const std::string op_type = node.op_type();
  change.rule(rewrite);
  if (node.SerializeAsString() == before) return;
  notes.push_back(
      {.node = node.name(),
       .text = fmt::format("{} taken to opset {}: {}", op_type, version, change.reason)});
}

void upgrade_graph(RewriteScope& scope, onnx::GraphProto& graph, int version,
                   std::vector<Note>& notes);

void upgrade_nodes(RewriteScope& scope, Nodes& nodes, int version, std::vector<Note>& notes) {
  Nodes written;
  for (auto& node : nodes) {
    for_each_body(node, [&](onnx::GraphProto& body) {
      if (!has_work(body.node(), version)) return;
      RewriteScope inner{.model = scope.model, .facts = ValueFacts(body, &scope.facts)};
      upgrade_graph(inner, body, version, notes);
    });
    Rewrite rewrite(scope, node, version);
    if (in_default_domain(node) &&
        change_of(node.op_type(), version).effect == Change::Effect::rewritten)
      apply_rule(rewrite, version, notes);
    for (auto& extra : rewrite.nodes_before()) written.Add(std::move(extra));
    written.Add()->Swap(&node);
    for (auto& extra : rewrite.nodes_behind()) written.Add(std::move(extra));
  }
  nodes.Swap(&written);
}

void upgrade_graph(RewriteScope& scope, onnx::GraphProto& graph, int version,
                   std::vector<Note>& notes) {
  add_reads(graph.node(), scope.read);
  for (const auto& output : graph.output()) scope.read.insert(output.name());
  upgrade_nodes(scope, *graph.mutable_node(), version, notes);
}

template <typename Proto>  // ModelProto or FunctionProto
onnx::OperatorSetIdProto* default_import(Proto& proto) {
  for (auto& import : *proto.mutable_opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx") return &import;
  return nullptr;
}

void check_age(std::int64_t opset, const Nodes& nodes) {
  if (opset >= oldest_opset || std::ranges::none_of(nodes, in_default_domain)) return;
  throw_unsupported(fmt::format(
      "the model uses opset {}; opsets from {} on can be read: convert it with the exporter that "
      "wrote it, or with onnx.version_converter",
      opset, oldest_opset));
}

void upgrade_function(Model& model, onnx::FunctionProto& function, int target,
                      std::vector<Note>& notes) {
  onnx::OperatorSetIdProto* import = default_import(function);
  if (import == nullptr || import->version() >= target) return;
  check_age(import->version(), function.node());
  const int from = static_cast<int>(std::max<std::int64_t>(import->version(), oldest_opset));
  check_nodes(function.node(), from, target);
  for (int version = from + 1; version <= target; ++version) {
    if (!has_work(function.node(), version)) continue;
    RewriteScope scope{.model = &model, .facts = ValueFacts(function)};
    add_reads(function.node(), scope.read);
    scope.read.insert(function.output().begin(), function.output().end());
    scope.taken = scope.read;  // the model's unique_name does not look into functions
    for (const auto& node : function.node()) {
      scope.taken.insert(node.name());
      scope.taken.insert(node.output().begin(), node.output().end());
    }
    upgrade_nodes(scope, *function.mutable_node(), version, notes);
  }
  import->set_version(target);
}

}  // namespace

PassResult upgrade_opset(Model model, std::int64_t target) {
  constexpr std::int64_t lowest_target = 13;
  if (target < lowest_target || target > newest_opset)
    throw_bad_input(fmt::format("opset {} cannot be written; {} to {} can", target, lowest_target,
                                newest_opset));
  const int last = static_cast<int>(target);
  std::vector<Note> notes;
  check_age(model.opset(), model.graph().node());
  for (auto& function : *model.proto().mutable_functions())
    upgrade_function(model, function, last, notes);
  if (model.opset() < target) {
    const int from = static_cast<int>(std::max<std::int64_t>(model.opset(), oldest_opset));
    check_nodes(model.graph().node(), from, last);
    for (int version = from + 1; version <= last; ++version) {
      if (!has_work(model.graph().node(), version)) continue;
      RewriteScope scope{
          .model = &model, .is_main_graph = true, .facts = ValueFacts(model.graph())};
      upgrade_graph(scope, model.graph(), version, notes);
    }
    model.set_opset(target);
  }
  raise_ir_version(model);
  return {std::move(model), std::move(notes)};
}

}  // namespace ocs
