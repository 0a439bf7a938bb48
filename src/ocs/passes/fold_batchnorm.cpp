//   x -> Conv(W, b) -> y -> BatchNormalization -> z      -->   x -> Conv(W', b') -> z
//   x -> MatMul(W) -> y -> BatchNormalization -> z       -->   x -> MatMul(W') -> y -> Add(b') -> z
//
//   g = scale / sqrt(var + epsilon), W'[o,..] = g[o] W[o,..], b'[o] = g[o] (b[o] - mean[o]) + B[o]
//
// 1. The search walks from each BatchNormalization to the node it can be folded into, through nodes
//    that pass their input on or add a constant to each channel, and gives a Fold or a reason.
// 2. All folds found are applied; a BatchNormalization behind one that was folded is found next.
#include "ocs/passes/fold_batchnorm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/edit.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/graph/tensor_proto.h"
#include "ocs/passes/constant_floats.h"
#include "ocs/passes/inference_nodes.h"
#include "ocs/passes/name_nodes.h"
#include "ocs/passes/value_facts.h"

namespace ocs {
namespace {

struct Fold {
  std::string batchnorm{};             // name of the node
  std::string target{};                // name of the node that absorbs it
  bool is_matmul = false;              // bias as an Add
  std::string output{};                // what the BatchNormalization writes
  std::vector<std::string> between{};  // names of the nodes that go, the BatchNormalization too
  std::string weight{};                // initializer
  onnx::TensorProto folded_weight{};
  std::vector<float> folded_bias{};
  std::vector<float> multiplier{};
  NormalChannels normal{};  // of `output`
};
struct Stays {
  std::string batchnorm{};
  std::string reason{};
};
using Finding = std::variant<Fold, Stays>;

// Where the channels of the output lie in a weight: element i belongs to channel (i / run) % count,
// for ConvTranspose shifted by the group's first channel.
struct ChannelLayout {
  std::size_t channels = 0;   // of the output, all groups
  std::size_t run = 1;        // neighbours with one channel
  std::size_t per_group = 0;  // channels of one group
  std::size_t elements_of_group = 0;
  [[nodiscard]] std::size_t channel_of(std::size_t element) const {
    return element / elements_of_group * per_group + element / run % per_group;
  }
};

std::optional<ChannelLayout> layout_of(const onnx::NodeProto& node,
                                       const onnx::TensorProto& weight) {
  const Shape shape = shape_of(weight);
  const auto size = [&](std::size_t axis) { return static_cast<std::size_t>(shape[axis]); };
  const std::string& op = node.op_type();
  const auto all = static_cast<std::size_t>(element_count(shape));
  if (all == 0) return std::nullopt;
  if (op == "Conv" && shape.size() >= 3) return ChannelLayout{size(0), all / size(0), size(0), all};
  if (op == "ConvTranspose" && shape.size() >= 3) {
    const std::int64_t declared = int_attribute(node, "group", 1);
    if (declared < 1 || shape[0] % declared != 0) return std::nullopt;
    const auto groups = static_cast<std::size_t>(declared);
    return ChannelLayout{size(1) * groups, all / size(0) / size(1), size(1), all / groups};
  }
  if (shape.size() != 2) return std::nullopt;
  if (op == "MatMul" || (op == "Gemm" && int_attribute(node, "transB", 0) == 0))
    return ChannelLayout{size(1), 1, size(1), all};
  if (op == "Gemm") return ChannelLayout{size(0), size(1), size(0), all};
  return std::nullopt;
}

bool is_inference(const onnx::NodeProto& batchnorm) {
  if (int_attribute(batchnorm, "training_mode", 0) != 0) return false;
  for (int i = 1; i < batchnorm.output_size(); ++i)  // before opset 14 these asked for training
    if (!batchnorm.output(i).empty()) return false;
  return batchnorm.input_size() == 5 && batchnorm.output_size() > 0 &&
         !batchnorm.output(0).empty() && int_attribute(batchnorm, "spatial", 1) != 0;
}

class Search {
 public:
  explicit Search(const Model& model) : graph_(model), facts_(model.graph()) {}

  [[nodiscard]] std::vector<Finding> run() const {
    std::vector<const onnx::NodeProto*> batchnorms;
    for (std::size_t i = 0; i < graph_.node_count(); ++i) {
      const onnx::NodeProto& node = graph_.node(i);
      if (in_default_domain(node) && node.op_type() == "BatchNormalization")
        batchnorms.push_back(&node);
    }
    std::vector<Finding> findings(batchnorms.size());
    parallel_for(findings.size(), [&](std::size_t i) { findings[i] = look_at(*batchnorms[i]); });
    return findings;
  }

 private:
  struct Parameters {
    std::vector<double> multiplier{};  // g
    std::vector<double> mean{};
    std::vector<double> shift{};  // B
    std::vector<double> deviation{};
  };

