// The only functions that write a model. New tensors get new names; nothing is overwritten, since
// another node may read it: `prune` (passes/) drops what nobody reads.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ocs/graph/model.h"

namespace ocs {

// Adds an initializer named unique_name(base); returns its name.
std::string add_initializer(Model& model, std::string_view base, const Tensor& tensor);
std::string add_initializer(Model& model, std::string_view base, onnx::TensorProto tensor);

// A node with a name of its own (unique_name(name)), appended at the end of `graph`, the main graph
// of the model or a body in it: call sort_topologically when all edits are done. The second form
// takes the main graph.
onnx::NodeProto& add_node(Model& model, onnx::GraphProto& graph, std::string_view op_type,
                          const std::string& name, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs);
onnx::NodeProto& add_node(Model& model, std::string_view op_type, const std::string& name,
                          const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs);
void set_attribute(onnx::NodeProto& node, const std::string& name, std::int64_t value);
void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<std::int64_t>& values);
void set_attribute(onnx::NodeProto& node, const std::string& name, float value);
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value);
void set_attribute(onnx::NodeProto& node, const std::string& name, const Tensor& value);
void remove_attribute(onnx::NodeProto& node, std::string_view name);

// Input `index` of the node reads `name`; inputs that the node lacks before it become absent ones.
void set_input(onnx::NodeProto& node, int index, const std::string& name);
// y = Add(node's result, `shift`): the sum takes over the name of the node's first output. New names
// are made from `base`.
void add_behind(Model& model, onnx::NodeProto& node, const std::string& base, const Tensor& shift);

// Values that `graph` itself defines (inputs, initializers, results) get new names, in it and
// wherever its bodies read them: name -> new name. Not for the main graph, whose ports have names
// that others know.
void rename_values(onnx::GraphProto& graph, const std::map<std::string, std::string>& renamed);

// Initializers of the bodies that nobody reads go; returns how many.
int drop_unread_in_bodies(Model& model);

// Removes the nodes of the main graph that have one of these names (not empty). Their outputs must
// not be read any more.
void remove_nodes(Model& model, const std::set<std::string>& names);

// Every input of the main graph's nodes and bodies that reads `from` reads `to`; graph outputs keep
// their names.
void replace_uses(Model& model, const std::string& from, const std::string& to);
// Many at once, in one walk: each name that is a key becomes its value (values are not looked up
// again).
void replace_uses(Model& model, const std::map<std::string, std::string>& renamed);

// Orders the nodes so that each comes after its producers: every node keeps its place in the
// present order, but for producers that stand behind their first reader, which move right in front
// of it. What bodies capture counts as read. Throws Error(bad_input) naming a node on a cycle; the
// order is then unchanged. The second form orders one graph, not the bodies in it.
void sort_topologically(Model& model);
void sort_topologically(onnx::GraphProto& graph);

}  // namespace ocs
