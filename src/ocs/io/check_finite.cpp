#include "ocs/io/check_finite.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/graph/walk.h"

namespace ocs {
namespace {

using Proto = onnx::TensorProto;

enum class Worst { finite, infinite, nan };

struct Finding {
  Worst worst = Worst::finite;
  std::size_t index = 0;  // of the first value that is as bad as `worst`
};

// A value is not finite where all bits of its exponent are set, and NaN where a bit of its fraction
// is set too. Written on integers so that the compiler makes vector code of it; blocks are copied,
// since nothing aligns the bytes of a string.
template <typename Bits>
Finding scan(const char* bytes, std::size_t count, Bits exponent) {
  Finding found;
  std::array<Bits, 4096 / sizeof(Bits)> block{};
  for (std::size_t start = 0; start < count; start += block.size()) {
    const std::size_t size = std::min(block.size(), count - start);
    std::memcpy(block.data(), bytes + start * sizeof(Bits), size * sizeof(Bits));
    Bits suspicious = 0;
    for (std::size_t i = 0; i < size; ++i)
      suspicious |= static_cast<Bits>((block[i] & exponent) == exponent ? 1 : 0);
    if (suspicious == 0) continue;
    const Bits fraction = static_cast<Bits>(static_cast<Bits>(~exponent) << 1U) >> 1U;
    for (std::size_t i = 0; i < size; ++i) {
      if ((block[i] & exponent) != exponent) continue;
      if ((block[i] & fraction) != 0) return {.worst = Worst::nan, .index = start + i};
      if (found.worst == Worst::finite) found = {.worst = Worst::infinite, .index = start + i};
    }
  }
  return found;
}

template <typename Bits, typename Field>
Finding scan_tensor(const Proto& tensor, const std::filesystem::path& folder, const Field& field,
                    Bits exponent) {
  if (tensor.data_location() == Proto::EXTERNAL) {
    Finding worst;
    std::size_t start = 0;
    for_each_external_block(tensor, folder, [&](std::span<const std::byte> block) {
      const std::size_t count = block.size() / sizeof(Bits);
      Finding found = scan(reinterpret_cast<const char*>(block.data()), count, exponent);
      found.index += start;
      if (found.worst > worst.worst) worst = found;
      start += count;
    });
    return worst;
  }
  if (!tensor.raw_data().empty())
    return scan(tensor.raw_data().data(), tensor.raw_data().size() / sizeof(Bits), exponent);
  if constexpr (sizeof(typename Field::value_type) == sizeof(Bits)) {
    return scan(reinterpret_cast<const char*>(field.data()), static_cast<std::size_t>(field.size()),
                exponent);
  } else {  // halves lie in fields of 32 bits
    const std::vector<Bits> narrow(field.begin(), field.end());
    return scan(reinterpret_cast<const char*>(narrow.data()), narrow.size(), exponent);
  }
}

Finding scan_tensor(const Proto& tensor, const std::filesystem::path& folder) {
  switch (tensor.data_type()) {
    case Proto::FLOAT:
      return scan_tensor<std::uint32_t>(tensor, folder, tensor.float_data(), 0x7F80'0000U);
    case Proto::DOUBLE:
      return scan_tensor<std::uint64_t>(tensor, folder, tensor.double_data(),
                                        0x7FF0'0000'0000'0000U);
    case Proto::FLOAT16:
      return scan_tensor<std::uint16_t>(tensor, folder, tensor.int32_data(), 0x7C00U);
    case Proto::BFLOAT16:
      return scan_tensor<std::uint16_t>(tensor, folder, tensor.int32_data(), 0x7F80U);
    default:
      return {};
  }
}

// Operators for which an infinite constant is an ordinary value: a mask, an open bound, a start
// value. Shape operators hand it on.
bool takes_infinity(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 17> names{
      "Where",           "Clip",     "Max",     "Min",    "Pad",
      "ConstantOfShape", "Less",     "Greater", "Equal",  "LessOrEqual",
      "GreaterOrEqual",  "Identity", "Cast",    "Expand", "Unsqueeze",
      "Reshape",         "Slice"};
  return in_default_domain(node) && std::ranges::find(names, node.op_type()) != names.end();
}

// For every value that some node reads: whether all of its readers take infinity. Names are those
// of the whole model: a name that two bodies use for different values is judged by all readers of
// both.
using TakesInfinity = std::map<std::string_view, bool>;

TakesInfinity readers_of(const Model& model) {
  TakesInfinity takes;
  const auto add = [&](const onnx::NodeProto& node) {
    for (const auto& input : node.input()) {
      const auto known = takes.try_emplace(input, true).first;
      known->second = known->second && takes_infinity(node);
    }
  };
  const auto add_all = [&](const onnx::GraphProto& graph) {
    std::ranges::for_each(graph.node(), add);
  };
  for_each_graph(model.graph(), add_all);
  for (const auto& function : model.proto().functions())
    for (const auto& node : function.node()) {
      add(node);
      for_each_body(node, [&](const onnx::GraphProto& body) { for_each_graph(body, add_all); });
    }
  return takes;
}

class Checker {
 public:
  explicit Checker(const Model& model)
      : folder_(model.file().parent_path()), takes_(readers_of(model)) {}

  void graph(const onnx::GraphProto& graph) const {
    for (const auto& tensor : graph.initializer())
      check(tensor, tensor.name(), all_readers_take_infinity(tensor.name()));
    for (const auto& tensor : graph.sparse_initializer())
      check(tensor.values(), tensor.values().name(), false);
    for (const auto& held : graph.node()) node(held);
  }

  void node(const onnx::NodeProto& node) const {
    const bool constant = node.op_type() == "Constant" && node.output_size() == 1;
    const std::string& name = constant ? node.output(0) : node.name();
    const bool ordinary = constant ? all_readers_take_infinity(name) : takes_infinity(node);
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_t()) check(attribute.t(), name, ordinary);
      for (const auto& tensor : attribute.tensors()) check(tensor, name, ordinary);
      const auto is_nan = [](float value) { return std::isnan(value); };
      if (is_nan(attribute.f()) || std::ranges::any_of(attribute.floats(), is_nan)) {
        throw_bad_input(fmt::format("node '{}' ({}): attribute '{}' is NaN", node.name(),
                                    node.op_type(), attribute.name()));
      }
    }
  }

 private:
  [[nodiscard]] bool all_readers_take_infinity(const std::string& value) const {
    const auto found = takes_.find(value);
    return found != takes_.end() && found->second;
  }

  void check(const Proto& tensor, const std::string& name, bool infinity_is_ordinary) const {
    const Finding found = scan_tensor(tensor, folder_);
    if (found.worst == Worst::finite || (found.worst == Worst::infinite && infinity_is_ordinary))
      return;
    throw_bad_input(fmt::format("tensor '{}' holds {} (value {} of {})", name,
                                found.worst == Worst::nan ? "NaN" : "infinity", found.index,
                                element_total(tensor)));
  }

  static std::int64_t element_total(const Proto& tensor) {
    std::int64_t total = 1;
    for (const auto extent : tensor.dims()) total *= extent;  // checked before: check_size
    return total;
  }

  std::filesystem::path folder_;
  TakesInfinity takes_;
};

}  // namespace

void check_finite(const Model& model) {
  const Checker checker(model);
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) { checker.graph(graph); });
  for (const auto& function : model.proto().functions())
    for (const auto& node : function.node()) {
      checker.node(node);
      for_each_body(node, [&](const onnx::GraphProto& body) {
        for_each_graph(body, [&](const onnx::GraphProto& graph) { checker.graph(graph); });
      });
    }
}

}  // namespace ocs
