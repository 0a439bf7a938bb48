#include "ocs/export/write_embeddings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ocs/graph/edit.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/quant/scale_index.h"

namespace ocs {
namespace {

// What is written for one plan; later ones may share it.
struct Written {
  const EmbeddingPlan* plan = nullptr;
  std::string table{};
  std::string scale{};
};

bool are_same(const EmbeddingPlan& a, const EmbeddingPlan& b) {
  return a.weight == b.weight && a.params == b.params && a.storage_bits == b.storage_bits &&
         a.stored == b.stored && a.kept == b.kept;
}

Tensor scalar(Values value) { return {.values = std::move(value)}; }

// What packed integers are stored above.
std::uint8_t offset_of(const EmbeddingPlan& plan) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(plan.storage_bits - 1));
}

Written write_table(const Graph& graph, const EmbeddingPlan& plan, Model& out) {
  const std::string& name = plan.weight;
  const Shape shape = shape_of(*graph.initializer(name));
  Tensor scales = scalar(plan.params.scale);
  if (plan.params.axis)
    scales.shape = {shape[0], ScaleIndex::count_of(shape[1], plan.params.block)};
  return {.plan = &plan,
          .table = add_initializer(out, name + "_table",
                                   plan.kept != nullptr ? *plan.kept : stored_table(plan, shape)),
          .scale = add_initializer(out, name + "_table_scale", scales)};
}

// The nodes behind one Gather; all that they are named after is the value that they make in the end.
class LookUp {
 public:
  LookUp(Model& out, std::string value, const EmbeddingPlan& plan)
      : out_(out), value_(std::move(value)), plan_(plan) {}

  onnx::NodeProto& add(std::string_view op, const std::string& name,
                       const std::vector<std::string>& inputs, std::string* result) {
    *result = out_.unique_name(value_ + "_" + name);
    return add_node(out_, op, *result + "_node", inputs, {*result});
  }

  // Runs of neighbouring channels, one for each integer of a byte, side by side; still above the offset.
  std::string unpack(const std::string& bytes) {
    const int bits = plan_.storage_bits;
    const int parts = 8 / bits;
    const std::string mask =
        constant("mask", static_cast<std::uint8_t>((1U << static_cast<unsigned>(bits)) - 1U));
    std::vector<std::string> runs;
    for (int part = 0; part < parts; ++part) {
      std::string run = bytes;
      if (part > 0) {
        const std::string shift = constant("shift", static_cast<std::uint8_t>(part * bits));
        set_attribute(add("BitShift", "shifted", {run, shift}, &run), "direction", "RIGHT");
      }
      if (part + 1 < parts) add("BitwiseAnd", "masked", {run, mask}, &run);
      runs.push_back(run);
    }
    std::string levels;
    set_attribute(add("Concat", "levels", runs, &levels), "axis", std::int64_t{-1});
    return levels;
  }

  // Each entry by its scale.
  void scale_entries(const std::string& levels, const std::string& scales) {
    std::string real;
    set_attribute(add("Cast", "real", {levels}, &real), "to",
                  std::int64_t{onnx::TensorProto::FLOAT});
    if (plan_.storage_bits < 8) {
      const std::string offset =
          add_initializer(out_, value_ + "_offset",
                          scalar(std::vector<float>{static_cast<float>(offset_of(plan_))}));
      add("Sub", "centred", {real, offset}, &real);
    }
    add_node(out_, "Mul", value_ + "_Mul", {real, scales}, {value_});
  }

  // Each block by its scale.
  void scale_blocks(const std::string& levels, const std::string& scales) {
    std::vector<std::string> inputs{levels, scales};
    if (plan_.storage_bits < 8) {
      // Of int8: the engine takes uint8 in front of a MatMul for data with one zero point.
      set_attribute(add("Cast", "signed", {levels}, &inputs.front()), "to",
                    std::int64_t{onnx::TensorProto::INT8});
      std::string shape;  // zero points have the shape of the scales
      add("Shape", "shape", {scales}, &shape);
      inputs.emplace_back();
      set_attribute(
          add("ConstantOfShape", "zero_point", {shape}, &inputs.back()), "value",
          Tensor{.shape = {1},
                 .values = std::vector<std::int8_t>{static_cast<std::int8_t>(offset_of(plan_))}});
    }
    onnx::NodeProto& node =
        add_node(out_, "DequantizeLinear", value_ + "_DequantizeLinear", inputs, {value_});
    set_attribute(node, "axis", std::int64_t{-1});
    set_attribute(node, "block_size", plan_.params.block);
  }

  // All by one scale.
  void scale_all(const std::string& levels, const std::string& scale) {
    const bool is_packed = plan_.storage_bits < 8;
    const Tensor zero = is_packed ? scalar(std::vector<std::uint8_t>{offset_of(plan_)})
                                  : scalar(std::vector<std::int8_t>{0});
    add_node(out_, "DequantizeLinear", value_ + "_DequantizeLinear",
             {levels, scale, add_initializer(out_, value_ + "_table_zero_point", zero)}, {value_});
  }

 private:
  std::string constant(const char* name, std::uint8_t value) {
    return add_initializer(out_, value_ + "_" + name, scalar(std::vector<std::uint8_t>{value}));
  }

  Model& out_;
  std::string value_;
  const EmbeddingPlan& plan_;
};

}  // namespace

onnx::TensorProto stored_table(const EmbeddingPlan& plan, const Shape& table) {
  if (plan.storage_bits == 8) return to_proto({.shape = table, .values = plan.stored}, "");
  const auto bits = static_cast<std::size_t>(plan.storage_bits);
  const std::size_t parts = 8 / bits;
  const auto entries = static_cast<std::size_t>(table[0]);
  const auto channels = static_cast<std::size_t>(table[1]);
  const std::size_t width = channels / parts;
  std::vector<std::uint8_t> bytes(entries * width, 0);
  for (std::size_t entry = 0; entry < entries; ++entry)
    for (std::size_t c = 0; c < channels; ++c) {
      const int code = plan.stored[entry * channels + c] + offset_of(plan);
      std::uint8_t& byte = bytes[entry * width + c % width];
      byte = static_cast<std::uint8_t>(byte | (static_cast<unsigned>(code) << (c / width * bits)));
    }
  return to_proto({.shape = {table[0], static_cast<std::int64_t>(width)}, .values = bytes}, "");
}

void write_embeddings(const Graph& graph, const Plan& plan, Model& out,
                      const std::map<std::string, onnx::NodeProto*>& nodes) {
  std::vector<Written> tables;
  for (const EmbeddingPlan& embedding : plan.embeddings) {
    auto same = std::ranges::find_if(
        tables, [&](const Written& written) { return are_same(*written.plan, embedding); });
    if (same == tables.end())
      same = tables.insert(tables.end(), write_table(graph, embedding, out));
    onnx::NodeProto& node = *nodes.at(embedding.node);
    const std::string ids = node.input(1);
    const std::string value = node.output(0);
    std::string levels = out.unique_name(value + "_levels");
    node.set_input(0, same->table);
    node.set_output(0, levels);
    LookUp look_up(out, value, embedding);
    if (embedding.storage_bits < 8) levels = look_up.unpack(levels);
    if (!embedding.params.axis) {
      look_up.scale_all(levels, same->scale);
      continue;
    }
    std::string scales;
    look_up.add("Gather", "scales", {same->scale, ids}, &scales);
    if (embedding.params.block > 0)
      look_up.scale_blocks(levels, scales);
    else
      look_up.scale_entries(levels, scales);
  }
}

}  // namespace ocs
