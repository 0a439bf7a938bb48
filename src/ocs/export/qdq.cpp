#include "ocs/export/qdq.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ocs/export/dynamic_lstm.h"
#include "ocs/export/write_embeddings.h"
#include "ocs/export/write_layer.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

// The model without its initializers and shapes of inner values.
Model without_weights(const Model& model, bool with_nodes) {
  onnx::ModelProto proto;
  const onnx::ModelProto& from = model.proto();
  proto.set_ir_version(from.ir_version());
  proto.set_producer_name(from.producer_name());
  proto.set_producer_version(from.producer_version());
  proto.set_domain(from.domain());
  proto.set_model_version(from.model_version());
  proto.set_doc_string(from.doc_string());
  *proto.mutable_opset_import() = from.opset_import();
  *proto.mutable_metadata_props() = from.metadata_props();
  *proto.mutable_functions() = from.functions();
  onnx::GraphProto& graph = *proto.mutable_graph();
  graph.set_name(from.graph().name());
  graph.set_doc_string(from.graph().doc_string());
  *graph.mutable_input() = from.graph().input();
  *graph.mutable_output() = from.graph().output();
  *graph.mutable_sparse_initializer() = from.graph().sparse_initializer();
  if (with_nodes) *graph.mutable_node() = from.graph().node();
  return Model(std::move(proto), model.file());
}

// No new initializer may take the name of one that is copied later.
void reserve_names(const Model& from, Model& to) {
  for (const onnx::TensorProto& tensor : from.graph().initializer()) to.reserve_name(tensor.name());
}

void copy_initializers_read(const Model& from, Model& to) {
  const std::set<std::string> reads = reads_of(to.graph());
  for (const onnx::TensorProto& tensor : from.graph().initializer())
    if (reads.contains(tensor.name())) *to.graph().add_initializer() = tensor;
}

// Where a node of the written model lies: the main graph or a body.
struct Place {
  onnx::NodeProto* node = nullptr;
  onnx::GraphProto* graph = nullptr;
};

std::map<std::string, Place> places_by_name(Model& model) {
  std::map<std::string, Place> places;
  for_each_graph(model.graph(), [&](onnx::GraphProto& graph) {
    for (onnx::NodeProto& node : *graph.mutable_node())
      places[node.name()] = {.node = &node, .graph = &graph};
  });
  return places;
}

void sort_all_graphs(Model& model) {
  for_each_graph(model.graph(), [](onnx::GraphProto& graph) { sort_topologically(graph); });
}

// A Clip whose bounds hold the levels in use takes nothing away any more once the integers are
// clipped to these; the engine sees that only where the levels fill the container, so for fewer
// bits it is left out here.
bool is_redundant_clip(const Graph& graph, const onnx::NodeProto& node,
                       const ActivationPlan& plan) {
  if (node.op_type() != "Clip" || !in_default_domain(node) ||
      graph.only_consumer(node.input(0)) == nullptr)
    return false;
  const auto bound = [&](int input, float fallback) {
    if (input >= node.input_size() || node.input(input).empty()) return fallback;
    const std::string& name = node.input(input);
    return graph.initializer(name) == nullptr ? 0.0F : read_tensor(graph, name).as<float>()[0];
  };
  const float scale = plan.params.scale[0];
  const std::int32_t zero_point = plan.params.zero_point[0];
  return scale * static_cast<float>(plan.level_high - zero_point) <=
             bound(2, std::numeric_limits<float>::infinity()) &&
         scale * static_cast<float>(plan.level_low - zero_point) >=
             bound(1, -std::numeric_limits<float>::infinity());
}

// Min or Max against constants that the levels in use hold anyway.
bool is_redundant_bound(const Graph& graph, const onnx::NodeProto& node,
                        const ActivationPlan& plan) {
  const bool is_min = node.op_type() == "Min";
  if ((!is_min && node.op_type() != "Max") || !in_default_domain(node) || node.input_size() != 2)
    return false;
  const onnx::TensorProto* bounds = graph.initializer(node.input(1));
  if (bounds == nullptr || bounds->data_type() != onnx::TensorProto::FLOAT ||
      graph.initializer(node.input(0)) != nullptr)
    return false;
  const Tensor tensor = read_tensor(graph, node.input(1));
  const float scale = plan.params.scale[0];
  const std::int32_t zero_point = plan.params.zero_point[0];
  const float limit =
      scale * static_cast<float>((is_min ? plan.level_high : plan.level_low) - zero_point);
  return std::ranges::all_of(tensor.as<float>(),
                             [&](float bound) { return is_min ? limit <= bound : limit >= bound; });
}

