#include "ocs/engine/runtime_watch.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/engine/runtime_sum.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/segment.h"

namespace ocs {
namespace {

constexpr const char* domain_name = "ocs.watch";
constexpr const char* operator_name = "Watch";
constexpr const char* value_attribute = "value";
constexpr const char* channels_attribute = "channels";
constexpr const char* block_attribute = "block";

// A session in sequential mode calls its kernels on the thread that calls Run, whatever threads
// work inside of them.
thread_local Watcher* watcher_of_thread = nullptr;

class WatchKernel {
 public:
  explicit WatchKernel(const OrtKernelInfo* info)
      : value_(Ort::ConstKernelInfo(info).GetAttribute<std::string>(value_attribute)),
        layout_{
            .channels = Ort::ConstKernelInfo(info).GetAttribute<std::int64_t>(channels_attribute),
            .block = Ort::ConstKernelInfo(info).GetAttribute<std::int64_t>(block_attribute)} {}

  OrtStatusPtr ComputeV2(OrtKernelContext* context) noexcept {
    try {
      const Ort::KernelContext values(context);
      // An operator has an output, and the session one to ask for: it holds nothing.
      (void)values.GetOutput(0, std::vector<std::int64_t>{0});
      if (Watcher::hand_on(value_, values.GetInput(0), layout_)) return nullptr;
      return Ort::Status("its receiver failed", ORT_FAIL).release();
    } catch (const std::exception& exception) {
      return Ort::Status(exception.what(), ORT_FAIL).release();
    }
  }

 private:
  std::string value_;
  Watcher::Layout layout_;
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

bool is_watcher(const onnx::NodeProto& node) {
  return node.domain() == domain_name && node.op_type() == operator_name;
}

void set_layout(onnx::NodeProto& watcher, const Watcher::Layout& layout) {
  set_attribute(watcher, channels_attribute, layout.channels);
  set_attribute(watcher, block_attribute, layout.block);
}

// What puts values back from blocks; not where it moves the channels to the end as well.
bool is_put_back(const onnx::NodeProto& node) {
  if (node.domain() != "com.microsoft.nchwc" || node.op_type() != "ReorderOutput") return false;
  return int_attribute(node, "channels_last", 0) == 0;
}

// The runtime orders nodes from their ends, the last one of the graph first, each behind all that
// it needs. With the watcher of the first value at the end, every watcher comes right behind the
// node that it watches and not behind the whole network.
void append_watchers(onnx::GraphProto& graph, std::vector<onnx::NodeProto> watchers) {
  std::unordered_map<std::string, int> places;  // of the node that gives a value
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string& value : graph.node(i).output()) places[value] = i;
  const auto place_of = [&](const onnx::NodeProto& watcher) {
    const auto found = places.find(watcher.input(0));
    return found == places.end() ? -1 : found->second;
  };
  std::ranges::stable_sort(watchers, std::ranges::greater(), place_of);
  for (onnx::NodeProto& watcher : watchers) *graph.add_node() = std::move(watcher);
}

// Those of nodes that the runtime has dropped: it keeps them, and then does not know them when it opens the graph.
void drop_unread_weights(Model& model) {
  auto& weights = *model.graph().mutable_initializer();
  std::set<std::string> unread;
  {
    const Graph graph(model);
    for (const onnx::TensorProto& weight : weights)
      if (graph.uses(weight.name()).empty()) unread.insert(weight.name());
  }
  const auto gone = std::remove_if(
      weights.begin(), weights.end(),
      [&](const onnx::TensorProto& weight) { return unread.contains(weight.name()); });
  weights.erase(gone, weights.end());
  auto& inputs = *model.graph().mutable_input();  // old models name weights there too
  inputs.erase(std::remove_if(inputs.begin(), inputs.end(),
                              [&](const auto& input) { return unread.contains(input.name()); }),
               inputs.end());
}

}  // namespace

void watch_outputs(onnx::ModelProto& model) {
  onnx::GraphProto& graph = *model.mutable_graph();
  std::unordered_set<std::string> taken;
  for (const auto& input : graph.input()) taken.insert(input.name());
  for (const auto& tensor : graph.initializer()) taken.insert(tensor.name());
  for (const auto& node : graph.node()) taken.insert(node.output().begin(), node.output().end());

  std::vector<onnx::NodeProto> watchers;
  for (const auto& output : graph.output()) {
    const std::string& value = output.name();
    std::string signal = value + ".watched";
    while (!taken.insert(signal).second) signal += "_";
    onnx::NodeProto& node = watchers.emplace_back();
    node.set_domain(domain_name);
    node.set_op_type(operator_name);
    node.set_name(signal);
    node.add_input(value);
    node.add_output(signal);
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(value_attribute);
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(value);
    set_layout(node, {});
  }
  graph.clear_output();
  for (const onnx::NodeProto& watcher : watchers) graph.add_output()->set_name(watcher.output(0));
  append_watchers(graph, std::move(watchers));
  onnx::OperatorSetIdProto& domain = *model.add_opset_import();
  domain.set_domain(domain_name);
  domain.set_version(1);
}

bool watch_blocks(Model& optimized, std::int64_t block) {
  onnx::GraphProto& graph = optimized.graph();
  std::unordered_map<std::string, onnx::NodeProto> put_back;  // by what they give
  for (const onnx::NodeProto& node : graph.node())
    if (is_put_back(node)) put_back[node.output(0)] = node;
  bool any = false;
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    if (!is_watcher(node)) continue;
    const auto found = put_back.find(node.input(0));
    if (found == put_back.end()) continue;
    node.set_input(0, found->second.input(0));
    set_layout(node, {.channels = int_attribute(found->second, "channels", 0), .block = block});
    any = true;
  }
  if (!any) return false;
  join_sums(optimized, domain_name);
  std::vector<std::string> signals;
  for (const auto& output : graph.output()) signals.push_back(output.name());
  const std::set<std::size_t> needed = needed_nodes(Graph(optimized), signals);
  google::protobuf::RepeatedPtrField<onnx::NodeProto> rest;
  std::vector<onnx::NodeProto> watchers;
  for (const std::size_t i : needed) {
    onnx::NodeProto& node = *graph.mutable_node(static_cast<int>(i));
    if (is_watcher(node))
      watchers.push_back(std::move(node));
    else
      *rest.Add() = std::move(node);
  }
  *graph.mutable_node() = std::move(rest);
  append_watchers(graph, std::move(watchers));
  drop_unread_weights(optimized);
  return true;
}

