#include "ocs/engine/onnx_runtime.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <onnxruntime_session_options_config_keys.h>

#include "ocs/core/error.h"
#include "ocs/engine/large_model.h"
#include "ocs/engine/readable.h"
#include "ocs/engine/runtime_values.h"
#include "ocs/engine/runtime_watch.h"
#include "ocs/graph/set_outputs.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

// The log of one session. Shared with the session, whose threads write to it until its end.
struct Log {
  std::function<void(std::string_view)> warn{};
  std::mutex mutex{};
};

void ORT_API_CALL write_log(void* log, OrtLoggingLevel severity, const char* /*category*/,
                            const char* /*log_id*/, const char* /*code_location*/,
                            const char* message) noexcept {
  auto* to = static_cast<Log*>(log);
  if (to == nullptr || !to->warn || severity < ORT_LOGGING_LEVEL_WARNING) return;
  const std::lock_guard lock(to->mutex);
  to->warn(readable(message));
}

// What sessions of `shares_memory` take for their runs. A run's values stay there for the next run, of whichever session.
void add_shared_memory(Ort::Env& env) {
  constexpr int as_much_as_asked = 1;  // not the next power of two
  constexpr int usual = -1;
  const Ort::ArenaCfg arena(0, as_much_as_asked, usual, usual);
  env.CreateAndRegisterAllocator(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault),
                                 arena);
}

// One environment for the process, never destroyed: sessions in static objects may outlive main.
Ort::Env& environment() {
  static Ort::Env* const env = [] {
    const OrtApi* const api = OrtGetApiBase()->GetApi(ORT_API_VERSION);
    if (api == nullptr)
      throw_engine(fmt::format("ONNX Runtime {} is too old: 1.{} or newer is needed",
                               OrtGetApiBase()->GetVersionString(), ORT_API_VERSION));
    Ort::InitApi(api);
    auto* const made = new Ort::Env(ORT_LOGGING_LEVEL_WARNING, "ocs", write_log, nullptr);
    add_shared_memory(*made);
    return made;
  }();
  return *env;
}

std::string name_of_model(const fs::path& file) {
  return file.empty() ? "the model" : file.string();
}

// An input or output as the session knows it.
struct SessionPort {
  Port port{};
  ONNXTensorElementDataType stored =
      ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;  // differs from port.type for 16-bit floats
  bool any_shape = false;
};

