#include "ocs/graph/dump.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/core/error.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

constexpr std::size_t longest_list = 8;

bool is_plain(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '/';
  });
}

// In quotes, whatever bytes the text holds.
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const bool shown = std::isprint(static_cast<unsigned char>(c)) != 0 && c != '"' && c != '\\';
    result += shown ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return result + '"';
}

std::string shown(std::string_view name) {
  return is_plain(name) ? std::string(name) : in_quotes(name);
}

// In the manner of FNV-1a, but of eight bytes at a time: a hundred megabytes of weights take a tenth of a second.
std::uint64_t hash_of(std::string_view bytes) {
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325U ^ bytes.size();
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, std::min(sizeof(word), bytes.size() - at));
    hash = (hash ^ word) * 0x100'0000'01B3U;
    hash ^= hash >> 32U;  // multiplication alone never carries a high bit down
  }
  return hash;
}

std::string type_name(std::int32_t type) {
  std::string name =
      onnx::TensorProto_DataType_IsValid(type)
          ? onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type))
          : fmt::format("type{}", type);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

// The shortest text that reads back as the same float; never taken for an integer.
std::string number(float value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

template <typename T>
std::string list_of(const std::vector<T>& values) {
  if constexpr (std::is_same_v<T, Boolean>) {
    std::vector<int> numbers;
    for (const Boolean value : values) numbers.push_back(value == Boolean::yes ? 1 : 0);
    return list_of(numbers);
  } else {
    return fmt::format("{{{}}}", fmt::join(values, ", "));
  }
}

template <typename T>
std::string summary_of(const std::vector<T>& values) {
  std::string text;
  if constexpr (std::is_floating_point_v<T>) {
    const auto [low, high] = std::ranges::minmax(values);
    text = fmt::format("in [{}, {}], ", low, high);
  }
  const std::string_view bytes(
      reinterpret_cast<const char*>(  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): bytes
          values.data()),
      values.size() * sizeof(T));
  return text + fmt::format("hash {:016x}", hash_of(bytes));
}

std::string tensor_text(const onnx::TensorProto& proto) {
  const std::string head = type_name(proto.data_type()) + to_string(shape_of(proto)) + " ";
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) return head + "external";
  try {
    const Tensor tensor = to_tensor(proto);
    return head + std::visit(
                      [](const auto& values) {
                        return values.size() <= longest_list ? list_of(values) : summary_of(values);
                      },
                      tensor.values);
  } catch (
      const Error&
          error) {  // types that a Tensor cannot hold, sizes that do not agree: shown as they are stored
    return head + fmt::format("hash {:016x}", hash_of(proto.SerializeAsString()));
  }
}

std::string port_text(std::string_view keyword, const onnx::ValueInfoProto& info) {
  std::string text = fmt::format("{} {}", keyword, shown(info.name()));
  if (!info.has_type()) return text;
  if (!info.type().has_tensor_type()) return text + " " + info.type().ShortDebugString();
  const auto& tensor = info.type().tensor_type();
  text += " " + type_name(tensor.elem_type());
  if (!tensor.has_shape()) return text;
  std::vector<std::string> extents;
  for (const auto& extent : tensor.shape().dim()) {
    extents.push_back(extent.has_dim_value()       ? std::to_string(extent.dim_value())
                      : extent.dim_param().empty() ? "?"
                                                   : shown(extent.dim_param()));
  }
  return text + fmt::format("[{}]", fmt::join(extents, ","));
}

