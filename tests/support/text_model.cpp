#include "support/text_model.h"

#include <string>

#include "support/text_values.h"
#include "support/tokens.h"

namespace ocs {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : reader_(text) {}

  onnx::ModelProto model() {
    while (!reader_.at_end())
      if (!reader_.take_if(";")) model_statement();
    if (proto_.ir_version() == 0) proto_.set_ir_version(8);
    bool has_default_opset = false;
    for (const auto& import : proto_.opset_import())
      has_default_opset = has_default_opset || import.domain().empty();
    if (!has_default_opset) proto_.add_opset_import()->set_version(13);
    proto_.mutable_graph()->set_name("test");
    return std::move(proto_);
  }

 private:
  void model_statement() {
    if (starts("ir")) {
      reader_.take();
      proto_.set_ir_version(read_integer(reader_));
      if (starts("opset")) opset();  // "ir 8 opset 13" in one breath
    } else if (starts("opset")) {
      opset();
    } else if (starts("metadata")) {
      reader_.take();
      auto& entry = *proto_.add_metadata_props();
      entry.set_key(reader_.name());
      entry.set_value(reader_.name());
    } else {
      graph_statement(*proto_.mutable_graph());
    }
    if (!reader_.at_end()) reader_.expect(";");
  }

  void opset() {
    reader_.take();
    auto& import = *proto_.add_opset_import();
    if (!is_integer(reader_.peek().text)) import.set_domain(reader_.name());
    import.set_version(read_integer(reader_));
  }

  // A keyword begins a statement only where a word follows it: a node may write a value named
  // "input".
  [[nodiscard]] bool starts(std::string_view keyword) const {
    return reader_.next_is(keyword) &&
           (reader_.peek(1).kind == Token::Kind::word || reader_.peek(1).kind == Token::Kind::text);
  }

  void graph_statement(onnx::GraphProto& graph) {
    if (starts("input")) return port(*graph.add_input());
    if (starts("output")) return port(*graph.add_output());
    if (starts("info")) return port(*graph.add_value_info());
    if (!starts("init")) return node(*graph.add_node());
    reader_.take();
    const std::string name = reader_.name();
    *graph.add_initializer() = read_tensor(reader_, name);
  }

  void port(onnx::ValueInfoProto& info) {
    reader_.take();
    info.set_name(reader_.name());
    if (is_type_name(reader_.peek().text)) *info.mutable_type() = read_type(reader_);
  }

  void node(onnx::NodeProto& node) {
    if (reader_.peek(1).text == ":") {
      node.set_name(reader_.name());
      reader_.expect(":");
    }
    while (!reader_.take_if("=")) {
      node.add_output(reader_.next_is(",") ? "" : reader_.name());
      if (!reader_.next_is("=")) reader_.expect(",");
    }
    const std::string op = reader_.name();
    const std::size_t dot = op.rfind('.');
    if (dot != std::string::npos) node.set_domain(op.substr(0, dot));
    node.set_op_type(dot == std::string::npos ? op : op.substr(dot + 1));
    reader_.expect("(");
    while (!reader_.take_if(")")) {
      node.add_input(reader_.next_is(",") ? "" : reader_.name());
      if (!reader_.next_is(")")) reader_.expect(",");
    }
    if (!reader_.take_if("{")) return;
    while (!reader_.take_if("}")) {
      attribute(*node.add_attribute());
      if (!reader_.next_is("}")) reader_.expect(",");
    }
  }

  void attribute(onnx::AttributeProto& attribute) {
    attribute.set_name(reader_.name());
    reader_.expect("=");
    const Token& next = reader_.peek();
    if (reader_.take_if("[")) return list(attribute);
    if (next.kind == Token::Kind::text) {
      attribute.set_type(onnx::AttributeProto::STRING);
      attribute.set_s(reader_.name());
    } else if (reader_.take_if("graph")) {
      attribute.set_type(onnx::AttributeProto::GRAPH);
      body(*attribute.mutable_g());
    } else if (is_type_name(next.text)) {
      attribute.set_type(onnx::AttributeProto::TENSOR);
      *attribute.mutable_t() = read_tensor(reader_, "");
    } else if (is_integer(next.text)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(read_integer(reader_));
    } else {
      attribute.set_type(onnx::AttributeProto::FLOAT);
      attribute.set_f(static_cast<float>(read_number(reader_)));
    }
  }

  // Its first element decides the type; an empty list is one of integers.
  void list(onnx::AttributeProto& attribute) {
    const bool strings = reader_.peek().kind == Token::Kind::text;
    const bool integers = reader_.next_is("]") || is_integer(reader_.peek().text);
    attribute.set_type(strings    ? onnx::AttributeProto::STRINGS
                       : integers ? onnx::AttributeProto::INTS
                                  : onnx::AttributeProto::FLOATS);
    while (!reader_.take_if("]")) {
      if (strings) {
        attribute.add_strings(reader_.name());
      } else if (integers) {
        attribute.add_ints(read_integer(reader_));
      } else {
        attribute.add_floats(static_cast<float>(read_number(reader_)));
      }
      if (!reader_.next_is("]")) reader_.expect(",");
    }
  }

  void body(onnx::GraphProto& graph) {
    graph.set_name("body");
    reader_.expect("{");
    while (!reader_.take_if("}")) {
      if (reader_.take_if(";")) continue;
      graph_statement(graph);
      if (!reader_.next_is("}")) reader_.expect(";");
    }
  }

  TokenReader reader_;
  onnx::ModelProto proto_;
};

}  // namespace

Model text_model(std::string_view text) { return Model(Parser(text).model()); }

}  // namespace ocs
