#include "ocs/pipeline/measure.h"

#include <algorithm>
#include <memory>
#include <set>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/engine/exact_sums.h"
#include "ocs/export/qdq.h"
#include "ocs/graph/graph.h"
#include "ocs/pipeline/output_parts.h"

namespace ocs {
namespace {

// A layer's own error settles quickly: it is an average over all positions of a map.
constexpr std::size_t most_layer_samples = 4;

void add(const TensorView& reference, const TensorView& value, SignalToNoise& sums) {
  sums.add(reference.as<float>(), value.as<float>());
  if (!sums.comparable)
    throw_internal("outputs of the float and the quantized model differ in shape");
}

// One run at a time, with all threads, of several sessions that run in turn.
EngineOptions whole_machine(std::vector<std::string> outputs = {}, bool one_by_one = false) {
  return {.intra_op_threads = static_cast<int>(thread_count()),
          .outputs = std::move(outputs),
          .one_by_one = one_by_one,
          .borrow_weights = true,
          .shares_memory = true};
}

// Layers run by themselves in groups of so many neighbours or, in deep networks, in so many groups: what the layers of one read and give is in
// memory at once, and all groups have a session with threads of its own.
constexpr std::size_t layers_at_a_time = 8;
constexpr std::size_t most_groups = 16;
constexpr int most_threads_of_a_group = 4;

struct LayerNames {
  std::vector<std::string> inputs{};  // that are computed
  std::string result{};
  std::string alone{};  // the result in the model of single layers
};

std::map<LayerId, LayerNames> names_of(const Graph& graph, std::span<const LayerPlan> layers) {
  std::map<LayerId, LayerNames> names;
  for (const LayerPlan& layer : layers) {
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    names[layer.id()] = {.inputs = computed_inputs(graph, node),
                         .result = result_of(node),
                         .alone = single_layer_result(layer.id(), result_of(node))};
  }
  return names;
}

std::set<std::string> compared_values(const Model& model, const std::vector<OutputPart>& parts) {
  std::set<std::string> compared;
  for (const onnx::ValueInfoProto& output : model.graph().output())
    if (output.type().has_tensor_type() || !output.has_type()) compared.insert(output.name());
  for (const OutputPart& part : parts) compared.insert(part.values.begin(), part.values.end());
  return compared;
}

// Outputs of the float model, and what they are joined from, for the first `count` samples.
std::vector<NamedTensors> float_outputs(const Model& model, const std::vector<OutputPart>& parts,
                                        const Samples& samples, std::size_t count,
                                        const Engine& engine, const Progress& progress,
                                        KeptOutputs kept) {
  const std::set<std::string> compared = compared_values(model, parts);
  const auto is_whole = [&](const NamedTensors& sample) {
    return std::ranges::all_of(compared,
                               [&](const std::string& name) { return sample.contains(name); });
  };
  std::vector<NamedTensors> outputs;
  if (std::ranges::all_of(kept.samples, is_whole)) outputs = std::move(kept.samples);
  outputs.resize(std::min(count, outputs.size()));
  if (outputs.size() == count) return outputs;
  const RunModel run = engine(model, whole_machine({compared.begin(), compared.end()}));
  for (std::size_t i = outputs.size(); i < count; ++i) {
    if (progress) progress("measuring the float model", i, count);
    outputs.push_back(run_once(run, samples.load(i).inputs));
  }
  return outputs;
}

// Some layers of a plan by themselves. Values of the float network are given one by one, and as soon as all are there that the layers
// read and should give, they run.
class SingleLayers {
 public:
  SingleLayers(const Model& model, const Plan& plan, std::span<const LayerPlan> layers,
               const Engine& engine)
      : names_(names_of(Graph(model), layers)), model_(write_single_layers(model, plan, layers)) {
    for (const auto& [layer, names] : names_) {
      inputs_.insert(names.inputs.begin(), names.inputs.end());
      values_.insert(names.inputs.begin(), names.inputs.end());
      values_.insert(names.result);
      result_of_[names.alone] = names.result;
    }
    EngineOptions options = whole_machine({}, true);
    options.intra_op_threads = std::min(options.intra_op_threads, most_threads_of_a_group);
    run_ = open_for_target(plan.target, model_, engine, options);
  }
  SingleLayers(const SingleLayers&) = delete;  // the session reads weights of model_
  SingleLayers& operator=(const SingleLayers&) = delete;

