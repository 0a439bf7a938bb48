// The steps of make_engine_rewrites, in the order in which it calls them; each returns whether it changed anything.
#pragma once

#include "ocs/lint/engine_rewrites.h"
#include "ocs/lint/known_shapes.h"
#include "ocs/lint/working_graph.h"

namespace ocs {

// Shape of a value whose extents are fixed is a constant: it reads the value no more.
void fold_shapes(WorkingGraph& graph, const KnownShapes& shapes);
bool pass_identities_by(WorkingGraph& graph);  // Identity, and Dropout of inference
bool remove_double_pairs(
    WorkingGraph& graph);  // Q -> DQ -> Q -> DQ is one pair, on the range that both have in common
// DQ -> Q that gives back the same integers, to one reader: both go.
void drop_requantizing(WorkingGraph& graph);
bool merge_equal_quantize(
    WorkingGraph& graph);  // two that read the same value in the same way are one
bool carry_pairs_down(
    WorkingGraph& graph);  // DQ -> MaxPool -> x becomes DQ -> MaxPool -> Q -> DQ -> x
bool carry_pairs_up(WorkingGraph& graph);  // x -> MaxPool -> Q becomes x -> Q -> DQ -> MaxPool -> Q
void give_each_reader_its_own(WorkingGraph& graph);  // a DequantizeLinear for each reader

// Relu and the Clip behind are one Clip.
bool fuse_relu_and_clip(WorkingGraph& graph, AbsorbedNodes& absorbed);

// Conv, ConvTranspose and Gemm between quantized values: float weights and biases are quantized too.
bool quantize_float_weights(WorkingGraph& graph);
// MatMul and an Add of a bias are one Gemm.
bool fuse_bias_of_matmul(WorkingGraph& graph, const KnownShapes& shapes, AbsorbedNodes& absorbed);

// The Cast, the Mul by both scales and the Add of a bias behind a MatMulInteger become part of it.
void take_rescaling_in(const WorkingGraph& graph, const KnownShapes& shapes,
                       AbsorbedNodes& absorbed);

// Whether one step reads the value, and nothing else does.
[[nodiscard]] bool is_only_inner(const WorkingGraph& graph, const std::string& value);

}  // namespace ocs
