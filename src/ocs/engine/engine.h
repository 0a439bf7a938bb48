// What runs models, as two function types; no runtime's header is seen here (docs/adr/0004). A test's fake is a lambda.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ocs/core/tensor.h"
#include "ocs/graph/model.h"

namespace ocs {

struct OutputView {
  std::string_view name{};
  TensorView tensor{};
  // Above 1: the values of tensor (shape [N, C, ...]) lie as [N, ceil(C / block), ..., block], so many neighbouring channels beside each other;
  // what fills the last block up means nothing. Only with EngineOptions::takes_blocks.
  std::int64_t block = 1;
};
// Gets all outputs of one run, valid only during the call. Missing optional outputs are left out. It may throw.
using Receive = std::function<void(std::span<const OutputView>)>;

// A model ready to run. `run` may be called from several threads at once. It throws Error(bad_input) where the inputs do not fit
// (named, with both shapes), Error(engine) where the engine fails. Float16 inputs and outputs are given as float.
struct RunModel {
  std::vector<Port> inputs{};
  std::vector<Port> outputs{};
  std::function<void(const NamedTensors& inputs, const Receive& receive)> run{};
};

struct EngineOptions {
  int intra_op_threads = 1;  // threads inside one run
  bool optimize = true;  // false: the graph as it stands (the reference emulation in small tests)
  // Values of the main graph that a run gives in place of the model's outputs; empty: those.
  std::vector<std::string> outputs{};
  // A run calls its receiver once for each of them, in an order of its own that is the same in every run, as soon as the value is
  // there: none is kept for longer than the run needs it, and the receiver finds it in the cache. The
  // calls come on the thread that called `run`. `outputs` of the RunModel are empty then. An engine that cannot do it gives all at
  // once.
  bool one_by_one = false;
  // The receiver takes values in blocks of channels, which is how some engines compute convolutions: nothing then has to be put back into
  // ONNX's order. With one_by_one and borrow_weights; opening takes longer.
  bool takes_blocks = false;
  // The session reads the larger weights where the model holds them. Without it there are a second
  // copy in the session and two more while it opens. With it the model must outlive the RunModel,
  // unchanged.
  bool borrow_weights = false;
  // Opened for a few runs: weights are not laid out anew for faster ones. With borrow_weights the session then holds next to none.
  bool for_few_runs = false;
  // What runs take comes from one store of the process, and stays there for those of any session with this option: for several sessions
  // that run in turn. Without it each session keeps what its largest run took.
  bool shares_memory = false;
  // Where the engine writes how long its kernels took, when the session closes: a file whose name begins so. "": nothing.
  std::string profile_prefix{};
  std::string optimized_model_file{};  // where the engine writes its optimized graph, if given
  std::map<std::string, std::string> config{};  // session configuration entries of the engine
  // Gets each warning of the engine, while opening and running; from one thread at a time, must not throw. None: dropped.
  std::function<void(std::string_view)> warn{};
};

// Opens a model. Throws Error(engine) with the engine's words and the model's file where it refuses,
// Error(bad_input) for one of `outputs` that the model has not.
using Engine = std::function<RunModel(const Model& model, const EngineOptions& options)>;

// All outputs by name, copied.
[[nodiscard]] NamedTensors run_once(const RunModel& model, const NamedTensors& inputs);

}  // namespace ocs
