#include "ocs/engine/runtime_model.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/engine/readable.h"
#include "ocs/engine/runtime_watch.h"

namespace ocs {
namespace {

template <typename Half>
std::vector<std::uint16_t> narrow(std::span<const float> values) {
  std::vector<std::uint16_t> bits(values.size());
  std::ranges::transform(values, bits.begin(), [](float value) { return Half(value).val; });
  return bits;
}

}  // namespace

std::string name_of_model(const std::filesystem::path& file) {
  return file.empty() ? "the model" : file.string();
}

// A tensor for the runtime: it looks at `tensor`, or at `narrowed` where 16-bit floats are asked
// for.
struct RuntimeModel::InputValue {
  std::vector<std::uint16_t> narrowed{};
  Ort::Value value{nullptr};
};

std::optional<RuntimeModel::SessionPort> RuntimeModel::session_port(std::string name,
                                                                    const Ort::TypeInfo& type) {
  if (type.GetONNXType() != ONNX_TYPE_TENSOR) return std::nullopt;
  const auto info = type.GetTensorTypeAndShapeInfo();
  const std::optional<ElementType> element = element_type(info.GetElementType());
  if (!element) return std::nullopt;
  Shape shape = info.GetShape();
  for (std::int64_t& extent : shape) extent = std::max<std::int64_t>(extent, -1);
  // The runtime tells a scalar and a tensor of unknown rank apart nowhere: neither is checked.
  return SessionPort{.port = {.name = std::move(name), .type = *element, .shape = shape},
                     .stored = info.GetElementType(),
                     .any_shape = shape.empty()};
}

RuntimeModel::RuntimeModel(Ort::Session session, std::shared_ptr<Log> log,
                           std::filesystem::path file, bool is_watched)
    : log_(std::move(log)),
      session_(std::move(session)),
      file_(std::move(file)),
      is_watched_(is_watched) {
  const Ort::AllocatorWithDefaultOptions allocator;
  for (std::size_t i = 0; i < session_.GetInputCount(); ++i) {
    const std::string name = session_.GetInputNameAllocated(i, allocator).get();
    std::optional<SessionPort> port = session_port(name, session_.GetInputTypeInfo(i));
    if (!port)
      throw_unsupported(fmt::format("{}: input '{}' is of a type that is not supported",
                                    name_of_model(file_), name));
    inputs_.push_back(std::move(*port));
  }
  for (std::size_t i = 0; i < session_.GetOutputCount(); ++i) {
    const std::string name = session_.GetOutputNameAllocated(i, allocator).get();
    std::optional<SessionPort> port = session_port(name, session_.GetOutputTypeInfo(i));
    if (port) outputs_.push_back(std::move(*port));
  }
  for (const SessionPort& input : inputs_) input_names_.push_back(input.port.name.c_str());
  for (const SessionPort& output : outputs_) output_names_.push_back(output.port.name.c_str());
}

std::vector<Port> RuntimeModel::ports(const std::vector<SessionPort>& from) {
  std::vector<Port> to;
  to.reserve(from.size());
  for (const SessionPort& session : from) to.push_back(session.port);
  return to;
}

void RuntimeModel::check_names(const NamedTensors& inputs) const {
  std::string expected;
  for (const SessionPort& input : inputs_)
    expected += fmt::format("{}'{}'", expected.empty() ? "" : ", ", input.port.name);
  for (const SessionPort& input : inputs_)
    if (!inputs.contains(input.port.name))
      throw_bad_input(fmt::format("{}: input '{}' is missing; the inputs are {}",
                                  name_of_model(file_), input.port.name, expected));
  for (const auto& [name, tensor] : inputs)
    if (std::ranges::none_of(inputs_,
                             [&](const SessionPort& input) { return input.port.name == name; }))
      throw_bad_input(fmt::format("{}: has no input '{}'; the inputs are {}", name_of_model(file_),
                                  name, expected));
}

RuntimeModel::InputValue RuntimeModel::input_value(const SessionPort& expected,
                                                   const Tensor& tensor) const {
  const Port& port = expected.port;
  const auto refuse = [&] {
    throw_bad_input(fmt::format("{}: input '{}' takes {} {}, found {} {}", name_of_model(file_),
                                port.name, name_of(port.type),
                                expected.any_shape ? "of any shape" : to_string(port.shape),
                                name_of(tensor.type()), to_string(tensor.shape)));
  };
  const auto fits = [](std::int64_t wanted, std::int64_t found) {
    return wanted < 0 ? found >= 0 : wanted == found;
  };
  if (tensor.type() != port.type) refuse();
  if (!expected.any_shape && !std::ranges::equal(port.shape, tensor.shape, fits)) refuse();
  const std::size_t count =
      std::visit([](const auto& values) { return values.size(); }, tensor.values);
  if (static_cast<std::int64_t>(count) != element_count(tensor.shape))
    throw_bad_input(fmt::format("{}: input '{}' has {} values for the shape {}",
                                name_of_model(file_), port.name, count, to_string(tensor.shape)));

  InputValue input;
  const void* data = view(tensor).data;
  std::size_t bytes = std::visit(
      [](const auto& values) { return values.size() * sizeof(values[0]); }, tensor.values);
  if (expected.stored == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16)
    input.narrowed = narrow<Ort::Float16_t>(tensor.as<float>());
  if (expected.stored == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16)
    input.narrowed = narrow<Ort::BFloat16_t>(tensor.as<float>());
  if (!input.narrowed.empty()) {
    data = input.narrowed.data();
    bytes = input.narrowed.size() * sizeof(std::uint16_t);
  }
  // An empty tensor needs an address too. The runtime does not write to inputs, but takes them
  // without const.
  static std::max_align_t nowhere{};
  if (count == 0) data = &nowhere;
  input.value = Ort::Value::CreateTensor(
      memory_, const_cast<void*>(data),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
      bytes, tensor.shape.data(), tensor.shape.size(), expected.stored);
  return input;
}

void RuntimeModel::run(const NamedTensors& inputs, const Receive& receive) {
  check_names(inputs);
  std::vector<Ort::Value> results;
  std::vector<OutputValue> values;
  std::vector<OutputView> views;
  std::optional<Watcher> watcher;
  if (is_watched_) watcher.emplace(receive);
  try {
    std::vector<std::vector<std::uint16_t>> narrowed;
    std::vector<Ort::Value> given;
    for (const SessionPort& input : inputs_) {
      InputValue value = input_value(input, inputs.at(input.port.name));
      narrowed.push_back(std::move(value.narrowed));
      given.push_back(std::move(value.value));
    }
    results = session_.Run(Ort::RunOptions{nullptr}, input_names_.data(), given.data(),
                           given.size(), output_names_.data(), output_names_.size());
    if (watcher) return;
    values.reserve(results.size());
    views.reserve(results.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      std::optional<OutputValue> value = output_value(results[i].GetConst());
      if (!value) continue;
      values.push_back(std::move(*value));
      values.back().view.shape = values.back().shape;
      views.push_back({.name = outputs_[i].port.name, .tensor = values.back().view});
    }
  } catch (const Ort::Exception& exception) {
    if (watcher && watcher->failure()) std::rethrow_exception(watcher->failure());
    throw_engine(fmt::format("{}: ONNX Runtime fails to run it: {}", name_of_model(file_),
                             readable(exception.what())));
  }
  receive(views);
}

}  // namespace ocs
