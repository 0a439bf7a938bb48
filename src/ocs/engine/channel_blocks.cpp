#include "ocs/engine/channel_blocks.h"

#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <onnxruntime_session_options_config_keys.h>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "ocs/core/error.h"
#include "ocs/graph/edit.h"

namespace ocs {

namespace fs = std::filesystem;

#ifdef __linux__
MemoryFile::MemoryFile() : descriptor_(::memfd_create("ocs", MFD_CLOEXEC)) {
  if (descriptor_ < 0) throw_engine("the system gives no file in memory");
}

MemoryFile::~MemoryFile() {
  if (!mapped_.empty())
    ::munmap(const_cast<char*>(mapped_.data()),  // NOLINT(cppcoreguidelines-pro-type-const-cast)
             mapped_.size());
  ::close(descriptor_);
}

std::string_view MemoryFile::map() {
  std::error_code unread;
  const std::size_t size = fs::file_size(path(), unread);
  if (unread) throw_engine("a file in memory cannot be read: " + unread.message());
  if (size == 0) return {};
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (start == MAP_FAILED) throw_engine("a file in memory cannot be mapped");
  mapped_ = {static_cast<const char*>(start), size};
  return mapped_;
}
#else
MemoryFile::MemoryFile() : descriptor_(-1) { throw_engine("the system gives no file in memory"); }

MemoryFile::~MemoryFile() = default;

std::string_view MemoryFile::map() { return {}; }
#endif

fs::path MemoryFile::path() const {
  return fs::path("/proc/self/fd") / std::to_string(descriptor_);
}

namespace {

struct Range {
  std::size_t offset = 0;  // bytes
  std::size_t length = 0;
};

// Where external data lie in the file of this name; none where they lie elsewhere.
std::optional<Range> range_of(const onnx::TensorProto& tensor, const std::string& file) {
  Range range;
  bool is_there = false;
  for (const auto& entry : tensor.external_data()) {
    const std::string& value = entry.value();
    const auto read = [&](std::size_t& number) {
      return std::from_chars(value.data(), std::to_address(value.end()), number).ec == std::errc();
    };
    if (entry.key() == "location") is_there = value == file;
    if (entry.key() == "offset" && !read(range.offset)) return std::nullopt;
    if (entry.key() == "length" && !read(range.length)) return std::nullopt;
  }
  return is_there ? std::optional(range) : std::nullopt;
}

}  // namespace

OptimizedGraph::OptimizedGraph(EngineOptions& options) {
  options.optimized_model_file = graph_.path().string();
  // Beside the graph.
  options.config[kOrtSessionOptionsOptimizedModelExternalInitializersFileName] =
      weights_.path().filename().string();
}

onnx::ModelProto OptimizedGraph::read() {
  onnx::ModelProto graph;
  const std::string_view bytes = graph_.map();
  if (bytes.size() > std::numeric_limits<std::int32_t>::max() ||
      !graph.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    throw_engine("the runtime's optimized graph cannot be read");
  return graph;
}

WeightsApart OptimizedGraph::with_weights(onnx::ModelProto graph) {
  WeightsApart apart{.rest = std::move(graph)};
  const std::string_view weights = weights_.map();
  for (const onnx::TensorProto& tensor : apart.rest.graph().initializer()) {
    if (tensor.data_location() != onnx::TensorProto::EXTERNAL) continue;
    const auto range = range_of(tensor, weights_.path().filename().string());
    // Those of two bits the runtime takes with the graph alone.
    if (!range || has_two_bits(tensor) || range->offset > weights.size() ||
        range->length > weights.size() - range->offset)
      throw_engine("tensor '" + tensor.name() + "': the runtime's optimized graph lacks its bytes");
    apart.weights.push_back(
        {.tensor = &tensor, .bytes = weights.substr(range->offset, range->length)});
  }
  return apart;
}

namespace {

constexpr std::int64_t channels = 64;  // a multiple of any block
constexpr std::int64_t results = 61;   // of none: the last block is filled up
constexpr std::int64_t positions = 6;

// The value of a channel at a position: no two are alike.
float value_at(std::int64_t channel, std::int64_t position) {
  return static_cast<float>(channel * positions + position);
}

void declare(onnx::ValueInfoProto& value, const std::string& name, std::int64_t of_channels) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : {std::int64_t{1}, of_channels, std::int64_t{2}, positions / 2})
    tensor.mutable_shape()->add_dim()->set_dim_value(extent);
}

// A convolution that gives the first channels of what it gets.
Model identity() {
  constexpr int opset = 13;
  onnx::ModelProto proto;
  proto.set_ir_version(8);
  proto.add_opset_import()->set_version(opset);
  proto.mutable_graph()->set_name("blocks");
  declare(*proto.mutable_graph()->add_input(), "x", channels);
  declare(*proto.mutable_graph()->add_output(), "y", results);
  Model model(std::move(proto));
  std::vector<float> ones(static_cast<std::size_t>(results * channels), 0.0F);
  for (std::size_t i = 0; i < ones.size(); i += static_cast<std::size_t>(channels) + 1)
    ones[i] = 1.0F;
  const std::string weight = add_initializer(
      model, "w", Tensor{.shape = {results, channels, 1, 1}, .values = std::move(ones)});
  add_node(model, "Conv", "conv", {"x", weight}, {"y"});
  return model;
}

bool lies_in_blocks(std::span<const float> values, std::int64_t block) {
  for (std::int64_t channel = 0; channel < results; ++channel) {
    for (std::int64_t position = 0; position < positions; ++position) {
      const std::int64_t at = (channel / block * positions + position) * block + channel % block;
      if (values[static_cast<std::size_t>(at)] != value_at(channel, position)) return false;
    }
  }
  return true;
}

}  // namespace

std::int64_t find_block(const std::function<RunModel(const Model&)>& open) {
  const Model model = identity();
  Tensor x{.shape = {1, channels, 2, positions / 2}, .values = std::vector<float>()};
  for (std::int64_t channel = 0; channel < channels; ++channel)
    for (std::int64_t position = 0; position < positions; ++position)
      std::get<std::vector<float>>(x.values).push_back(value_at(channel, position));
  std::int64_t found = 1;
  try {
    const RunModel run = open(model);
    run.run({{"x", x}}, [&](std::span<const OutputView> outputs) {
      const auto values = outputs[0].tensor.as<float>();
      if (std::ssize(values) != channels * positions) return;  // nothing is filled up
      for (const std::int64_t block : std::array<std::int64_t, 4>{4, 8, 16, 32})
        if (lies_in_blocks(values, block)) found = block;
    });
  } catch (const std::exception&) {
    return 1;
  }
  return found;
}

}  // namespace ocs