  void take(const std::string& name, const TensorView& value) {
    if (!values_.contains(name)) return;
    (inputs_.contains(name) ? given_ : wanted_)[name] = copy(value);
    if (given_.size() + wanted_.size() < values_.size()) return;
    run_.run(given_, [&](std::span<const OutputView> results) {
      for (const OutputView& result : results) {
        const std::string alone(result.name);
        const std::string& wanted = result_of_.at(alone);
        add(view(inputs_.contains(wanted) ? given_.at(wanted) : wanted_.at(wanted)), result.tensor,
            sums_[alone]);
      }
    });
    given_.clear();
    wanted_.clear();
    ++samples_;
  }
  [[nodiscard]] std::size_t samples() const { return samples_; }
  void add_sqnr(std::map<LayerId, double>& to) {
    for (const auto& [layer, names] : names_) to[layer] = sums_[names.alone].db();
  }

 private:
  std::map<LayerId, LayerNames> names_;
  Model model_;
  std::set<std::string> inputs_{};
  std::set<std::string> values_{};  // of the float network, that the layers read or should give
  std::map<std::string, std::string> result_of_{};  // output of a single layer -> of the float one
  RunModel run_{};
  NamedTensors given_{};  // of the sample that is on its way, to be read
  NamedTensors wanted_{};
  std::map<std::string, SignalToNoise> sums_{};  // by output of the single layer
  std::size_t samples_ = 0;
};

// All layers but those in bodies, of which the engine shows no value.
std::vector<std::span<const LayerPlan>> groups_of(std::span<const LayerPlan> layers) {
  std::vector<std::span<const LayerPlan>> groups;
  const std::size_t most =
      std::max(layers_at_a_time, (layers.size() + most_groups - 1) / most_groups);
  while (!layers.empty()) {
    const auto end = std::ranges::find(layers, true, &LayerPlan::is_in_body);
    const std::size_t count = std::min(static_cast<std::size_t>(end - layers.begin()), most);
    if (count > 0) groups.push_back(layers.first(count));
    layers = layers.subspan(std::max<std::size_t>(count, 1));
  }
  return groups;
}

// The layers' own errors, and the shapes of what they read and give.
void measure_alone(const Model& model, const Plan& plan, const Samples& samples, std::size_t count,
                   const Engine& engine, const Progress& progress, FloatMeasurement& measured) {
  const auto layers = groups_of(plan.layers);
  if (layers.empty()) return;
  std::set<std::string> values;
  for (const std::span<const LayerPlan> group : layers)
    for (const auto& [layer, names] : names_of(Graph(model), group)) {
      values.insert(names.inputs.begin(), names.inputs.end());
      values.insert(names.result);
    }
  std::vector<std::unique_ptr<SingleLayers>> groups(layers.size());
  RunModel reference;
  // Opening takes as long as some runs, and one thread.
  parallel_for(layers.size() + 1, [&](std::size_t i) {
    if (i > 0) {
      groups[i - 1] = std::make_unique<SingleLayers>(model, plan, layers[i - 1], engine);
      return;
    }
    EngineOptions options = whole_machine({values.begin(), values.end()}, true);
    options.for_few_runs = true;
    reference = engine(model, options);
  });
  for (std::size_t i = 0; i < count; ++i) {
    if (progress) progress("measuring layers", i, count);
    reference.run(samples.load(i).inputs, [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) {
        const std::string name(output.name);
        measured.shapes.try_emplace(name, output.tensor.shape.begin(), output.tensor.shape.end());
        for (const auto& group : groups) group->take(name, output.tensor);
      }
    });
  }
  for (const auto& group : groups) {
    if (group->samples() != count) throw_internal("the engine did not give all values of a layer");
    group->add_sqnr(measured.layer_sqnr_db);
  }
}

}  // namespace

std::set<std::string> compared_values(const Model& model) {
  return compared_values(model, output_parts(model));
}

