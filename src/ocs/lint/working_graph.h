// A graph's structure without its weights, on its way through the rewrites that an engine makes before it looks for integer kernels.
// The model itself is only read.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <onnx/onnx_pb.h>

#include "ocs/lint/quantizer.h"

namespace ocs {

// A node, of the model or one that the engine puts in.
struct Step {
  std::string
      op{};  // ONNX's word; with its domain and a dot outside ONNX's domain, but for Quantize- and DequantizeLinear
  const onnx::NodeProto* node = nullptr;  // where its attributes are; nullptr: made by the engine
  std::vector<std::string> inputs{};      // "" where one is left out
  std::vector<std::string> outputs{};
  Quantizer quantizer{};        // of a QuantizeLinear or DequantizeLinear
  bool has_relu_ahead = false;  // a Clip that does the work of a Relu in front as well
  bool gone = false;

  [[nodiscard]] bool is_quantize() const { return op == "QuantizeLinear"; }
  [[nodiscard]] bool is_dequantize() const { return op == "DequantizeLinear"; }
  [[nodiscard]] bool has_input(std::size_t input) const {
    return input < inputs.size() && !inputs[input].empty();
  }
};

struct Edge {
  std::size_t step = 0;
  std::size_t input = 0;
  auto operator<=>(const Edge&) const = default;
};

// A constant: integers, or the floats that the engine makes them of when it opens the model.
struct WeightSource {
  const onnx::TensorProto* tensor =
      nullptr;  // none: the weights are computed from more than a constant
  const Step* quantize =
      nullptr;  // the QuantizeLinear that makes integers of floats; none: the engine chooses their scale
};

class WorkingGraph {
 public:
  // `outer`: of the graph around a body, else nullptr; must outlive this.
  WorkingGraph(const onnx::GraphProto& graph, std::filesystem::path folder, std::int64_t opset,
               const WorkingGraph* outer);

  [[nodiscard]] std::int64_t opset() const { return opset_; }

  [[nodiscard]] std::span<const Step> steps() const { return steps_; }
  [[nodiscard]] const Step& step(std::size_t index) const { return steps_[index]; }
  [[nodiscard]] std::size_t size() const { return steps_.size(); }

  // The step that writes the value; nullptr for graph inputs, constants and values of the graph around it.
  [[nodiscard]] const Step* producer(std::string_view value) const;
  [[nodiscard]] std::span<const Edge> readers(std::string_view value) const;
  // The one step that reads the value; nullptr where others do, a body or the caller too.
  [[nodiscard]] const Step* only_reader(std::string_view value) const;
  [[nodiscard]] bool is_graph_output(std::string_view value) const;
  // Read by the body of an If, Loop or Scan.
  [[nodiscard]] bool is_captured(std::string_view value) const;
  // An initializer that the caller cannot replace, or a Constant; also of the graph around. nullptr: none.
  [[nodiscard]] const onnx::TensorProto* constant(std::string_view name) const;
  // Those of this graph alone, by name.
  [[nodiscard]] const std::map<std::string, const onnx::TensorProto*, std::less<>>& constants()
      const {
    return constants_;
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  // The same, and whatever is computed from constants alone, but not a dequantized weight.
  [[nodiscard]] bool is_constant(std::string_view value) const;
  // Where the values of integer weights come from.
  [[nodiscard]] WeightSource source_of_weights(std::string_view value) const;
  // Whether the constant has several readers, or will have: the engine makes one constant of float ones of up to 8 values that are equal.
  [[nodiscard]] bool is_shared(const std::string& constant) const;
  // Whether the engine makes one of both.
  [[nodiscard]] bool is_equal_constant(const std::string& a, const std::string& b) const;
  [[nodiscard]] bool is_input(std::string_view value) const;
  // ONNX's element type of an input or output of the graph, or of a value with value_info; 0: not stated.
  [[nodiscard]] std::int32_t stated_type(std::string_view value) const;
  // Extents where they are stated, of an input, a value with value_info or a constant; -1: free. nullptr: not stated.
  [[nodiscard]] const Shape* stated_shape(std::string_view value) const;

  // Whether both shapes are stated, and equal extent for extent, free ones by name.
  [[nodiscard]] bool have_equal_extents(std::string_view a, std::string_view b) const;

  [[nodiscard]] const std::map<std::string, Shape, std::less<>>& stated_shapes() const {
    return shapes_;
  }

  // Edits. A value may be read before the step that writes it is added.
  std::size_t add(Step step);
  void remove(std::size_t index);
  void connect(Edge edge, const std::string& value);
  void set_output(std::size_t index, std::size_t output, const std::string& value);
  void add_outputs(std::size_t index, const std::vector<std::string>& values);
  void take_relu_in(std::size_t clip) { steps_[clip].has_relu_ahead = true; }
  Quantizer& quantizer(std::size_t step) { return steps_[step].quantizer; }
  // A name that no value has.
  [[nodiscard]] std::string fresh_value(std::string_view base);
  // Declares a value as constant, one that the engine computes itself.
  void add_constant(const std::string& value) { computed_constants_.insert(value); }
  // The same for the int8 weights that it makes of floats, in a way of its own.
  void add_quantized_constant(const std::string& value, const onnx::TensorProto* floats) {
    add_constant(value);
    quantized_floats_[value] = floats;
  }
  [[nodiscard]] std::size_t index_of(const Step& step) const {
    return static_cast<std::size_t>(&step - steps_.data());
  }

 private:
  void read_types(const onnx::GraphProto& graph);
  void load(const onnx::NodeProto& node);
  // Of integers that a DequantizeLinear without a zero point reads; 0: not known.
  [[nodiscard]] std::int32_t stored_type(std::string_view value) const;

  std::filesystem::path folder_;
  std::int64_t opset_;
  const WorkingGraph* outer_;
  std::vector<Step> steps_{};
  std::map<std::string, std::size_t, std::less<>> producers_{};
  std::map<std::string, std::vector<Edge>, std::less<>> readers_{};
  std::map<std::string, const onnx::TensorProto*, std::less<>> constants_{};
  std::set<std::string, std::less<>> computed_constants_{};
  std::map<std::string, const onnx::TensorProto*, std::less<>> quantized_floats_{};
  std::set<std::string, std::less<>> inputs_{};
  std::set<std::string, std::less<>> outputs_{};
  std::set<std::string, std::less<>> captured_{};
  std::map<std::string, std::int32_t, std::less<>> types_{};
  std::map<std::string, Shape, std::less<>> shapes_{};
  std::map<std::string, const onnx::TensorShapeProto*, std::less<>> stated_{};  // with names
  std::size_t fresh_ = 0;
};

}  // namespace ocs
