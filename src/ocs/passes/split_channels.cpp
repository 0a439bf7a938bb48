//   x -> Conv(W)            x -> Gather -> Sub(j a) -> Max(0) -> Min(a) -> Conv(W, columns repeated)
//
// and where the Conv in front can make the parts:
//
//   Conv(V, b) -> Relu -> Conv(W)      Conv(V rows repeated, b - j a) -> Relu -> Min(a) -> Conv(W ..)
#include "ocs/passes/split_channels.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"

namespace ocs {
namespace {

onnx::NodeProto& node_named(Model& model, const std::string& name) {
  for (onnx::NodeProto& node : *model.graph().mutable_node())
    if (node.name() == name) return node;
  throw_internal("no node '" + name + "'");
}

class Splitter {
 public:
  Splitter(Model model, const std::vector<ChannelSplit>& splits) : model_(std::move(model)) {
    for (const ChannelSplit& split : splits) {
      sources_ = part_channels(split.copies);
      numbers_ = part_numbers(split.copies);
      this->split(split);
    }
    sort_topologically(model_);
    result_.pass.model = std::move(model_);
  }

  SplitChannelsResult result() { return std::move(result_); }

 private:
  void split(const ChannelSplit& split) {
    // Before anything changes: the axis as the readers see it.
    const onnx::NodeProto* reader = Graph(model_).node_named(split.readers.at(0).node);
    if (reader == nullptr) throw_internal("no node '" + split.readers[0].node + "'");
    axis_ = find_linear_op(*reader)->data_axis(*reader, split.readers[0].operand);
    const Tensor weight =
        read_tensor(Graph(model_), reader->input(split.readers[0].operand.weight_input));
    dims_behind_ = axis_ < 0 ? -axis_ - 1 : static_cast<int>(weight.shape.size()) - axis_ - 1;

    const std::string maker = folds_into(split);
    const std::string parts = maker.empty() ? write_parts(split) : fold(split, maker);
    for (const SplitReader& entry : split.readers) widen(entry, split, parts);
    result_.parts_of[split.value] = parts;
    result_.pass.notes.push_back(
        {.node = split.readers[0].node,
         .text = fmt::format("{} channels of '{}' are split into {}{}",
                             sources_.size() - split.copies.size(), split.value,
                             split.threshold ? "saturating parts" : "halves",
                             maker.empty() ? "" : ", made by '" + maker + "'")});
  }

  // The Conv whose rows can make the parts, "" where none can.
  [[nodiscard]] std::string folds_into(const ChannelSplit& split) const {
    if (!split.threshold || !split.not_negative) return "";
    const Graph graph(model_);
    const onnx::NodeProto* relu = graph.producer(split.value);
    if (relu == nullptr || relu->op_type() != "Relu" || !in_default_domain(*relu)) return "";
    const onnx::NodeProto* conv = graph.producer(relu->input(0));
    if (conv == nullptr || conv->op_type() != "Conv" || !in_default_domain(*conv) ||
        graph.only_consumer(relu->input(0)) == nullptr || int_attribute(*conv, "group", 1) != 1 ||
        graph.initializer(conv->input(1)) == nullptr || graph.is_graph_output(split.value))
      return "";
    if (conv->input_size() > 2 && !conv->input(2).empty() &&
        graph.initializer(conv->input(2)) == nullptr)
      return "";
    const bool all_read_parts = std::ranges::all_of(graph.uses(split.value), [&](const Use& use) {
      return std::ranges::any_of(split.readers, [&](const SplitReader& reader) {
        return reader.node == graph.node(use.node).name() && reader.operand.data_input == use.input;
      });
    });
    return all_read_parts ? conv->name() : "";
  }

  // A constant for each part, along the channels.
  std::string along_channels(const std::string& base, std::vector<float> values) {
    Shape shape{static_cast<std::int64_t>(values.size())};
    for (int i = 0; i < dims_behind_; ++i) shape.push_back(1);
    return add_initializer(model_, base, {.shape = std::move(shape), .values = std::move(values)});
  }