RunModel open_for_target(const TargetForm& target, const Model& model, const Engine& engine,
                         const EngineOptions& options) {
  // Weights that cannot saturate need no slower kernels.
  return target.guards_16_bits ? engine(model, options)
                               : open_with_exact_sums(engine, model, options);
}

FloatMeasurement measure_layers(const Model& model, const Plan& plan, const Samples& samples,
                                std::size_t count, const Engine& engine, const Progress& progress,
                                KeptOutputs kept) {
  FloatMeasurement measured;
  measured.parts = output_parts(model);
  const std::size_t used = std::min(count, samples.count);
  measured.outputs =
      float_outputs(model, measured.parts, samples, used, engine, progress, std::move(kept));
  measure_alone(model, plan, samples, std::min(used, most_layer_samples), engine, progress,
                measured);
  return measured;
}

namespace {

// Where the quantized model holds a value of the float model: behind its DequantizeLinear, or as it
// was.
std::map<std::string, std::string> readable_values(const Model& quantized,
                                                   const std::vector<OutputPart>& parts) {
  const Graph graph(quantized);
  std::map<std::string, std::string> readable;
  for (const OutputPart& part : parts)
    for (const std::string& value : part.values) {
      const std::string behind = value + "_DequantizeLinear_Output";
      if (graph.producer(behind) != nullptr)
        readable[value] = behind;
      else if (graph.producer(value) != nullptr)
        readable[value] = value;
    }
  return readable;
}

std::string name_of(const OutputPart& part) {
  std::string name = part.output + " <- " + part.values.front();
  if (part.values.size() > 1) name += " and " + std::to_string(part.values.size() - 1) + " like it";
  return name;
}

bool same_largest(const TensorView& a, const TensorView& b) {
  const auto x = a.as<float>();
  const auto y = b.as<float>();
  return std::ranges::max_element(x) - x.begin() == std::ranges::max_element(y) - y.begin();
}

}  // namespace

OutputMeasurement measure_outputs(const Model& quantized, const TargetForm& target,
                                  const FloatMeasurement& reference, const Samples& samples,
                                  std::size_t count, const Engine& engine,
                                  const Progress& progress) {
  const std::vector<Port> ports = quantized.outputs();
  const std::map<std::string, std::string> readable = readable_values(quantized, reference.parts);
  std::map<std::string, std::string> float_names;  // of what the quantized model gives
  std::vector<std::string> given;
  for (const Port& port : ports) {
    float_names[port.name] = port.name;
    given.push_back(port.name);
  }
  for (const auto& [value, name] : readable) {
    float_names[name] = value;
    given.push_back(name);
  }
  const RunModel run = open_for_target(target, quantized, engine, whole_machine(given));

  std::map<std::string, SignalToNoise> energy;  // by value of the float model
  std::size_t agreeing = 0;
  const std::size_t used = std::min(count, reference.outputs.size());
  for (std::size_t i = 0; i < used; ++i) {
    if (progress) progress("measuring the quantized model", i, used);
    const Sample sample = samples.load(i);
    run.run(sample.inputs, [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) {
        const std::string& name = float_names.at(std::string(output.name));
        const auto expected = reference.outputs[i].find(name);
        if (expected == reference.outputs[i].end() || output.tensor.type != ElementType::float32)
          continue;
        add(view(expected->second), output.tensor, energy[name]);
        if (name == ports.front().name && same_largest(view(expected->second), output.tensor))
          ++agreeing;
      }
    });
  }
  OutputMeasurement measured;
  for (const Port& port : ports)
    if (const auto found = energy.find(port.name); found != energy.end()) {
      measured.outputs.push_back({.name = port.name, .sqnr_db = found->second.db()});
      measured.worst_sqnr_db = std::min(measured.worst_sqnr_db, found->second.db());
    }
  for (const OutputPart& part : reference.parts) {
    SignalToNoise whole;
    for (const std::string& value : part.values) whole.add(energy[value]);
    measured.outputs.push_back({.name = name_of(part), .sqnr_db = whole.db()});
  }
  if (used > 0)
    measured.agreement_percent = 100.0 * static_cast<double>(agreeing) / static_cast<double>(used);
  return measured;
}

}  // namespace ocs
