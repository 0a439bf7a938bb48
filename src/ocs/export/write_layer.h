#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "ocs/export/dynamic_lstm.h"
#include "ocs/export/dynamic_matmul.h"
#include "ocs/graph/graph.h"
#include "ocs/plan/plan.h"

namespace ocs {

// Writes nodes and initializers of quantized layers into a model that has no initializers of its
// own yet.
class LayerWriter {
 public:
  // `graph`: the float model (weights are read there); `out`: the model that is written, its bodies
  // still with the float weights that lie in them. Both outlive the writer.
  // `plan`: what is written.
  LayerWriter(const Graph& graph, Model& out, const Plan& plan);

  // A quantized value: its integers (clipped to the levels in use) and the parameters as
  // initializers.
  struct Quantized {
    std::string levels{};
    std::string scale{};
    std::string zero_point{};
    const ActivationPlan* plan = nullptr;
  };

  // Q (and Clip) behind the float value `input`; names are made from `value`.
  Quantized quantize(const std::string& value, const std::string& input,
                     const ActivationPlan& plan);
  // DQ; returns its output, `name` or a name like it.
  std::string dequantize(const Quantized& quantized, const std::string& levels,
                         const std::string& name);

  // Rewires `node` (a copy of the layer's node in `out`): weight, bias, group count, and where the
  // layer has copies of its own a data input through Gather or Slice and Concat. `data`: the
  // quantized input, null where it stays float. Copies of hidden units widen the whole node. `place`:
  // the graph that holds the node; what is done to its data lies there. A weight is dequantized in the
  // graph where the float one lies: once for all that read it there and in bodies.
  void write(onnx::NodeProto& node, onnx::GraphProto& place, const LayerPlan& layer,
             const Quantized* data);

 private:
  std::string write_weight(onnx::NodeProto& node, const LayerPlan& layer);
  DynamicWeight write_dynamic_weight(const onnx::NodeProto& node, const LayerPlan& layer);
  // The whole node in the form of dynamic_matmul.h.
  void write_dynamic_matmul(onnx::NodeProto& node, onnx::GraphProto& place, const LayerPlan& layer);
  // What is added behind a layer whose operator has no bias: the correction, with the constant of an Add of the model where there is
  // one; as int32 where the engine makes a Gemm of both.
  void write_added_bias(onnx::NodeProto& node, onnx::GraphProto& place, const LayerPlan& layer,
                        const Quantized* data);
  // Whether int32 sums hold this bias too.
  [[nodiscard]] bool fits_sums(const onnx::NodeProto& node, const LayerPlan& layer,
                               std::span<const float> bias, const Quantized& data) const;
  std::string write_bias(const LayerPlan& layer, const std::vector<float>& bias,
                         const std::vector<float>& scales, const Quantized* data);

  // int8 with a scale of its own, a power of two.
  std::string write_small_bias(const std::string& base, const std::vector<float>& bias);

  const Graph* graph_;
  Model* out_;
  BiasForm bias_form_;
  std::map<std::string, onnx::GraphProto*> homes_{};  // of float weights that lie in bodies
  struct Written {
    const LayerPlan* layer = nullptr;
    std::string output{};     // of the DequantizeLinear, ..
    DynamicWeight dynamic{};  // .. or what stands for it
    IntegerWeight integers{};
  };
  std::map<std::string, DynamicData> dynamic_data_{};  // by value
  // What is written of the same weight by a layer that agrees; nullptr: nothing.
  [[nodiscard]] const Written* same_as(const LayerPlan& layer) const;
  std::multimap<std::string, Written>
      weights_{};  // by float weight: layers that share one and agree read one copy
};

}  // namespace ocs