  std::string step(const char* op_type, const std::string& base,
                   const std::vector<std::string>& inputs) {
    std::string result = model_.unique_name(base);
    add_node(model_, op_type, base + "_node", inputs, {result});
    return result;
  }

  // j * a for each part.
  [[nodiscard]] std::vector<float> starts(float threshold) const {
    std::vector<float> starts;
    for (const int number : numbers_) starts.push_back(static_cast<float>(number) * threshold);
    return starts;
  }

  // All parts but the last of a channel end at a.
  std::string bounded(const ChannelSplit& split, const std::string& value, const char* op_type,
                      float sign) {
    std::vector<float> bounds;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const bool is_last = numbers_[i] + 1 == split.copies[static_cast<std::size_t>(sources_[i])];
      bounds.push_back(sign * (is_last ? std::numeric_limits<float>::max() : *split.threshold));
    }
    const std::string base = split.value + (sign > 0.0F ? "_parts_high" : "_parts_low");
    return step(op_type, base, {value, along_channels(base + "_bound", std::move(bounds))});
  }

  std::string write_parts(const ChannelSplit& split) {
    const std::string base = split.value + "_parts";
    const std::string channels = add_initializer(
        model_, base + "_channels",
        {.shape = {static_cast<std::int64_t>(sources_.size())}, .values = sources_});
    const std::string repeated = model_.unique_name(base + "_repeated");
    set_attribute(add_node(model_, "Gather", base + "_Gather", {split.value, channels}, {repeated}),
                  "axis", std::int64_t{axis_});
    if (!split.threshold) {
      std::vector<float> factors;
      for (const std::int64_t source : sources_)
        factors.push_back(1.0F /
                          static_cast<float>(split.copies[static_cast<std::size_t>(source)]));
      return step("Mul", base + "_halves",
                  {repeated, along_channels(base + "_factors", std::move(factors))});
    }
    const std::string start = along_channels(base + "_starts", starts(*split.threshold));
    if (split.not_negative) {
      const std::string above = step("Sub", base + "_above", {repeated, start});
      const std::string zero =
          add_initializer(model_, base + "_zero", {.values = std::vector{0.0F}});
      return bounded(split, step("Max", base + "_rest", {above, zero}), "Min", 1.0F);
    }
    std::vector<float> negative = starts(*split.threshold);
    for (float& value : negative) value = -value;
    const std::string low = along_channels(base + "_negative_starts", std::move(negative));
    const std::string before =
        step("Max", base + "_before", {step("Min", base + "_below", {repeated, start}), low});
    const std::string rest = step("Sub", base + "_rest", {repeated, before});
    return bounded(split, bounded(split, rest, "Max", -1.0F), "Min", 1.0F);
  }

  std::string fold(const ChannelSplit& split, const std::string& maker) {
    const std::string base = maker + "_parts";
    onnx::NodeProto& conv = node_named(model_, maker);
    const Graph graph(model_);
    const Tensor weight = read_tensor(graph, conv.input(1));
    std::vector<float> bias(split.copies.size(), 0.0F);
    if (conv.input_size() > 2 && !conv.input(2).empty()) {
      const Tensor given = read_tensor(graph, conv.input(2));
      std::ranges::copy(given.as<float>(), bias.begin());
    }
    std::vector<float> shifted = starts(*split.threshold);
    for (std::size_t i = 0; i < shifted.size(); ++i)
      shifted[i] = bias[static_cast<std::size_t>(sources_[i])] - shifted[i];
    const auto rows = static_cast<std::int64_t>(shifted.size());
    const std::string wide = add_initializer(model_, base + "_weight", take(weight, 0, sources_));
    const std::string low =
        add_initializer(model_, base + "_bias", {.shape = {rows}, .values = std::move(shifted)});
    set_input(conv, 1, wide);
    set_input(conv, 2, low);
    result_.grown[maker].rows = sources_;
    // The names of the narrow values go: what is seen under a name keeps its shape.
    const std::string old_sum = conv.output(0);
    conv.set_output(0, model_.unique_name(old_sum + "_parts"));
    const std::string sum = conv.output(0);
    std::string parts;
    for (onnx::NodeProto& node : *model_.graph().mutable_node()) {
      if (node.op_type() != "Relu" || node.input(0) != old_sum) continue;
      node.set_input(0, sum);
      parts = model_.unique_name(split.value + "_parts_rest");
      node.set_output(0, parts);
    }
    return bounded(split, parts, "Min", 1.0F);
  }