// Which inputs of nodes read a quantized value in its rounded form.
class Readings {
 public:
  explicit Readings(const Plan& plan) : plan_(plan) {
    for (const LayerPlan& layer : plan.layers)
      if (layer.act_bits) layers_.insert({layer.node, *layer.operand.data_input});
  }
  // Whether there is no float form of `value` to read.
  [[nodiscard]] bool by_all(const std::string& value) const {
    return !plan_.float_values.contains(value);
  }
  [[nodiscard]] bool by(const onnx::NodeProto& node, int input) const {
    return by_all(node.input(input)) || layers_.contains({node.name(), input}) ||
           plan_.integer_steps.contains(node.name());
  }
  // Whether all that read `value` read it rounded.
  [[nodiscard]] bool only(const Graph& graph, const std::string& value) const {
    if (by_all(value)) return true;
    return !graph.is_graph_output(value) &&
           std::ranges::all_of(graph.uses(value), [&](const Use& use) {
             return use.input >= 0 && by(graph.node(use.node), use.input);
           });
  }

 private:
  const Plan& plan_;
  std::set<std::pair<std::string, int>> layers_{};
};

// The lengths of the sequences, of recurrent operators: the one input that is not float.
bool is_lengths(const onnx::NodeProto& node, const std::string& input) {
  constexpr int lengths_input = 4;
  return find_linear_op(node)->is_recurrent && node.input_size() > lengths_input &&
         node.input(lengths_input) == input;
}

}  // namespace

Model write_qdq(const Model& model, const Plan& plan) {
  const Graph graph(model);
  Model out = without_weights(model, true);
  reserve_names(model, out);
  LayerWriter writer(graph, out, plan);

  // Nodes keep their places while they are rewired; what is added goes behind them and is sorted in
  // at the end.
  const std::map<std::string, Place> places =
      places_by_name(out);  // the protobuf keeps nodes at their addresses
  std::map<std::string, LayerWriter::Quantized> quantized;
  std::map<std::string, std::string> readable;  // quantized value -> what its readers read
  std::set<std::string> dropped;
  const Readings readings(plan);
  for (const auto& [value, activation] : plan.activations) {
    std::string input = value;
    const onnx::NodeProto* producer = graph.producer(value);
    const bool is_output = graph.is_graph_output(value) && readings.by_all(value);
    const bool may_drop = readings.only(graph, value);
    if (producer != nullptr && activation.level_high < activation.params.grid.highest() &&
        may_drop && is_redundant_clip(graph, *producer, activation)) {
      dropped.insert(producer->name());
      input = producer->input(0);
    } else if (producer != nullptr && !is_output && may_drop &&
               is_redundant_bound(graph, *producer, activation)) {
      for (const onnx::NodeProto* bound = producer;
           bound != nullptr && is_redundant_bound(graph, *bound, activation) &&
           (bound == producer || graph.only_consumer(input) != nullptr);
           bound = graph.producer(input)) {
        dropped.insert(bound->name());
        input = bound->input(0);
      }
    } else if (is_output && producer != nullptr) {
      input = out.unique_name(value + "_float");
      for (std::string& name : *places.at(producer->name()).node->mutable_output())
        if (name == value) name = input;
    }
    quantized[value] = writer.quantize(value, input, activation);
    readable[value] = is_output && producer != nullptr
                          ? value
                          : out.unique_name(value + "_DequantizeLinear_Output");
    (void)writer.dequantize(quantized[value], quantized[value].levels, readable[value]);
  }
  for (const auto& [name, place] : places) {
    onnx::NodeProto* node = place.node;
    for (int i = 0; i < node->input_size(); ++i) {
      if (!readings.by(*node, i)) continue;
      if (const auto found = readable.find(node->input(i)); found != readable.end())
        node->set_input(i, found->second);
    }
  }
  for_each_graph(out.graph(), [&](onnx::GraphProto& body) {
    if (&body == &out.graph()) return;
    for (onnx::ValueInfoProto& output : *body.mutable_output())  // that hands a value on
      if (const auto found = readable.find(output.name());
          found != readable.end() && readings.by_all(output.name()))
        output.set_name(found->second);
  });
  for (const LayerPlan& layer : plan.layers) {
    const std::string data = data_of(*graph.node_named(layer.node), layer.operand);
    const bool is_quantized = layer.act_bits.has_value() && quantized.contains(data);
    const Place& place = places.at(layer.node);
    writer.write(*place.node, *place.graph, layer, is_quantized ? &quantized.at(data) : nullptr);
  }
  for (const LayerPlan& layer : plan.layers)  // once both weights of a node are written
    if (layer.dynamic_weights != DynamicWeights::none && layer.operand.is_hidden())
      make_dynamic(out, *places.at(layer.node).node);
  std::map<std::string, onnx::NodeProto*> nodes;
  for (const auto& [name, place] : places) nodes[name] = place.node;
  write_embeddings(graph, plan, out, nodes);
  remove_nodes(out, dropped);
  drop_unread_in_bodies(out);
  copy_initializers_read(model, out);
  sort_all_graphs(out);
  return out;
}

