// A network written layer by layer into an ONNX graph.
#pragma once

#include <string>
#include <vector>

#include "networks/network.h"
#include "ocs/core/tensor.h"

namespace ocs::networks {

// A value of the graph.
struct Value {
  std::string name{};
  std::int64_t channels = 0;
};

struct Window {
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t stride = 1;
  std::int64_t pad_height = 0;
  std::int64_t pad_width = 0;
};
// A square one.
[[nodiscard]] constexpr Window square(std::int64_t extent, std::int64_t stride = 1,
                                      std::int64_t pad = 0) {
  return {.height = extent, .width = extent, .stride = stride, .pad_height = pad, .pad_width = pad};
}

class Layers {
 public:
  // `statistics`: mean and variance of each BatchNormalization, as a run of the model without them
  // gives them. nullptr: that model, which normalizes by the batch in single steps.
  Layers(const NetworkOptions& options, std::int64_t resolution, const NamedTensors* statistics);

  [[nodiscard]] Value image() const { return {.name = "input", .channels = 3}; }
  // `channels` are those of the network at width 1.
  Value conv(const std::string& name, const Value& x, std::int64_t channels, const Window& window,
             bool with_bias = false);
  Value batch_norm(const std::string& name, const Value& x, float epsilon = 1e-5F);
  Value relu(const Value& x);
  Value max_pool(const Value& x, const Window& window);
  Value average_pool(const Value& x, const Window& window);  // zeros of the padding count
  Value global_average_pool(const Value& x);
  Value concat(const std::vector<Value>& parts);
  Value flatten(const Value& x, std::int64_t positions = 1);  // `positions` of each channel
  Value fully_connected(const std::string& name, const Value& x, std::int64_t features);
  // The last layer: its outputs are the classes.
  void classifier(const std::string& name, const Value& x);

  [[nodiscard]] Model finish() &&;

 private:
  [[nodiscard]] std::int64_t scaled(std::int64_t channels) const;
  std::string parameter(const std::string& name, Tensor values);
  std::string random_parameter(const std::string& name, const Shape& shape, float scale);
  std::string add(const std::string& op, const std::string& name,
                  const std::vector<std::string>& inputs);
  void set_window(const Window& window, bool with_kernel);
  Value gemm(const std::string& name, const Value& x, std::int64_t features,
             const std::string& output);
  std::string normalized_by_batch(const std::string& name, const Value& x, const std::string& scale,
                                  const std::string& shift, float epsilon);

  NetworkOptions options_;
  const NamedTensors* statistics_;
  std::uint64_t parameters_ = 0;
  Model model_;
};

}  // namespace ocs::networks