  void widen(const SplitReader& reader, const ChannelSplit& split, const std::string& parts) {
    onnx::NodeProto& node = node_named(model_, reader.node);
    const LinearOp& op = *find_linear_op(node);
    const std::string name = node.input(reader.operand.weight_input);
    const Tensor weight = read_tensor(Graph(model_), name);
    const int axis = op.input_axis(node, reader.operand, weight.shape);
    if (weight.shape[static_cast<std::size_t>(axis)] !=
            static_cast<std::int64_t>(split.copies.size()) ||
        data_of(node, reader.operand) != split.value)
      throw_internal("node '" + reader.node + "' does not read '" + split.value + "' as it was");
    const std::string wide =
        add_initializer(model_, name + "_repeated", take(weight, axis, sources_));
    set_input(node, reader.operand.weight_input, wide);
    node.set_input(*reader.operand.data_input, parts);
    result_.grown[reader.node].inputs = sources_;
  }

  Model model_;
  SplitChannelsResult result_{};
  // Of the split at hand.
  std::vector<std::int64_t> sources_{};
  std::vector<int> numbers_{};
  int axis_ = 1;
  int dims_behind_ = 0;
};

}  // namespace

std::vector<std::int64_t> part_channels(const std::vector<int>& copies) {
  std::vector<std::int64_t> sources;
  const int most = copies.empty() ? 0 : *std::ranges::max_element(copies);
  for (int part = 0; part < most; ++part)
    for (std::size_t c = 0; c < copies.size(); ++c)
      if (copies[c] > part) sources.push_back(static_cast<std::int64_t>(c));
  return sources;
}

std::vector<int> part_numbers(const std::vector<int>& copies) {
  std::vector<int> seen(copies.size(), 0);
  std::vector<int> numbers;
  for (const std::int64_t source : part_channels(copies))
    numbers.push_back(seen[static_cast<std::size_t>(source)]++);
  return numbers;
}

Tensor take(const Tensor& tensor, int axis, const std::vector<std::int64_t>& sources) {
  const auto at = static_cast<std::size_t>(axis);
  const std::span<const std::int64_t> extents(tensor.shape);
  const std::int64_t outer = element_count(extents.first(at));
  const std::int64_t inner = element_count(extents.subspan(at + 1));
  const auto values = tensor.as<float>();
  std::vector<float> taken;
  taken.reserve(sources.size() * static_cast<std::size_t>(outer * inner));
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const std::int64_t source : sources) {
      const auto begin = values.begin() + (o * extents[at] + source) * inner;
      taken.insert(taken.end(), begin, begin + inner);
    }
  }
  Tensor result{.shape = tensor.shape, .values = std::move(taken)};
  result.shape[at] = static_cast<std::int64_t>(sources.size());
  return result;
}

Model shift_halves(Model model, const ChannelSplit& split, const std::string& parts, float step) {
  const std::vector<int> numbers = part_numbers(split.copies);
  const std::vector<std::int64_t> sources = part_channels(split.copies);
  std::vector<float> shifts;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const bool is_half = split.copies[static_cast<std::size_t>(sources[i])] == 2;
    shifts.push_back(is_half ? (numbers[i] == 0 ? -step : step) / 4.0F : 0.0F);
  }
  for (onnx::NodeProto& node : *model.graph().mutable_node()) {
    if (node.output_size() != 1 || node.output(0) != parts) continue;
    // The factors have the shape that the shifts need.
    const Tensor factors = read_tensor(Graph(model), node.input(1));
    add_behind(model, node, parts + "_shift",
               {.shape = factors.shape, .values = std::move(shifts)});
    sort_topologically(model);
    return model;
  }
  throw_internal("no node makes '" + parts + "'");
}

SplitChannelsResult split_channels(Model model, const std::vector<ChannelSplit>& splits) {
  return Splitter(std::move(model), splits).result();
}

}  // namespace ocs
