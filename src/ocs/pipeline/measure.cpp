#include "ocs/pipeline/measure.h"

#include <algorithm>
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

// One run at a time, with all threads.
EngineOptions whole_machine(std::vector<std::string> outputs = {}, bool one_by_one = false) {
  return {.intra_op_threads = static_cast<int>(thread_count()),
          .outputs = std::move(outputs),
          .one_by_one = one_by_one,
          .borrow_weights = true};
}

// Layers are looked at in groups of so many: the values that they read and give are all in memory at
// once.
constexpr std::size_t layers_at_a_time = 30;

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

// The layers' own errors, and the shapes of their results.
void measure_group(const Model& model, const Plan& plan, std::span<const LayerPlan> layers,
                   const Samples& samples, std::size_t count, const Engine& engine,
                   FloatMeasurement& measured) {
  const std::map<LayerId, LayerNames> names = names_of(Graph(model), layers);
  std::set<std::string> inner;
  for (const auto& [layer, values] : names) {
    inner.insert(values.inputs.begin(), values.inputs.end());
    inner.insert(values.result);
  }
  Model layers_alone;
  RunModel reference;
  RunModel single;
  // Opening takes as long as some runs, and one thread.
  parallel_for(2, [&](std::size_t which) {
    if (which == 0) {
      reference = engine(model, whole_machine({inner.begin(), inner.end()}, true));
    } else {
      layers_alone = write_single_layers(model, plan, layers);
      single = open_for_target(plan.target, layers_alone, engine, whole_machine({}, true));
    }
  });
  std::map<std::string, std::string> names_alone;  // output of the single layer -> value
  std::set<std::string> inputs_alone;
  for (const auto& [layer, values] : names) {
    names_alone[values.alone] = values.result;
    inputs_alone.insert(values.inputs.begin(), values.inputs.end());
  }
  std::map<std::string, SignalToNoise> energy;  // by output of the single layer
  for (std::size_t i = 0; i < count; ++i) {
    const Sample sample = samples.load(i);
    NamedTensors inputs;
    NamedTensors others;  // results that no layer of the group reads
    reference.run(sample.inputs, [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) {
        const std::string name(output.name);
        NamedTensors& to = inputs_alone.contains(name) ? inputs : others;
        const Tensor& value = to[name] = copy(output.tensor);
        if (i == 0) measured.shapes[name] = value.shape;
      }
    });
    single.run(inputs, [&](std::span<const OutputView> results) {
      for (const OutputView& result : results) {
        const std::string& value = names_alone.at(std::string(result.name));
        const auto found = inputs.find(value);
        add(view(found != inputs.end() ? found->second : others.at(value)), result.tensor,
            energy[std::string(result.name)]);
      }
    });
  }
  for (const auto& [layer, values] : names)
    measured.layer_sqnr_db[layer] = energy[values.alone].db();
}

// The first layers of `layers`, up to one in a body: of these the engine shows no value.
std::span<const LayerPlan> group_at(std::span<const LayerPlan> layers) {
  const auto end = std::ranges::find(layers, true, &LayerPlan::is_in_body);
  const auto count = static_cast<std::size_t>(end - layers.begin());
  return layers.first(std::min(count, layers_at_a_time));
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
  const std::span<const LayerPlan> layers(plan.layers);
  for (std::size_t first = 0; first < layers.size();) {
    if (progress) progress("measuring layers", first, layers.size());
    const auto group = group_at(layers.subspan(first));
    if (!group.empty())
      measure_group(model, plan, group, samples, std::min(used, most_layer_samples), engine,
                    measured);
    first += std::max<std::size_t>(group.size(), 1);
  }
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
