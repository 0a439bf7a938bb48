#include "ocs/lint/time_nodes.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "ocs/graph/graph.h"

namespace ocs {
namespace {

// "conv_token_12" is "conv": a number that the engine gives to nodes it has written anew.
std::string_view without_number(std::string_view name) {
  constexpr std::string_view mark = "_token_";
  const std::size_t found = name.rfind(mark);
  if (found == std::string_view::npos) return name;
  const std::string_view number = name.substr(found + mark.size());
  const bool is_number =
      !number.empty() && std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? name.substr(0, found) : name;
}

std::string_view without_suffix(std::string_view name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

class Finder {
 public:
  Finder(const Model& model, const LintForecast& forecast) : graph_(model) {
    for (std::size_t i = 0; i < forecast.nodes.size(); ++i) places_[forecast.nodes[i].name] = i;
  }

  // The place in the forecast of the node that a kernel stands for.
  [[nodiscard]] std::optional<std::size_t> find(const KernelTime& kernel) const {
    const std::string_view plain = without_number(kernel.name);
    // Nodes that the engine puts in have the name of their operator and a number.
    if (plain == kernel.op && plain != kernel.name) return std::nullopt;
    for (const std::string_view name :
         {std::string_view(kernel.name), plain, without_suffix(plain, "/MatMulAddFusion"),
          without_suffix(plain, "/MatMulScaleFusion/")})
      if (const auto found = places_.find(name); found != places_.end()) return found->second;
    // Nodes in blocked layouts have the name of the value that they write; a BatchNormalization becomes a Conv there.
    if (const std::string_view value = without_suffix(plain, "_bn_nchwc"); value != plain)
      return place_of(graph_.producer(value));
    const std::string_view value = without_suffix(plain, "_nchwc");
    if (value == plain) return std::nullopt;
    return find_writer(value, kernel.op);
  }

 private:
  // A kernel may have taken activations and sums behind it in: then its node lies ahead of the one that writes the value.
  [[nodiscard]] std::optional<std::size_t> find_writer(std::string_view value,
                                                       std::string_view op) const {
    constexpr int most_nodes = 4;
    const onnx::NodeProto* last = graph_.producer(value);
    const onnx::NodeProto* node = last;
    for (int i = 0; node != nullptr && i < most_nodes; ++i) {
      if (node->op_type() == op) break;
      const onnx::NodeProto* ahead = nullptr;
      for (const std::string& input : node->input()) {
        const onnx::NodeProto* producer = graph_.producer(input);
        if (producer != nullptr && (ahead == nullptr || producer->op_type() == op))
          ahead = producer;
      }
      node = ahead;
    }
    return place_of(node == nullptr || node->op_type() != op ? last : node);
  }

  [[nodiscard]] std::optional<std::size_t> place_of(const onnx::NodeProto* node) const {
    const auto found = node == nullptr ? places_.end() : places_.find(node->name());
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }

  Graph graph_;
  std::map<std::string, std::size_t, std::less<>> places_{};
};

}  // namespace

double NodeTimes::conversion_ms() const {
  double sum = 0.0;
  for (const KernelTime& kernel : conversions) sum += kernel.milliseconds;
  return sum;
}

NodeTimes time_nodes(const Model& model, const LintForecast& forecast,
                     std::span<const KernelTime> kernels) {
  const Finder finder(model, forecast);
  NodeTimes times;
  times.nodes.resize(forecast.nodes.size());
  for (const KernelTime& kernel : kernels) {
    times.run += kernel.milliseconds;
    if (kernel.op == "QuantizeLinear" || kernel.op == "DequantizeLinear") {
      times.conversions.push_back(kernel);
    } else if (const std::optional<std::size_t> place = finder.find(kernel)) {
      times.nodes[*place] = times.nodes[*place].value_or(0.0) + kernel.milliseconds;
      (forecast.nodes[*place].is_fused() ? times.integers : times.floats) += kernel.milliseconds;
    } else {
      times.others[kernel.op] += kernel.milliseconds;
    }
  }
  std::ranges::stable_sort(times.conversions, std::ranges::greater(), &KernelTime::milliseconds);
  return times;
}

}  // namespace ocs
