// Which channels of a model's activations may be multiplied by a factor of their own
// (docs/equalization.md).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ocs/graph/graph.h"
#include "ocs/graph/model.h"
#include "ocs/ops/op.h"

namespace ocs {

// Numbers of classes of channels, one for each channel of a value or weight; empty: nothing is known of
// them, and they keep their scale.
using ChannelClasses = std::vector<int>;

// A layer whose rows are multiplied by the factors of its result and its columns divided by those of
// its data.
struct ScalableLayer {
  std::string node{};
  Operand operand{};
  ChannelClasses rows{};
  ChannelClasses columns{};
};

// A constant with one entry a channel that is added to a value, or that gives its channels their scale.
struct ScalableConstant {
  std::string node{};
  int input = 0;
  ChannelClasses channels{};
};

// The result of a Clip: its channels may be scaled as long as their magnitudes stay below the bound.
struct BoundedValue {
  std::string value{};
  float largest = 0.0F;
};

struct ScalableChannels {
  std::vector<std::string> reasons{};  // by class: why it must keep its scale; "" where it need not
  std::map<std::string, ChannelClasses> values{};  // along `axes`
  std::map<std::string, int> axes{};
  std::vector<ScalableLayer> layers{};  // in graph order
  std::vector<ScalableConstant> constants{};
  std::vector<BoundedValue> bounds{};
};

// Channels share a factor where steps demand it: a step f with f(a x) = a f(x) that keeps channels apart
// (Relu, PRelu, pools, Identity, ...) has one factor before and behind it, Add one for all of its
// inputs; Concat and Flatten carry factors on. Steps with takes_any_scale() begin new channels. Clip does so from zero, or around zero, up to a bound that
// is noted. Whatever else reads a channel, and whatever leaves the graph, keeps it at its scale. Layers: Conv, ConvTranspose, Gemm and
// MatMul of a weight that nobody else reads. Call normalize_gemm and fold_batchnorm before.
[[nodiscard]] ScalableChannels find_scalable_channels(const Model& model);

// Whether the channels of the node's first result, on its last axis, have their scale from constants of its own: LayerNormalization
// over that axis alone, and Mul by a constant of shape [C]. They may be multiplied whatever the node reads.
[[nodiscard]] bool takes_any_scale(const Graph& graph, const onnx::NodeProto& node);

}  // namespace ocs