  [[nodiscard]] Finding look_at(const onnx::NodeProto& batchnorm) const;
  [[nodiscard]] std::optional<Parameters> parameters(const onnx::NodeProto& batchnorm) const;
  [[nodiscard]] const std::string* constant_summand(const onnx::NodeProto& node) const;
  [[nodiscard]] std::optional<std::vector<double>> own_bias(const onnx::NodeProto& target,
                                                            std::size_t channels) const;
  [[nodiscard]] std::string fill(Fold& fold, const onnx::NodeProto& target, const Parameters& norm,
                                 const std::vector<std::string>& summands) const;

  Graph graph_;
  ValueFacts facts_;
};

std::optional<Search::Parameters> Search::parameters(const onnx::NodeProto& batchnorm) const {
  std::vector<std::vector<double>> values;
  for (int i = 1; i < 5; ++i) {
    if (constant_floats(graph_, batchnorm.input(i)) == nullptr) return std::nullopt;
    const Tensor tensor = read_tensor(graph_, batchnorm.input(i));
    const auto floats = tensor.as<float>();
    values.emplace_back(floats.begin(), floats.end());
    if (tensor.shape.size() != 1 || floats.size() != values.front().size()) return std::nullopt;
  }
  const auto epsilon = static_cast<double>(float_attribute(batchnorm, "epsilon", 1e-5F));
  Parameters found{.multiplier = values[0], .mean = values[2], .shift = values[1]};
  for (std::size_t o = 0; o < found.multiplier.size(); ++o) {
    const double variance = values[3][o] + epsilon;
    constexpr double none = std::numeric_limits<double>::infinity();  // seen and refused in fill
    found.multiplier[o] = variance > 0.0 ? found.multiplier[o] / std::sqrt(variance) : none;
    found.deviation.push_back(std::fabs(found.multiplier[o]) *
                              std::sqrt(std::max(values[3][o], 0.0)));
  }
  return found;
}

// The constant of `x + constant`; nullptr where the node is not of that form.
const std::string* Search::constant_summand(const onnx::NodeProto& node) const {
  if (!in_default_domain(node) || node.op_type() != "Add" || node.input_size() != 2) return nullptr;
  const bool first = constant_floats(graph_, node.input(0)) != nullptr;
  const bool second = constant_floats(graph_, node.input(1)) != nullptr;
  if (first == second) return nullptr;
  return &node.input(first ? 0 : 1);
}

// Zero without one; nothing where it is not constant or not one value a channel.
std::optional<std::vector<double>> Search::own_bias(const onnx::NodeProto& target,
                                                    std::size_t channels) const {
  if (target.op_type() == "MatMul" || target.input_size() < 3 || target.input(2).empty())
    return std::vector<double>(channels, 0.0);
  if (constant_floats(graph_, target.input(2)) == nullptr) return std::nullopt;
  const bool is_gemm = target.op_type() == "Gemm";
  const Tensor stored = read_tensor(graph_, target.input(2));
  if (!is_gemm && stored.shape != Shape{static_cast<std::int64_t>(channels)}) return std::nullopt;
  const auto values = per_channel(stored, static_cast<std::int64_t>(channels), 2);
  if (!values && is_gemm) return std::nullopt;
  const double beta = is_gemm ? static_cast<double>(float_attribute(target, "beta", 1.0F)) : 1.0;
  const auto floats = stored.as<float>();
  std::vector<double> bias = is_gemm ? std::vector<double>(values->begin(), values->end())
                                     : std::vector<double>(floats.begin(), floats.end());
  for (double& value : bias) value *= beta;
  return bias;
}

// Computes the folded tensors; returns why they cannot be, "" where they can.
std::string Search::fill(Fold& fold, const onnx::NodeProto& target, const Parameters& norm,
                         const std::vector<std::string>& summands) const {
  const onnx::TensorProto* weight =
      target.input_size() < 2 ? nullptr : constant_floats(graph_, target.input(1));
  if (weight == nullptr) return fmt::format("the weight of '{}' is not constant", target.name());
  const auto layout = layout_of(target, *weight);
  const std::size_t channels = norm.multiplier.size();
  if (!layout || layout->channels != channels)
    return fmt::format("'{}' does not have its {} channels", target.name(), channels);
  if (fold.is_matmul && facts_.rank(target.output(0)) != 2)
    return fmt::format("the output of '{}' is not known to be of rank 2", target.name());
  auto bias = own_bias(target, channels);
  if (!bias) return fmt::format("the bias of '{}' is not one constant a channel", target.name());
  for (const std::string& summand : summands) {
    const auto values = per_channel(read_tensor(graph_, summand),
                                    static_cast<std::int64_t>(channels), weight->dims_size());
    if (!values) return fmt::format("'{}' is added and not one value a channel", summand);
    for (std::size_t o = 0; o < channels; ++o) (*bias)[o] += static_cast<double>((*values)[o]);
  }
  fold.weight = target.input(1);
  fold.folded_weight = *weight;
  const auto elements = floats_in(fold.folded_weight, graph_.model().file().parent_path());
  bool finite = true;
  const auto narrow = [&](double value) {
    constexpr auto largest = static_cast<double>(std::numeric_limits<float>::max());
    finite = finite && std::abs(value) <= largest;  // false for NaN too
    return finite ? static_cast<float>(value) : 0.0F;
  };
  for (std::size_t first = 0; first < elements.size(); first += layout->run) {
    const double multiplier = norm.multiplier[layout->channel_of(first)];
    for (float& element : elements.subspan(first, layout->run))
      element = narrow(multiplier * static_cast<double>(element));
  }
  for (std::size_t o = 0; o < channels; ++o) {
    fold.multiplier.push_back(narrow(norm.multiplier[o]));
    fold.folded_bias.push_back(
        narrow(norm.multiplier[o] * ((*bias)[o] - norm.mean[o]) + norm.shift[o]));
  }
  if (!finite) return "the folded weight would not be finite";
  return {};
}

Finding Search::look_at(const onnx::NodeProto& batchnorm) const {
  const auto stays = [&](std::string reason) {
    return Stays{.batchnorm = batchnorm.name(), .reason = std::move(reason)};
  };
  if (!is_inference(batchnorm)) return stays("it is not in inference form");
  const auto norm = parameters(batchnorm);
  if (!norm) return stays("its parameters are not constant floats of one length");
  Fold fold{.batchnorm = batchnorm.name(),
            .output = batchnorm.output(0),
            .normal = {.mean = norm->shift, .deviation = norm->deviation}};
  std::vector<std::string> summands;
  const onnx::NodeProto* reader = &batchnorm;
  std::string value = batchnorm.input(0);
  while (true) {
    fold.between.push_back(reader->name());
    if (graph_.only_consumer(value) != reader)
      return stays(fmt::format("'{}' is read elsewhere or is an output", value));
    const onnx::NodeProto* producer = graph_.producer(value);
    if (producer == nullptr) return stays("no node with a weight stands in front of it");
    if (passes_input_on(graph_, *producer)) {
      value = producer->input(0);
    } else if (const std::string* summand = constant_summand(*producer)) {
      summands.push_back(*summand);
      value = producer->input(0) == *summand ? producer->input(1) : producer->input(0);
    } else {
      const std::string& op = producer->op_type();
      if (!in_default_domain(*producer) ||
          (op != "Conv" && op != "ConvTranspose" && op != "Gemm" && op != "MatMul"))
        return stays(fmt::format("it stands behind {}", op));
      fold.target = producer->name();
      fold.is_matmul = op == "MatMul";
      std::string reason = fill(fold, *producer, *norm, summands);
      return reason.empty() ? Finding{std::move(fold)} : Finding{stays(std::move(reason))};
    }
    reader = producer;
  }
}

void apply(Model& model, Fold& fold) {
  const Tensor bias{.shape = {static_cast<std::int64_t>(fold.folded_bias.size())},
                    .values = fold.folded_bias};
  const std::string weight_name =
      add_initializer(model, fold.weight, std::move(fold.folded_weight));
  const std::string bias_name = add_initializer(model, fold.target + "_bias", bias);
  remove_nodes(model, {fold.between.begin(), fold.between.end()});
  auto& nodes = *model.graph().mutable_node();
  const auto found = std::ranges::find(nodes, fold.target, [](const auto& n) { return n.name(); });
  onnx::NodeProto& target = *found;
  target.set_input(1, weight_name);
  if (fold.is_matmul) {
    const std::string product = target.output(0);
    add_node(model, "Add", fold.target + "_add", {product, bias_name}, {fold.output});
    return;
  }
  if (target.input_size() < 3) target.add_input();
  target.set_input(2, bias_name);
  remove_attribute(target, "beta");
  target.set_output(0, fold.output);
}

void remember(std::map<std::string, AbsorbedBatchNorm>& absorbed, const Fold& fold) {
  const auto [entry, is_first] = absorbed.try_emplace(
      fold.target,
      AbsorbedBatchNorm{.unfolded_weight = fold.weight, .multiplier = fold.multiplier});
  if (is_first) return;
  auto& multiplier = entry->second.multiplier;
  for (std::size_t o = 0; o < multiplier.size(); ++o) multiplier[o] *= fold.multiplier[o];
}

}  // namespace

FoldResult fold_batchnorm(Model model, bool keep_unfolded) {
  FoldResult result;
  model = name_nodes(std::move(model)).model;  // findings refer to nodes by name
  std::vector<Note>& notes = result.pass.notes;
  while (true) {
    std::vector<Note> staying;
    bool any = false;
    for (Finding& finding : Search(model).run()) {
      if (const auto* stays = std::get_if<Stays>(&finding)) {
        staying.push_back({.node = stays->batchnorm, .text = "is not folded: " + stays->reason});
        continue;
      }
      Fold& fold = std::get<Fold>(finding);
      apply(model, fold);
      result.normals[fold.output] = fold.normal;
      if (keep_unfolded) remember(result.absorbed, fold);
      notes.push_back({.node = fold.target, .text = "absorbed " + fold.batchnorm});
      any = true;
    }
    if (any) {
      sort_topologically(model);
      continue;
    }
    notes.insert(notes.end(), staying.begin(), staying.end());
    break;
  }
  result.pass.model = std::move(model);
  return result;
}

}  // namespace ocs
