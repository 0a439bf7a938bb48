#include "ocs/engine/runtime_sum.h"

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"

namespace ocs {
namespace {

constexpr const char* operator_name = "ReluOfSum";
constexpr const char* nchwc_domain = "com.microsoft.nchwc";

class SumKernel {
 public:
  explicit SumKernel(const OrtKernelInfo* /*info*/) {}

  OrtStatusPtr ComputeV2(OrtKernelContext* context) noexcept {
    try {
      const Ort::KernelContext values(context);
      const Ort::ConstValue a = values.GetInput(0);
      const Ort::ConstValue b = values.GetInput(1);
      const std::vector<std::int64_t> shape = a.GetTensorTypeAndShapeInfo().GetShape();
      if (b.GetTensorTypeAndShapeInfo().GetShape() != shape)
        throw_engine("the two values of a sum in blocks of channels differ in shape");
      const auto count = static_cast<std::size_t>(element_count(shape));
      const std::span left(a.GetTensorData<float>(), count);
      const std::span right(b.GetTensorData<float>(), count);
      const std::span sum(values.GetOutput(0, shape).GetTensorMutableData<float>(), count);
      // As the runtime does: what is not a number stays that.
      for (std::size_t i = 0; i < count; ++i) {
        const float value = left[i] + right[i];
        sum[i] = value < 0.0F ? 0.0F : value;
      }
      return nullptr;
    } catch (const std::exception& exception) {
      return Ort::Status(exception.what(), ORT_FAIL).release();
    }
  }
};

// The members have the names that the runtime's header looks for.
struct SumOperator : Ort::CustomOpBase<SumOperator, SumKernel, true> {
  static const char* GetName() { return operator_name; }
  static OrtStatusPtr CreateKernelV2(const OrtApi& /*api*/, const OrtKernelInfo* info,
                                     void** kernel) noexcept {
    *kernel = new SumKernel(info);
    return nullptr;
  }
  static std::size_t GetInputTypeCount() { return 2; }
  static ONNXTensorElementDataType GetInputType(std::size_t /*index*/) {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
  static std::size_t GetOutputTypeCount() { return 1; }
  static ONNXTensorElementDataType GetOutputType(std::size_t /*index*/) {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
};

// What the runtime computes in blocks of channels: convolutions and pooling, and what it leaves as it is between them. It takes two values
// into a sum as they are where it finds their shapes alike; where a pooling rounds its extents up it finds wrong ones, and nothing is
// said to be in blocks then.
class Blocked {
 public:
  explicit Blocked(const onnx::GraphProto& graph) {
    for (const onnx::NodeProto& node : graph.node()) {
      const bool is_blocked = node.domain() == nchwc_domain && node.op_type() != "ReorderOutput";
      const bool is_as_before =
          (is_node(node, "Add") || is_node(node, "Relu")) &&
          std::ranges::all_of(node.input(), [&](const auto& input) { return holds(input); });
      if (is_blocked || is_as_before) values_.insert(node.output(0));
      if (is_blocked && int_attribute(node, "ceil_mode", 0) != 0) {
        values_.clear();
        return;
      }
    }
  }
  [[nodiscard]] bool holds(const std::string& value) const { return values_.contains(value); }
  [[nodiscard]] static bool is_node(const onnx::NodeProto& node, std::string_view op_type) {
    return in_default_domain(node) && node.op_type() == op_type;
  }

 private:
  std::set<std::string> values_{};
};

}  // namespace

void join_sums(Model& optimized, const char* domain) {
  std::map<std::string, onnx::NodeProto> sums;  // by the Relu that alone reads it
  {
    const Blocked blocked(optimized.graph());
    const Graph graph(optimized);
    for (const onnx::NodeProto& node : optimized.graph().node()) {
      if (!Blocked::is_node(node, "Add") || !blocked.holds(node.output(0))) continue;
      const onnx::NodeProto* const relu = graph.only_consumer(node.output(0));
      if (relu != nullptr && Blocked::is_node(*relu, "Relu")) sums[relu->output(0)] = node;
    }
  }
  for (onnx::NodeProto& node : *optimized.graph().mutable_node()) {
    const auto sum = sums.find(node.output_size() > 0 ? node.output(0) : std::string());
    if (sum == sums.end()) continue;
    node.set_domain(domain);
    node.set_op_type(operator_name);
    *node.mutable_input() = sum->second.input();
  }
}

void add_sum_operator(Ort::CustomOpDomain& domain) {
  // Never destroyed, as the domain.
  static const auto* const the_operator = new SumOperator;
  domain.Add(the_operator);
}

}  // namespace ocs
