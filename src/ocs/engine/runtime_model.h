// A session and what it takes and gives.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/engine/engine.h"
#include "ocs/engine/runtime_values.h"

namespace ocs {

// The log of one session. Shared with the session, whose threads write to it until its end.
struct Log {
  std::function<void(std::string_view)> warn{};
  std::mutex mutex{};
};

// For messages.
[[nodiscard]] std::string name_of_model(const std::filesystem::path& file);

class RuntimeModel {
 public:
  // `log`: where the session writes to. `is_watched`: its model is one of watch_outputs. Throws Error(unsupported) naming an input of a
  // type that Tensor has not.
  RuntimeModel(Ort::Session session, std::shared_ptr<Log> log, std::filesystem::path file,
               bool is_watched);

  // RunModel::run.
  void run(const NamedTensors& inputs, const Receive& receive);
  [[nodiscard]] std::vector<Port> inputs() const { return ports(inputs_); }
  [[nodiscard]] std::vector<Port> outputs() const {
    return is_watched_ ? std::vector<Port>{} : ports(outputs_);
  }

 private:
  // An input or output as the session knows it.
  struct SessionPort {
    Port port{};
    ONNXTensorElementDataType stored =
        ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;  // differs from port.type for 16-bit floats
    bool any_shape = false;
  };
  struct InputValue;
  static std::optional<SessionPort> session_port(std::string name, const Ort::TypeInfo& type);
  [[nodiscard]] InputValue input_value(const SessionPort& expected, const Tensor& tensor) const;
  static std::vector<Port> ports(const std::vector<SessionPort>& from);
  void check_names(const NamedTensors& inputs) const;

  std::shared_ptr<Log> log_;  // before the session, which writes to it in its destructor
  Ort::Session session_;
  std::filesystem::path file_;
  bool is_watched_;  // its own outputs are signals without content
  std::vector<SessionPort> inputs_{};
  std::vector<SessionPort> outputs_{};
  std::vector<const char*> input_names_{};
  std::vector<const char*> output_names_{};
  Ort::MemoryInfo memory_ = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
};

}  // namespace ocs