Model write_single_layers(const Model& model, const Plan& plan, std::span<const LayerPlan> layers) {
  const Graph graph(model);
  Model out = without_weights(model, false);
  reserve_names(model, out);
  out.graph().clear_input();
  out.graph().clear_output();
  LayerWriter writer(graph, out, plan);
  std::set<std::string> inputs;
  const auto declare = [](auto* list, const std::string& name, onnx::TensorProto::DataType type) {
    onnx::ValueInfoProto& port = *list->Add();
    port.set_name(name);
    port.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  };
  // Before the writer sees one: it remembers the layers whose weights may be shared.
  std::vector<LayerPlan> alone(layers.begin(), layers.end());
  for (LayerPlan& layer : alone) {
    layer.dynamic_weights = DynamicWeights::none;  // the other weight of its node is float here
    if (layer.operand.is_hidden()) continue;       // makes its copies itself
    layer.rows.clear();  // rows of a producer are permuted for its consumer: here each stands alone
    if (layer.form == SplitForm::fold || layer.form == SplitForm::slice)
      layer.form = SplitForm::gather;
    if (layer.copies.empty()) layer.inputs.clear();
  }
  for (const LayerPlan& layer : alone) {
    const onnx::NodeProto& original = *graph.node_named(layer.node);
    const std::string data = data_of(original, layer.operand);
    onnx::NodeProto node = original;
    LayerWriter::Quantized quantized;
    const bool is_quantized = layer.act_bits.has_value() && plan.activations.contains(data);
    if (is_quantized) {
      quantized = writer.quantize(data, data, plan.activations.at(data));
      node.set_input(*layer.operand.data_input,
                     writer.dequantize(quantized, quantized.levels,
                                       out.unique_name(data + "_DequantizeLinear_Output")));
    }
    const std::string result = single_layer_result(layer.id(), result_of(original));
    for (std::string& output : *node.mutable_output())
      output = output == result_of(original) ? result : "";
    // The engine wants node names that differ.
    if (!layer.operand.part.empty()) node.set_name(result);
    *out.graph().add_node() = node;
    writer.write(*out.graph().mutable_node(out.graph().node_size() - 1), out.graph(), layer,
                 is_quantized ? &quantized : nullptr);
    for (const std::string& input : computed_inputs(graph, original))
      if (inputs.insert(input).second)
        declare(out.graph().mutable_input(), input,
                is_lengths(original, input) ? onnx::TensorProto::INT32 : onnx::TensorProto::FLOAT);
    declare(out.graph().mutable_output(), result, onnx::TensorProto::FLOAT);
  }
  copy_initializers_read(model, out);
  sort_topologically(out);
  return out;
}

std::string single_layer_result(const LayerId& layer, const std::string& result) {
  return result + (layer.part.empty() ? "_alone" : "_" + layer.part + "_alone");
}

}  // namespace ocs
