// Which DequantizeLinear and which QuantizeLinear a node sees: pairs are merged, carried over nodes that only move values, and given
// to each reader by itself.
#include <algorithm>
#include <array>
#include <cmath>

#include "ocs/lint/rewrite_steps.h"

namespace ocs {
namespace {

// Pairs are carried over these.
constexpr std::array<std::string_view, 6> carriers{"MaxPool", "Reshape",   "Slice",
                                                   "Squeeze", "Transpose", "Unsqueeze"};

bool is_carrier(const WorkingGraph& graph, const Step& step) {
  if (step.op == "MaxPool" && graph.opset() < 12) return false;  // knows no integers
  return std::ranges::find(carriers, step.op) != carriers.end();
}

void add_quantize(WorkingGraph& graph, const Step& like, const std::string& value,
                  const std::string& result) {
  Step step{.op = "QuantizeLinear",
            .inputs = like.inputs,
            .outputs = {result},
            .quantizer = like.quantizer};
  step.inputs.front() = value;
  graph.add(std::move(step));
}

void add_dequantize(WorkingGraph& graph, const Step& like, const std::string& value,
                    const std::string& result) {
  Step step{.op = "DequantizeLinear",
            .inputs = like.inputs,
            .outputs = {result},
            .quantizer = like.quantizer};
  step.inputs.front() = value;
  graph.add(std::move(step));
}

// A pair like that of `like` on the value's way to these readers and, where `leaves`, out of the graph. `like`: not one of the graph's own
// steps, which move when one is added.
void insert_pair(WorkingGraph& graph, const Step& like, const std::string& value,
                 const std::vector<Edge>& edges, bool leaves) {
  std::string source = value;
  if (leaves) {
    const std::size_t writer = graph.index_of(*graph.producer(value));
    source = graph.fresh_value(value);
    graph.set_output(writer, 0, source);
  }
  const std::string integers = graph.fresh_value(value);
  add_quantize(graph, like, source, integers);
  if (leaves) add_dequantize(graph, like, integers, value);
  for (const Edge& edge : edges) {
    const std::string result = graph.fresh_value(value);
    add_dequantize(graph, like, integers, result);
    graph.connect(edge, result);
  }
}

}  // namespace

bool is_only_inner(const WorkingGraph& graph, const std::string& value) {
  return graph.only_reader(value) != nullptr;
}

void fold_shapes(WorkingGraph& graph, const KnownShapes& shapes) {
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step& step = graph.step(i);
    if (step.gone || step.op != "Shape" || graph.is_graph_output(step.outputs.front()) ||
        graph.is_captured(step.outputs.front()))
      continue;
    const auto shape = shapes.find(step.inputs.front());
    if (shape == shapes.end() || std::ranges::find(shape->second, -1) != shape->second.end())
      continue;
    graph.add_constant(step.outputs.front());
    graph.remove(i);
  }
}

bool pass_identities_by(WorkingGraph& graph) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step& step = graph.step(i);
    if (step.gone || (step.op != "Identity" && step.op != "Dropout") ||
        graph.is_graph_output(step.outputs.front()) || graph.is_captured(step.outputs.front()) ||
        (step.outputs.size() > 1 && !graph.readers(step.outputs[1]).empty()))
      continue;
    const std::span<const Edge> readers = graph.readers(step.outputs.front());
    const std::string from = step.inputs.front();
    for (const Edge& edge : std::vector<Edge>(readers.begin(), readers.end()))
      graph.connect(edge, from);
    graph.remove(i);
    changed = true;
  }
  return changed;
}

// Q -> DQ -> Q -> DQ is one pair, on the range that both have in common.
bool remove_double_pairs(WorkingGraph& graph) {
  bool changed = false;
  const auto step_behind = [&](const Step& step) -> const Step* {
    const std::string& value = step.outputs.front();
    return is_only_inner(graph, value) ? &graph.step(graph.readers(value).front().step) : nullptr;
  };
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step& first = graph.step(i);
    if (first.gone || !first.is_quantize()) continue;
    const Step* self = step_behind(first);
    const Step* child = self != nullptr && self->is_dequantize() ? step_behind(*self) : nullptr;
    const Step* last = child != nullptr && child->is_quantize() ? step_behind(*child) : nullptr;
    if (last == nullptr || !last->is_dequantize() ||
        !is_same_quantizer(first.quantizer, self->quantizer) ||
        !is_same_quantizer(child->quantizer, last->quantizer) ||
        self->quantizer.type != child->quantizer.type)
      continue;
    const IntegerRange range = range_of_type(self->quantizer.type);
    if (bits_of_type(self->quantizer.type) != 8) continue;
    const auto real = [](const Quantizer& q, std::int64_t level) {
      return static_cast<double>(level - q.zero_point) * q.scale;
    };
    const double low =
        std::max(real(self->quantizer, range.lowest), real(child->quantizer, range.lowest));
    const double high =
        std::min(real(self->quantizer, range.highest), real(child->quantizer, range.highest));
    Quantizer both = self->quantizer;
    both.scale = (high - low) / static_cast<double>(range.highest - range.lowest);
    both.zero_point =
        static_cast<std::int64_t>(std::round(static_cast<double>(range.lowest) - low / both.scale));
    const std::size_t last_index = graph.index_of(*last);
    graph.quantizer(i) = both;
    graph.quantizer(last_index) = both;
    const std::size_t self_index = graph.index_of(*self);
    const std::size_t child_index = graph.index_of(*child);
    graph.connect({last_index, 0}, first.outputs.front());
    graph.remove(child_index);
    graph.remove(self_index);
    changed = true;
  }
  return changed;
}