void add_watch_operator(Ort::SessionOptions& options) {
  // Never destroyed: sessions in static objects may outlive main.
  static const Ort::CustomOpDomain* const domain = [] {
    static const auto* const the_operator = new WatchOperator;
    auto* const made = new Ort::CustomOpDomain(domain_name);
    made->Add(the_operator);
    add_sum_operator(*made);
    return made;
  }();
  options.Add(*domain);
}

Watcher::Watcher(const Receive& receive)
    : receive_(receive), outer_(std::exchange(watcher_of_thread, this)) {}

Watcher::~Watcher() { watcher_of_thread = outer_; }

bool Watcher::hand_on(std::string_view name, const Ort::ConstValue& value, const Layout& layout) {
  Watcher* const watcher = watcher_of_thread;
  if (watcher == nullptr) return true;
  try {
    std::optional<OutputValue> output = output_value(value);
    if (!output) return true;
    if (layout.block > 1) {
      // The runtime counts what fills the last block up as well.
      if (output->shape.size() < 2 || output->shape[1] % layout.block != 0 ||
          layout.channels > output->shape[1] || layout.channels <= output->shape[1] - layout.block)
        throw_engine(fmt::format("value '{}' of shape {} does not hold {} channels in blocks of {}",
                                 name, to_string(output->shape), layout.channels, layout.block));
      output->shape[1] = layout.channels;
    }
    output->view.shape = output->shape;
    const OutputView one{.name = name, .tensor = output->view, .block = layout.block};
    watcher->receive_({&one, 1});
    return true;
  } catch (...) {
    watcher->failure_ = std::current_exception();
    return false;
  }
}

}  // namespace ocs
