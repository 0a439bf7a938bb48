// The layout in which the runtime computes convolutions, NCHWc: a few neighbouring channels beside each other, as many as the
// processor's vectors hold. Nothing that the runtime documents, so what is used of it is looked at first (find_block).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "ocs/engine/engine.h"
#include "ocs/engine/large_model.h"

namespace ocs {

// A file in memory, gone with this object. Throws Error(engine) where the system has none.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  MemoryFile(MemoryFile&&) = delete;
  MemoryFile& operator=(MemoryFile&&) = delete;

  [[nodiscard]] std::filesystem::path path() const;  // for this process alone
  // What has been written by that path, for as long as this object lives. To be called once. Throws Error(engine).
  [[nodiscard]] std::string_view map();

 private:
  int descriptor_;
  std::string_view mapped_{};
};

// The runtime's optimized graph of a session, as the session writes it: the weights apart from it, so that none is copied.
class OptimizedGraph {
 public:
  // `options`: of the session that is going to write it.
  explicit OptimizedGraph(EngineOptions& options);
  // What the session has written, once it is open. Throws Error(engine) where it is no graph.
  [[nodiscard]] onnx::ModelProto read();
  // `graph`: that, changed perhaps, with its weights as long as this object lives. Throws Error(engine) for one whose bytes are not there.
  [[nodiscard]] WeightsApart with_weights(onnx::ModelProto graph);

 private:
  MemoryFile graph_{};
  MemoryFile weights_{};
};

// Channels in a block of the values that a watched session of `open` gives of a convolution, as they lie in memory. 1 where they lie in
// ONNX's order, in an order that is none of blocks, or where `open` fails.
[[nodiscard]] std::int64_t find_block(const std::function<RunModel(const Model&)>& open);

}  // namespace ocs