void drop_requantizing(WorkingGraph& graph) {
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step& dequantize = graph.step(i);
    if (dequantize.gone || !dequantize.is_dequantize() ||
        !is_only_inner(graph, dequantize.outputs.front()))
      continue;
    const std::size_t behind = graph.readers(dequantize.outputs.front()).front().step;
    const Step& quantize = graph.step(behind);
    if (!quantize.is_quantize() || !is_same_quantizer(dequantize.quantizer, quantize.quantizer) ||
        !is_only_inner(graph, quantize.outputs.front()))
      continue;
    const Edge reader = graph.readers(quantize.outputs.front()).front();
    graph.connect(reader, dequantize.inputs.front());
    graph.remove(behind);
    graph.remove(i);
  }
}

// Two that read the same value in the same way are one.
bool merge_equal_quantize(WorkingGraph& graph) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const Step first = graph.step(i);
    if (first.gone || !first.is_quantize()) continue;
    const std::span<const Edge> now = graph.readers(first.inputs.front());
    for (const Edge& edge : std::vector<Edge>(now.begin(), now.end())) {
      const Step& other = graph.step(edge.step);
      const std::string value = other.outputs.empty() ? "" : other.outputs.front();
      if (edge.step <= i || edge.input != 0 || other.gone || other.op != first.op ||
          !first.quantizer.is_constant || other.quantizer != first.quantizer ||
          other.inputs != first.inputs || graph.is_graph_output(value) || graph.is_captured(value))
        continue;
      const std::span<const Edge> readers = graph.readers(value);
      for (const Edge& reader : std::vector<Edge>(readers.begin(), readers.end()))
        graph.connect(reader, first.outputs.front());
      graph.remove(edge.step);
      changed = true;
    }
  }
  return changed;
}

bool carry_pairs_down(WorkingGraph& graph) {
  bool changed = false;
  const std::size_t count = graph.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Step dequantize = graph.step(i);
    if (dequantize.gone || !dequantize.is_dequantize() || !dequantize.quantizer.has_one_scale ||
        !is_only_inner(graph, dequantize.outputs.front()))
      continue;
    std::vector<std::size_t> carrying{graph.readers(dequantize.outputs.front()).front().step};
    while (!carrying.empty()) {
      const Step carrier = graph.step(carrying.back());
      carrying.pop_back();
      if (!is_carrier(graph, carrier)) continue;
      const std::string& value = carrier.outputs.front();
      const std::span<const Edge> now = graph.readers(value);
      const std::vector<Edge> edges(now.begin(), now.end());
      const bool leaves = graph.is_graph_output(value);
      // One QuantizeLinear among the readers is enough to leave it.
      const bool is_quantized = std::ranges::any_of(
          edges, [&](const Edge& edge) { return graph.step(edge.step).is_quantize(); });
      if (is_quantized || (edges.empty() && !leaves)) continue;
      insert_pair(graph, dequantize, value, edges, leaves);
      for (const Edge& edge : edges) carrying.push_back(edge.step);
      changed = true;
    }
  }
  return changed;
}

bool carry_pairs_up(WorkingGraph& graph) {
  bool changed = false;
  const std::size_t count = graph.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Step quantize = graph.step(i);
    if (quantize.gone || !quantize.is_quantize() || !quantize.quantizer.has_one_scale) continue;
    std::string value = quantize.inputs.front();
    while (true) {
      const Step* carrier = graph.producer(value);
      if (carrier == nullptr || !is_only_inner(graph, value) || !is_carrier(graph, *carrier)) break;
      const Edge ahead{graph.index_of(*carrier), 0};
      const std::string before = carrier->inputs.front();
      const Step* source = graph.producer(before);
      if (source != nullptr && (source->is_dequantize() || !is_only_inner(graph, before))) break;
      if (source == nullptr && !graph.is_input(before)) break;
      insert_pair(graph, quantize, before, {ahead}, false);
      changed = true;
      value = before;
    }
  }
  return changed;
}

void give_each_reader_its_own(WorkingGraph& graph) {
  const std::size_t count = graph.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Step dequantize = graph.step(i);
    if (dequantize.gone || !dequantize.is_dequantize()) continue;
    const std::string& value = dequantize.outputs.front();
    const std::span<const Edge> now = graph.readers(value);
    const std::vector<Edge> readers(now.begin(), now.end());
    const bool keeps_its_own = graph.is_graph_output(value) || graph.is_captured(value);
    for (std::size_t reader = keeps_its_own ? 0 : 1; reader < readers.size(); ++reader) {
      const std::string result = graph.fresh_value(value);
      add_dequantize(graph, dequantize, dequantize.inputs.front(), result);
      graph.connect(readers[reader], result);
    }
  }
}

}  // namespace ocs
