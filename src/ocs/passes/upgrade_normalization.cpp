#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/passes/upgrade_rewrite.h"
#include "ocs/passes/upgrade_rules.h"

namespace ocs {
namespace {

// A node that names outputs beside the first computes in training form, whether they are read or
// not: its first output is another than that of inference.
void keep_only_inference(Rewrite& rewrite) {
  onnx::NodeProto& node = rewrite.node();
  for (int i = 1; i < node.output_size(); ++i)
    if (!node.output(i).empty()) rewrite.refuse("it computes the statistics of training");
  node.mutable_output()->DeleteSubrange(1, node.output_size() - 1);
}

}  // namespace

// spatial = 0, statistics for each element of a sample instead of each channel, is gone:
//
//   BatchNormalization(x, scale, b, mean, var; spatial = 0)
//     ->  Add(Mul(Div(Sub(x, mean), Sqrt(Add(var, epsilon))), scale), b)
void upgrade_batch_normalization_9(Rewrite& rewrite) {
  onnx::NodeProto& node = rewrite.node();
  const bool spatial = int_attribute(node, "spatial", 1) != 0;
  remove_attribute(node, "spatial");
  if (spatial) return;
  keep_only_inference(rewrite);
  const std::string epsilon =
      rewrite.scalar_like(0, "epsilon", float_attribute(node, "epsilon", 1e-5F));
  const std::string scale = rewrite.input(1);
  const std::string shift = rewrite.input(2);
  const std::string centred = rewrite.before("Sub", {rewrite.input(0), rewrite.input(3)}).output(0);
  const std::string variance = rewrite.before("Add", {rewrite.input(4), epsilon}).output(0);
  const std::string deviation = rewrite.before("Sqrt", {variance}).output(0);
  const std::string normal = rewrite.before("Div", {centred, deviation}).output(0);
  const std::string scaled = rewrite.before("Mul", {normal, scale}).output(0);
  node.set_op_type("Add");
  node.clear_attribute();
  node.clear_input();
  rewrite.set_input(0, scaled);
  rewrite.set_input(1, shift);
}

void upgrade_batch_normalization_14(Rewrite& rewrite) { keep_only_inference(rewrite); }

// Scale and bias were given for each group, now for each channel:
//
//   scale[groups]  ->  Reshape(Expand(Unsqueeze(scale, 1), [groups, channels / groups]), -1)
void upgrade_group_normalization_21(Rewrite& rewrite) {
  const std::int64_t count = int_attribute(rewrite.node(), "num_groups", 0);
  if (count <= 0) rewrite.refuse("it has no num_groups");
  const std::string groups = rewrite.ints("groups", {count});
  onnx::NodeProto& shape = rewrite.before("Shape", {rewrite.input(0)});
  set_attribute(shape, "start", std::int64_t{1});
  set_attribute(shape, "end", std::int64_t{2});
  const std::string share = rewrite.before("Div", {shape.output(0), groups}).output(0);
  onnx::NodeProto& wanted = rewrite.before("Concat", {groups, share});
  set_attribute(wanted, "axis", std::int64_t{0});
  for (const int index : {1, 2}) {
    const std::string column =
        rewrite.before("Unsqueeze", {rewrite.input(index), rewrite.ints("axes", {1})}).output(0);
    const std::string repeated = rewrite.before("Expand", {column, wanted.output(0)}).output(0);
    rewrite.set_input(index,
                      rewrite.before("Reshape", {repeated, rewrite.ints("all", {-1})}).output(0));
  }
}

// The input was taken as a matrix, all axes from `axis` on its rows; now a single axis counts:
//
//   Softmax(x; axis)  ->  Softmax(x; -1)                                        axis is the last
//                     ->  Reshape(Softmax(Flatten(x; axis); -1), Shape(x))      otherwise
void upgrade_softmax_13(Rewrite& rewrite) {
  const std::int64_t axis = int_attribute(rewrite.node(), "axis", 1);
  set_attribute(rewrite.node(), "axis", std::int64_t{-1});
  const std::optional<int> rank = rewrite.rank(0);
  if (axis == -1 || (rank && axis == *rank - 1)) return;
  const std::string shape = rewrite.before("Shape", {rewrite.input(0)}).output(0);
  onnx::NodeProto& matrix = rewrite.before("Flatten", {rewrite.input(0)});
  set_attribute(matrix, "axis", axis);
  rewrite.set_input(0, matrix.output(0));
  rewrite.after("Reshape", {shape});
}

}  // namespace ocs
