#include "ocs/engine/onnx_runtime.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <onnxruntime_session_options_config_keys.h>

#include "ocs/core/error.h"
#include "ocs/engine/channel_blocks.h"
#include "ocs/engine/large_model.h"
#include "ocs/engine/readable.h"
#include "ocs/engine/runtime_model.h"
#include "ocs/engine/runtime_watch.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/set_outputs.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

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

GraphOptimizationLevel optimization_level(const EngineOptions& options) {
  if (!options.optimize) return ORT_DISABLE_ALL;
  return options.for_few_runs ? ORT_ENABLE_EXTENDED : ORT_ENABLE_ALL;
}

Ort::SessionOptions session_options(const EngineOptions& options, Log& log) {
  Ort::SessionOptions to;
  to.SetGraphOptimizationLevel(optimization_level(options));
  if (options.for_few_runs) to.AddConfigEntry(kOrtSessionOptionsConfigDisablePrepacking, "1");
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

// The engine gets the graph as bytes, but looks at the weights where `model` holds them.
RunModel open_apart(const Model& model, const WeightsApart& apart, const EngineOptions& options) {
  return open_session(model.file(), options, [&](Ort::Env& env, Ort::SessionOptions& to) {
    add_folder_of_external_data(model, to);
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
    std::vector<std::string> names;
    std::vector<Ort::Value> weights;
    for (const auto& [weight, bytes] : apart.weights) {
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

RunModel open_borrowing(const Model& model, const EngineOptions& options) {
  WeightsApart apart = weights_apart(model);
  if (!options.outputs.empty()) set_outputs(*apart.rest.mutable_graph(), options.outputs);
  if (options.one_by_one) watch_outputs(apart.rest);
  return open_apart(model, apart, options);
}

// As open_borrowing; but the runtime's optimized graph is looked at, and where it would put values back from blocks for watchers, a session of that graph without it takes the place of the first.
RunModel open_in_blocks(const Model& model, const EngineOptions& options, std::int64_t block) {
  struct Opened {
    explicit Opened(EngineOptions& writing) : graph(writing) {}
    OptimizedGraph graph;  // the session reads its weights
    RunModel session{};
  };
  EngineOptions first = options;
  const auto opened = std::make_shared<Opened>(first);
  first.warn = [warn = options.warn](std::string_view words) {
    if (warn && words.find("optimized model") == std::string_view::npos) warn(words);
  };
  RunModel plain = open_borrowing(model, first);
  Model optimized(opened->graph.read());
  plain = {};  // it keeps what it has written
  if (!watch_blocks(optimized, block)) return open_borrowing(model, options);
  EngineOptions second = options;
  second.optimize = false;  // it is
  opened->session =
      open_apart(model, opened->graph.with_weights(std::move(optimized.proto())), second);
  return {.inputs = opened->session.inputs,
          .outputs = opened->session.outputs,
          .run = [opened](const NamedTensors& inputs, const Receive& receive) {
            opened->session.run(inputs, receive);
          }};
}

// Of this processor; 1 where there are none.
std::int64_t block_of_channels() {
  static const std::int64_t block = find_block([](const Model& model) {
    return open_in_blocks(model, {.one_by_one = true, .borrow_weights = true}, 1);
  });
  return block;
}

// Convolutions of images, whose weights are most of what there is: all weights lie in memory once more, of which those of the
// convolutions take the place of the session's own. The runtime cannot read again what it writes of bodies.
bool is_worth_blocks(const Model& model, const EngineOptions& options) {
  if (!options.takes_blocks || !options.one_by_one || !options.optimize || options.for_few_runs ||
      !options.optimized_model_file.empty())
    return false;
  constexpr std::size_t most_others = std::size_t{64} << 20U;
  constexpr std::size_t most = std::size_t{1} << 30U;
  constexpr int image_rank = 4;
  std::set<std::string_view> of_convolutions;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (has_body(node)) return false;
    if (node.op_type() == "Conv" && node.input_size() > 1) of_convolutions.insert(node.input(1));
  }
  std::size_t others = 0;
  bool any = false;
  for (const onnx::TensorProto& weight : model.graph().initializer()) {
    if (weight.data_location() == onnx::TensorProto::EXTERNAL) return false;
    if (!of_convolutions.contains(weight.name()))
      others += weight.ByteSizeLong();
    else
      any = any || weight.dims_size() == image_rank;
  }
  return any && others <= most_others && model.proto().ByteSizeLong() <= most &&
         block_of_channels() > 1;
}

// In blocks of channels where that works, else in ONNX's order.
RunModel open_taking_blocks(const Model& model, const EngineOptions& options) {
  try {
    if (is_worth_blocks(model, options)) return open_in_blocks(model, options, block_of_channels());
  } catch (const std::exception& exception) {
    // What is wrong with the model itself is told below.
    if (options.warn)
      options.warn(fmt::format("values are taken in ONNX's order: {}", exception.what()));
  }
  return open_borrowing(model, options);
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
  if (options.borrow_weights) return open_taking_blocks(model, options);
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
