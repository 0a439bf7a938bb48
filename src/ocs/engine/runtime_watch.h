// Values of a run one by one, each as soon as it is there: on every value stands a node with an
// operator of ours, whose kernel hands the value on. What was handed on the runtime drops where
// nothing else reads it, so that a run needs little more memory than one that shows nothing, and
// the receiver finds the value in the processor's cache.
#pragma once

#include <exception>

#include "ocs/engine/engine.h"
#include "ocs/engine/runtime_values.h"

namespace ocs {

// In place of the model's outputs, every one of them (values of the main graph) is watched. A
// session of the result needs add_watch_operator.
void watch_outputs(onnx::ModelProto& model);
void add_watch_operator(Ort::SessionOptions& options);

// `optimized`: a graph of watch_outputs as the runtime has optimized it. Values that it computes in blocks of `block` channels
// (its NCHWc layout) and puts back are watched in front of that, in blocks. False where there are none; nothing is changed then.
[[nodiscard]] bool watch_blocks(Model& optimized, std::int64_t block);

// As long as it lives, what runs on this thread hands on goes to `receive`, one value a call.
class Watcher {
 public:
  explicit Watcher(const Receive& receive);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  Watcher(Watcher&&) = delete;
  Watcher& operator=(Watcher&&) = delete;

  // What `receive` threw, if it did: the run ended with an error of the runtime then.
  [[nodiscard]] const std::exception_ptr& failure() const { return failure_; }

  // How a value lies in memory.
  struct Layout {
    std::int64_t channels = 0;  // where it comes in blocks: without those that fill the last one up
    std::int64_t block = 1;
  };
  // For the kernels. False where `receive` throws.
  static bool hand_on(std::string_view name, const Ort::ConstValue& value, const Layout& layout);

 private:
  const Receive& receive_;
  Watcher* outer_;  // the thread's watcher before: a receiver may run another model
  std::exception_ptr failure_{};
};

}  // namespace ocs
