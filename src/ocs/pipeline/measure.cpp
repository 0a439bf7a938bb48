#include "ocs/pipeline/measure.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/export/qdq.h"
#include "ocs/graph/expose.h"
#include "ocs/graph/graph.h"
#include "ocs/pipeline/output_parts.h"

namespace ocs {
namespace {

// A layer's own error settles quickly: it is an average over all positions of a map.
constexpr std::size_t most_layer_samples = 4;

struct Energy {
  double signal = 0.0;
  double noise = 0.0;

  void add(const TensorView& reference, const TensorView& approximation) {
    const auto real = reference.as<float>();
    const auto other = approximation.as<float>();
    if (real.size() != other.size())
      throw_internal("outputs of the float and the quantized model differ in shape");
    for (std::size_t i = 0; i < real.size(); ++i) {
      const double value = static_cast<double>(real[i]);
      const double error = value - static_cast<double>(other[i]);
      signal += value * value;
      noise += error * error;
    }
  }
  [[nodiscard]] double sqnr_db() const {
    if (noise == 0.0) return std::numeric_limits<double>::infinity();
    return 10.0 * std::log10(signal / noise);
  }
};

EngineOptions one_run_at_a_time() { return {.intra_op_threads = static_cast<int>(thread_count())}; }

struct LayerNames {
  std::string data{};
  std::string result{};
};

std::map<std::string, LayerNames> names_of(const Model& model, const Plan& plan) {
  const Graph graph(model);
  std::map<std::string, LayerNames> names;
  for (const LayerPlan& layer : plan.layers) {
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    names[layer.node] = {.data = node.input(layer.operand.data_input), .result = node.output(0)};
  }
  return names;
}

}  // namespace

FloatMeasurement measure_layers(Model& model, const Plan& plan, const Samples& samples,
                                std::size_t count, const Engine& engine, const Progress& progress) {
  const std::map<std::string, LayerNames> names = names_of(model, plan);
  std::set<std::string> inner;
  for (const auto& [node, values] : names) inner.insert({values.data, values.result});
  FloatMeasurement measured;
  measured.parts = output_parts(model);
  std::set<std::string> compared;  // outputs and what they are joined from
  for (const Port& output : model.outputs()) compared.insert(output.name);
  for (const OutputPart& part : measured.parts)
    compared.insert(part.values.begin(), part.values.end());
  inner.insert(compared.begin(), compared.end());

  const int own_outputs = model.graph().output_size();
  model = expose(std::move(model), {inner.begin(), inner.end()});
  const RunModel reference = engine(model, one_run_at_a_time());
  model.graph().mutable_output()->DeleteSubrange(own_outputs,
                                                 model.graph().output_size() - own_outputs);
  const RunModel single = engine(write_single_layers(model, plan), one_run_at_a_time());
  std::map<std::string, std::string>
      names_alone;  // output of the single layer -> value of the model
  for (const auto& [node, layer] : names)
    names_alone[single_layer_result(layer.result)] = layer.result;
  std::map<std::string, Energy> energy;  // by output of the single layer
  const std::size_t used = std::min(count, samples.count);
  for (std::size_t i = 0; i < used; ++i) {
    if (progress) progress("measuring layers", i, used);
    const Sample sample = samples.load(i);
    reference.run(sample.inputs, [&](std::span<const OutputView> outputs) {
      std::map<std::string_view, TensorView> values;
      for (const OutputView& output : outputs) values[output.name] = output.tensor;
      NamedTensors kept;
      for (const std::string& name : compared)
        if (const auto found = values.find(name); found != values.end())
          kept[name] = copy(found->second);
      measured.outputs.push_back(std::move(kept));
      if (i == 0)
        for (const auto& [node, layer] : names) {
          const auto shape = values.at(layer.result).shape;
          measured.result_shapes[node] = Shape(shape.begin(), shape.end());
        }
      if (i >= most_layer_samples) return;
      NamedTensors inputs;
      for (const auto& [node, layer] : names) {
        if (inputs.contains(layer.data)) continue;
        const auto inner_value = values.find(layer.data);
        inputs[layer.data] =
            inner_value != values.end() ? copy(inner_value->second) : sample.inputs.at(layer.data);
      }
      single.run(inputs, [&](std::span<const OutputView> results) {
        for (const OutputView& result : results)
          energy[std::string(result.name)].add(values.at(names_alone.at(std::string(result.name))),
                                               result.tensor);
      });
    });
  }
  for (const auto& [node, layer] : names)
    measured.layer_sqnr_db[node] = energy[single_layer_result(layer.result)].sqnr_db();
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

OutputMeasurement measure_outputs(Model& quantized, const FloatMeasurement& reference,
                                  const Samples& samples, std::size_t most, const Engine& engine,
                                  const Progress& progress) {
  const std::vector<Port> ports = quantized.outputs();
  const std::map<std::string, std::string> readable = readable_values(quantized, reference.parts);
  std::map<std::string, std::string> float_names;  // of what the quantized model gives
  std::vector<std::string> exposed;
  for (const auto& [value, name] : readable) {
    float_names[name] = value;
    exposed.push_back(name);
  }
  for (const Port& port : ports) float_names[port.name] = port.name;

  const int own_outputs = quantized.graph().output_size();
  quantized = expose(std::move(quantized), exposed);
  const RunModel run = engine(quantized, one_run_at_a_time());
  quantized.graph().mutable_output()->DeleteSubrange(own_outputs,
                                                     quantized.graph().output_size() - own_outputs);

  std::map<std::string, Energy> energy;  // by value of the float model
  std::size_t agreeing = 0;
  const std::size_t count = std::min(most, reference.outputs.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (progress) progress("measuring the quantized model", i, count);
    const Sample sample = samples.load(i);
    run.run(sample.inputs, [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) {
        const std::string& name = float_names.at(std::string(output.name));
        const auto expected = reference.outputs[i].find(name);
        if (expected == reference.outputs[i].end() || output.tensor.type != ElementType::float32)
          continue;
        energy[name].add(view(expected->second), output.tensor);
        if (name == ports.front().name && same_largest(view(expected->second), output.tensor))
          ++agreeing;
      }
    });
  }
  OutputMeasurement measured;
  for (const Port& port : ports)
    if (const auto found = energy.find(port.name); found != energy.end())
      measured.outputs.push_back({.name = port.name, .sqnr_db = found->second.sqnr_db()});
  for (const OutputPart& part : reference.parts) {
    Energy whole;
    for (const std::string& value : part.values) {
      whole.signal += energy[value].signal;
      whole.noise += energy[value].noise;
    }
    measured.outputs.push_back({.name = name_of(part), .sqnr_db = whole.sqnr_db()});
  }
  if (count > 0)
    measured.agreement_percent = 100.0 * static_cast<double>(agreeing) / static_cast<double>(count);
  return measured;
}

}  // namespace ocs
