// A model file of any bytes gives a model or one of our errors: no crash, no hang, no other exception. What was read can be
// looked at and is the same after writing and reading it again.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "ocs/core/error.h"
#include "ocs/graph/dump.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/verify.h"
#include "ocs/io/model_file.h"
#include "ocs/ops/op.h"

namespace {

// A file in memory, with a path.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("model", MFD_CLOEXEC)) {}
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  MemoryFile(MemoryFile&&) = delete;
  MemoryFile& operator=(MemoryFile&&) = delete;

  void write(std::span<const std::uint8_t> bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0) std::abort();
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

// Runs `work`; an error in the user's file is an answer, one of ours is not.
template <typename Work>
bool succeeds(Work&& work) {
  try {
    work();
    return true;
  } catch (const ocs::Error& error) {
    if (error.kind() == ocs::Error::Kind::internal) std::abort();
    return false;
  }
}

ocs::Model read(std::span<const std::uint8_t> bytes) {
  const MemoryFile file;
  file.write(bytes);
  return ocs::read_model(file.path());
}

void look_at(const ocs::Model& model) {
  succeeds([&] { (void)model.inputs(); });
  succeeds([&] { (void)model.outputs(); });
  for (const auto& tensor : model.graph().initializer())
    succeeds([&] { (void)ocs::to_tensor(tensor); });
  const ocs::Graph graph(model);
  for (const auto& node : model.graph().node()) {
    succeeds([&] { (void)ocs::find_channel_rule(node); });
    const ocs::LinearOp* op = ocs::find_linear_op(node);
    if (op == nullptr) continue;
    succeeds([&] {
      const auto operand = op->operand(node, graph);
      if (const auto* known = std::get_if<ocs::Operand>(&operand)) {
        const auto* weight = graph.initializer(node.input(known->weight_input));
        (void)op->view(node, *known, ocs::shape_of(*weight), {});
      }
    });
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ocs::Model model;
  if (!succeeds([&] { model = read({data, size}); })) return 0;
  look_at(model);
  const std::string text = ocs::dump(model);
  const std::string bytes = model.proto().SerializeAsString();
  const ocs::Model again =
      read({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  if (ocs::dump(again) != text) std::abort();
  return 0;
}
