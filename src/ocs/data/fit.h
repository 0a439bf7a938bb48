// How arrays from a file become the inputs of a model: cut into samples, shaped, and converted to
// the input's type.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ocs/core/tensor.h"

namespace ocs {

// A part of an array for each sample: sample i takes the rows [i * rows, (i + 1) * rows) of axis 0,
// or the whole array.
struct Cut {
  std::int64_t samples = 1;
  std::int64_t rows = 0;  // 0: every sample takes the whole array
  Shape shape{};          // of one sample, as the model takes it
};

// The rules, for an array of shape D and an input of shape P:
//
//   one    D fits P: one sample. One axis less, and P starts with a free extent or 1: the axis is
//   added. items  D fits P but for axis 0, which is a multiple of P's (of 1, where P's is free): a
//   sample for
//          each multiple, so that statistics do not depend on how a file was batched.
//   stack  D has one axis more, and the others fit P: its first axis counts the samples.
//
// Several inputs are cut only if all give the same number of samples; inputs without free extents
// whose array fits as it is are shared by all. Otherwise all arrays must fit as they are (the axis
// 0 of a recurrent model is time).
//
// Throws Error(bad_input) naming input and both shapes; also for an input without an array, and for
// an array without an input (with the nearest name).
[[nodiscard]] std::map<std::string, Cut> cut_arrays(const std::map<std::string, Shape>& arrays,
                                                    const std::vector<Port>& inputs);

// Whether a tensor of that shape can be given to the input.
[[nodiscard]] bool fits(const Shape& shape, const Port& input);

// The tensor in the type of the input. Exact but for float64 to float32, which rounds; whole
// numbers become float where float holds them exactly, change their width where the value fits, and
// become bool where they are 0 or 1. Throws Error(bad_input) naming both types, or the first value
// that does not fit; floating point never becomes an integer.
[[nodiscard]] Tensor convert(Tensor tensor, ElementType type);

}  // namespace ocs