std::optional<SessionPort> session_port(std::string name, const Ort::TypeInfo& type) {
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

// A tensor for the runtime: it looks at `tensor`, or at `narrowed` where 16-bit floats are asked
// for.
struct InputValue {
  std::vector<std::uint16_t> narrowed{};
  Ort::Value value{nullptr};
};

template <typename Half>
std::vector<std::uint16_t> narrow(std::span<const float> values) {
  std::vector<std::uint16_t> bits(values.size());
  std::ranges::transform(values, bits.begin(), [](float value) { return Half(value).val; });
  return bits;
}

class RuntimeModel {
 public:
  RuntimeModel(Ort::Session session, std::shared_ptr<Log> log, fs::path file, bool is_watched);

  void run(const NamedTensors& inputs, const Receive& receive);
  [[nodiscard]] std::vector<Port> inputs() const { return ports(inputs_); }
  [[nodiscard]] std::vector<Port> outputs() const {
    return is_watched_ ? std::vector<Port>{} : ports(outputs_);
  }

 private:
  static std::vector<Port> ports(const std::vector<SessionPort>& from);
  void check_names(const NamedTensors& inputs) const;
  [[nodiscard]] InputValue input_value(const SessionPort& expected, const Tensor& tensor) const;

  std::shared_ptr<Log> log_;  // before the session, which writes to it in its destructor
  Ort::Session session_;
  fs::path file_;
  bool is_watched_;  // its own outputs are signals without content
  std::vector<SessionPort> inputs_{};
  std::vector<SessionPort> outputs_{};
  std::vector<const char*> input_names_{};
  std::vector<const char*> output_names_{};
  Ort::MemoryInfo memory_ = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
};

RuntimeModel::RuntimeModel(Ort::Session session, std::shared_ptr<Log> log, fs::path file,
                           bool is_watched)
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

InputValue RuntimeModel::input_value(const SessionPort& expected, const Tensor& tensor) const {
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

Ort::SessionOptions session_options(const EngineOptions& options, Log& log) {
  Ort::SessionOptions to;
  to.SetGraphOptimizationLevel(options.optimize ? ORT_ENABLE_ALL : ORT_DISABLE_ALL);
  to.SetIntraOpNumThreads(options.intra_op_threads);
  to.SetInterOpNumThreads(1);
  if (options.shares_memory) to.AddConfigEntry(kOrtSessionOptionsConfigUseEnvAllocators, "1");
  to.SetExecutionMode(ORT_SEQUENTIAL);
  to.SetLogSeverityLevel(ORT_LOGGING_LEVEL_WARNING);
  Ort::ThrowOnError(Ort::GetApi().SetUserLoggingFunction(to, write_log, &log));
  // Idle threads that spin take the cores from the threads that work (decoding, statistics, other
  // sessions).
  if (!options.config.contains("session.intra_op.allow_spinning"))
    to.AddConfigEntry("session.intra_op.allow_spinning", "0");
  for (const auto& [key, value] : options.config) to.AddConfigEntry(key.c_str(), value.c_str());
  if (!options.profile_prefix.empty()) to.EnableProfiling(options.profile_prefix.c_str());
  if (!options.optimized_model_file.empty())
    to.SetOptimizedModelFilePath(options.optimized_model_file.c_str());
  return to;
}

// Makes the session with `make(environment, session options)` and wraps it.
template <typename Make>
RunModel open_session(const fs::path& file, const EngineOptions& options, Make&& make) {
  Ort::Env& env = environment();
  const auto log = std::make_shared<Log>();
  log->warn = options.warn;
  try {
    Ort::SessionOptions to = session_options(options, *log);
    if (options.one_by_one) add_watch_operator(to);
    const auto model = std::make_shared<RuntimeModel>(make(env, to), log, file, options.one_by_one);
    return {.inputs = model->inputs(),
            .outputs = model->outputs(),
            .run = [model](const NamedTensors& inputs, const Receive& receive) {
              model->run(inputs, receive);
            }};
  } catch (const Ort::Exception& exception) {
    throw_engine(fmt::format("{}: ONNX Runtime refuses it: {}", name_of_model(file),
                             readable(exception.what())));
  }
}

void add_folder_of_external_data(const Model& model, Ort::SessionOptions& to) {
  if (std::ranges::any_of(model.graph().initializer(), [](const onnx::TensorProto& weight) {
        return weight.data_location() == onnx::TensorProto::EXTERNAL;
      }))
    to.AddConfigEntry(kOrtSessionOptionsModelExternalInitializersFileFolderPath,
                      model.file().parent_path().c_str());
}

// The engine gets the graph as bytes, but looks at the weights where the model holds them.
RunModel open_borrowing(const Model& model, const EngineOptions& options) {
  WeightsApart apart = weights_apart(model);
  if (!options.outputs.empty()) set_outputs(*apart.rest.mutable_graph(), options.outputs);
  if (options.one_by_one) watch_outputs(apart.rest);
  return open_session(model.file(), options, [&](Ort::Env& env, Ort::SessionOptions& to) {
    add_folder_of_external_data(model, to);
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
    std::vector<std::string> names;
    std::vector<Ort::Value> weights;
    for (const onnx::TensorProto* weight : apart.weights) {
      const std::string& bytes = weight->raw_data();
      names.push_back(weight->name());
      // The numbers of ONNX's types are those of the runtime's, which takes what it only reads
      // without const.
      weights.push_back(Ort::Value::CreateTensor(
          memory, const_cast<char*>(bytes.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
          bytes.size(), weight->dims().data(), static_cast<std::size_t>(weight->dims_size()),
          static_cast<ONNXTensorElementDataType>(weight->data_type())));
    }
    to.AddExternalInitializers(names, weights);
    const std::string bytes = apart.rest.SerializeAsString();
    return Ort::Session(env, bytes.data(), bytes.size(), to);
  });
}

// `model` as it is, with nothing shown but its outputs.
RunModel open_copying(const Model& model, const EngineOptions& options) {
  if (model.proto().ByteSizeLong() >
      static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    const TemporaryFolder folder;
    write_with_weights_apart(model, folder.path());
    return open_session(model.file(), options, [&](Ort::Env& env, Ort::SessionOptions& to) {
      return Ort::Session(env, (folder.path() / "model.onnx").c_str(), to);
    });
  }
  return open_session(model.file(), options, [&](Ort::Env& env, Ort::SessionOptions& to) {
    add_folder_of_external_data(model, to);
    const std::string bytes = model.proto().SerializeAsString();
    return Ort::Session(env, bytes.data(), bytes.size(), to);
  });
}

RunModel open_model(const Model& model, const EngineOptions& options) {
  if (options.borrow_weights) return open_borrowing(model, options);
  if (options.outputs.empty() && !options.one_by_one) return open_copying(model, options);
  Model inner = model.clone();
  if (!options.outputs.empty()) set_outputs(inner.graph(), options.outputs);
  if (options.one_by_one) watch_outputs(inner.proto());
  return open_copying(inner, options);
}

}  // namespace

Engine onnx_runtime() { return open_model; }

RunModel open_model_file(const fs::path& file, const EngineOptions& options) {
  if (!fs::exists(file)) throw_bad_input(file.string() + ": no such file");
  EngineOptions at_once = options;  // nothing can be added to a graph that the runtime reads itself
  at_once.one_by_one = false;
  return open_session(file, at_once, [&](Ort::Env& env, Ort::SessionOptions& to) {
    return Ort::Session(env, file.c_str(), to);
  });
}

std::string onnx_runtime_version() { return OrtGetApiBase()->GetVersionString(); }

}  // namespace ocs
