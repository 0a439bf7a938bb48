// Which values are quantized, and which share one scale: integer regions grown from the quantized
// layers.
//
//   x -Q-DQ-> Conv -> Relu -Q-DQ-> Conv -Q-DQ-> Add -> Relu -Q-DQ-> Conv -> ...
//
// A value is quantized where a layer reads it, where a Conv writes it (the engine fuses a Conv only
// between Q/DQ on both sides), and where it lies between on steps that have integer kernels (Add,
// pools, Concat) or that only move values (Reshape, MaxPool). Everything else, such as activation
// functions other than Relu and Clip, softmax and the tail behind the last layer, stays float
// between DQ and Q.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ocs/core/note.h"
#include "ocs/plan/find_layers.h"

namespace ocs {

struct Regions {
  std::set<std::string> quantized{};  // values with a Q/DQ pair
  std::map<std::string, std::string>
      scale_source{};  // quantized value -> value whose statistics give its scale; absent: its own
  std::map<std::string, float>
      upper_bound{};  // quantized result of an absorbed Clip -> its upper bound
  std::map<std::string, float> lower_bound{};  // the same for a lower bound below zero
  std::set<std::string> not_negative{};        // quantized results of Relu, or of Clip from zero
  // Quantized values that the engine has as floats anyway, since no integer kernel makes them: what runs on floats reads
  // those, without the rounding. Under ActScope::inputs all of them, as in the paper.
  std::set<std::string> float_values{};
  std::set<std::string> integer_steps{};  // nodes without weights that run on integers
  std::vector<Note> notes{};
};

// Relu or Clip with constant bounds around zero behind `value`, where nothing else reads `value`:
// the value behind it, else `value` itself. Its grid can take over the clipping, so that Q stands
// behind it and never between it and the layer.
[[nodiscard]] std::string behind_activation(const Graph& graph, const std::string& value);

// `scope` regions or inputs; `layers` those with quantized activations. `quantizes_results`: what leaves the graph is
// wanted as integers too, of layers and of steps behind them.
[[nodiscard]] Regions find_regions(const Graph& graph, const std::vector<Layer>& layers,
                                   ActScope scope, bool quantizes_results = false);

}  // namespace ocs
