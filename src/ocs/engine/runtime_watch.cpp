#include "ocs/engine/runtime_watch.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ocs {
namespace {

constexpr const char* domain_name = "ocs.watch";
constexpr const char* operator_name = "Watch";
constexpr const char* value_attribute = "value";

// A session in sequential mode calls its kernels on the thread that calls Run, whatever threads
// work inside of them.
thread_local Watcher* watcher_of_thread = nullptr;

class WatchKernel {
 public:
  explicit WatchKernel(const OrtKernelInfo* info)
      : value_(Ort::ConstKernelInfo(info).GetAttribute<std::string>(value_attribute)) {}

  OrtStatusPtr ComputeV2(OrtKernelContext* context) noexcept {
    try {
      const Ort::KernelContext values(context);
      // An operator has an output, and the session one to ask for: it holds nothing.
      (void)values.GetOutput(0, std::vector<std::int64_t>{0});
      if (Watcher::hand_on(value_, values.GetInput(0))) return nullptr;
      return Ort::Status("its receiver failed", ORT_FAIL).release();
    } catch (const std::exception& exception) {
      return Ort::Status(exception.what(), ORT_FAIL).release();
    }
  }

 private:
  std::string value_;
};

// The members have the names that the runtime's header looks for.
struct WatchOperator : Ort::CustomOpBase<WatchOperator, WatchKernel, true> {
  static const char* GetName() { return operator_name; }
  static OrtStatusPtr CreateKernelV2(const OrtApi& /*api*/, const OrtKernelInfo* info,
                                     void** kernel) noexcept {
    try {
      *kernel = new WatchKernel(info);
      return nullptr;
    } catch (const std::exception& exception) {
      return Ort::Status(exception.what(), ORT_FAIL).release();
    }
  }
  static std::size_t GetInputTypeCount() { return 1; }
  static ONNXTensorElementDataType GetInputType(std::size_t /*index*/) {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;  // of any type
  }
  static std::size_t GetOutputTypeCount() { return 1; }
  static ONNXTensorElementDataType GetOutputType(std::size_t /*index*/) {
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
};

}  // namespace

void watch_outputs(onnx::ModelProto& model) {
  onnx::GraphProto& graph = *model.mutable_graph();
  std::unordered_map<std::string, int> places;  // of the node that gives a value
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& value : graph.node(i).output()) places[value] = i;
  std::unordered_set<std::string> taken;
  for (const auto& input : graph.input()) taken.insert(input.name());
  for (const auto& tensor : graph.initializer()) taken.insert(tensor.name());
  for (const auto& [value, place] : places) taken.insert(value);

  std::vector<std::string> watched;
  for (const auto& output : graph.output()) watched.push_back(output.name());
  // The runtime orders nodes from their ends, the last one of the graph first, each behind all that
  // it needs. With the watcher of the first value at the end, every watcher comes right behind the
  // node that it watches and not behind the whole network.
  const auto place_of = [&](const std::string& value) {
    const auto found = places.find(value);
    return found == places.end() ? -1 : found->second;
  };
  std::ranges::stable_sort(watched, std::ranges::greater(), place_of);
  graph.clear_output();
  for (const std::string& value : watched) {
    std::string signal = value + ".watched";
    while (!taken.insert(signal).second) signal += "_";
    onnx::NodeProto& node = *graph.add_node();
    node.set_domain(domain_name);
    node.set_op_type(operator_name);
    node.set_name(signal);
    node.add_input(value);
    node.add_output(signal);
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(value_attribute);
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(value);
    graph.add_output()->set_name(signal);
  }
  onnx::OperatorSetIdProto& domain = *model.add_opset_import();
  domain.set_domain(domain_name);
  domain.set_version(1);
}

void add_watch_operator(Ort::SessionOptions& options) {
  // Never destroyed: sessions in static objects may outlive main.
  static const Ort::CustomOpDomain* const domain = [] {
    static const auto* const the_operator = new WatchOperator;
    auto* const made = new Ort::CustomOpDomain(domain_name);
    made->Add(the_operator);
    return made;
  }();
  options.Add(*domain);
}

Watcher::Watcher(const Receive& receive)
    : receive_(receive), outer_(std::exchange(watcher_of_thread, this)) {}

Watcher::~Watcher() { watcher_of_thread = outer_; }

bool Watcher::hand_on(std::string_view name, const Ort::ConstValue& value) {
  Watcher* const watcher = watcher_of_thread;
  if (watcher == nullptr) return true;
  try {
    std::optional<OutputValue> output = output_value(value);
    if (!output) return true;
    output->view.shape = output->shape;
    const OutputView one{.name = name, .tensor = output->view};
    watcher->receive_({&one, 1});
    return true;
  } catch (...) {
    watcher->failure_ = std::current_exception();
    return false;
  }
}

}  // namespace ocs