class Writer {
 public:
  void model(const Model& model) {
    std::string versions = fmt::format("ir {};", model.proto().ir_version());
    std::vector<std::string> imports;
    for (const auto& import : model.proto().opset_import())
      imports.push_back(fmt::format(" opset {}{};",
                                    import.domain().empty() ? "" : shown(import.domain()) + " ",
                                    import.version()));
    std::ranges::sort(imports);
    for (const std::string& import : imports) versions += import;
    text_ += versions + "\n";
    std::vector<std::string> metadata;
    for (const auto& entry : model.proto().metadata_props())
      metadata.push_back(
          fmt::format("metadata {} {}", in_quotes(entry.key()), in_quotes(entry.value())));
    sorted(metadata);
    graph(model.graph());
    for (const auto& function : model.proto().functions()) {
      line(fmt::format("function {}.{}({}) = {}", function.domain(), function.name(),
                       fmt::join(function.input(), ", "), fmt::join(function.output(), ", ")));
      ++depth_;
      for (const auto& held : function.node()) node(held);
      --depth_;
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void line(const std::string& statement) {
    text_ += std::string(2 * depth_, ' ') + statement + ";\n";
  }

  void sorted(std::vector<std::string> statements) {
    std::ranges::sort(statements);
    for (const std::string& statement : statements) line(statement);
  }

  void graph(const onnx::GraphProto& graph) {
    for (const auto& input : graph.input()) line(port_text("input", input));
    for (const auto& output : graph.output()) line(port_text("output", output));
    for (const auto& held : graph.node()) node(held);
    std::vector<std::string> tensors;
    for (const auto& tensor : graph.initializer())
      tensors.push_back(fmt::format("init {} {}", shown(tensor.name()), tensor_text(tensor)));
    for (const auto& tensor : graph.sparse_initializer())
      tensors.push_back(
          fmt::format("sparse {} {}", shown(tensor.values().name()), tensor_text(tensor.values())));
    sorted(tensors);
    std::vector<std::string> infos;
    for (const auto& info : graph.value_info()) infos.push_back(port_text("info", info));
    sorted(infos);
  }

  void node(const onnx::NodeProto& node) {
    const auto names = [](const auto& values) {
      std::vector<std::string> list;
      for (const auto& value : values) list.push_back(value.empty() ? "" : shown(value));
      return list;
    };
    std::string text = node.name().empty() ? "" : shown(node.name()) + ": ";
    text += fmt::format("{} = {}{}({})", fmt::join(names(node.output()), ", "),
                        node.domain().empty() ? "" : node.domain() + ".", node.op_type(),
                        fmt::join(names(node.input()), ", "));
    std::vector<const onnx::AttributeProto*> attributes;
    for (const auto& held : node.attribute()) attributes.push_back(&held);
    std::ranges::stable_sort(attributes, {},
                             [](const auto* held) -> const std::string& { return held->name(); });
    std::vector<std::string> texts;
    for (const auto* held : attributes)
      texts.push_back(fmt::format("{} = {}", shown(held->name()), attribute(*held)));
    if (!texts.empty()) text += fmt::format(" {{{}}}", fmt::join(texts, ", "));
    line(text);
  }

  std::string attribute(const onnx::AttributeProto& held) {
    const auto list = [](const auto& values, const auto& shown_as) {
      std::vector<std::string> texts;
      for (const auto& value : values) texts.push_back(shown_as(value));
      return fmt::format("[{}]", fmt::join(texts, ", "));
    };
    switch (held.type()) {
      case onnx::AttributeProto::INT:
        return std::to_string(held.i());
      case onnx::AttributeProto::FLOAT:
        return number(held.f());
      case onnx::AttributeProto::STRING:
        return in_quotes(held.s());
      case onnx::AttributeProto::INTS:
        return list(held.ints(), [](std::int64_t value) { return std::to_string(value); });
      case onnx::AttributeProto::FLOATS:
        return list(held.floats(), number);
      case onnx::AttributeProto::STRINGS:
        return list(held.strings(), in_quotes);
      case onnx::AttributeProto::TENSOR:
        return tensor_text(held.t());
      case onnx::AttributeProto::TENSORS:
        return list(held.tensors(), tensor_text);
      case onnx::AttributeProto::GRAPH:
        return body(held.g());
      case onnx::AttributeProto::GRAPHS:
        return list(held.graphs(), [this](const auto& graph) { return body(graph); });
      default:
        return fmt::format("{} {}", onnx::AttributeProto::AttributeType_Name(held.type()),
                           in_quotes(held.ref_attr_name()));
    }
  }

  // Written apart, since it stands in the middle of a line of ours.
  std::string body(const onnx::GraphProto& held) const {
    Writer inner;
    inner.depth_ = depth_ + 1;
    inner.graph(held);
    return "graph {\n" + inner.take() + std::string(2 * depth_, ' ') + "}";
  }

  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string dump(const Model& model) {
  Writer writer;
  writer.model(model);
  return writer.take();
}

}  // namespace ocs
