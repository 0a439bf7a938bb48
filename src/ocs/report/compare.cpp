#include "ocs/report/compare.h"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/report/cosine.h"
#include "ocs/report/match_values.h"
#include "ocs/report/signal_to_noise.h"

namespace ocs {
namespace {

// What one sample says; added up in sample order.
struct OutputSums {
  SignalToNoise noise{};
  CosineSimilarity cosine{};

  void add(const OutputSums& other) {
    noise.add(other.noise);
    cosine.add(other.cosine);
  }
};
struct Sums {
  std::vector<OutputSums> outputs{};
  std::vector<SignalToNoise> layers{};
  SameTopOne agreement{};
};

struct Sessions {
  RunModel reference{};
  RunModel quantized{};
  RunModel inside{};  // the quantized model with inner values exposed; not opened where no layer is
                      // looked at
};

struct ReferenceValue {
  Shape shape{};
  std::vector<float> values{};
};
using ReferenceValues = std::map<std::string, ReferenceValue, std::less<>>;

// One thread a run: samples run side by side. Gives the model's outputs and the inner values.
EngineOptions session_options(const Model& model, const std::vector<MatchedValue>& matches,
                              std::string MatchedValue::*name) {
  EngineOptions options{.borrow_weights = true};
  for (const auto& output : model.graph().output()) options.outputs.push_back(output.name());
  for (const MatchedValue& match : matches) options.outputs.push_back(match.*name);
  return options;
}

Sessions open(const Model& reference, const Model& quantized,
              const std::vector<MatchedValue>& matches, const Engine& engine) {
  Sessions sessions;
  sessions.quantized = engine(quantized, session_options(quantized, {}, &MatchedValue::quantized));
  sessions.reference =
      engine(reference, session_options(reference, matches, &MatchedValue::reference));
  if (!matches.empty())
    sessions.inside =
        engine(quantized, session_options(quantized, matches, &MatchedValue::quantized));
  return sessions;
}

ReferenceValues run_reference(const RunModel& model, const NamedTensors& inputs) {
  ReferenceValues values;
  model.run(inputs, [&](std::span<const OutputView> views) {
    for (const OutputView& view : views) {
      ReferenceValue& value = values[std::string(view.name)];
      value.shape.assign(view.tensor.shape.begin(), view.tensor.shape.end());
      value.values = to_floats(view.tensor);
    }
  });
  return values;
}

SignalToNoise difference(const ReferenceValues& reference, std::string_view name,
                         const OutputView& view) {
  SignalToNoise sum;
  if (const auto found = reference.find(name); found != reference.end()) {
    sum.add(found->second.values, to_floats(view.tensor));
  } else {
    sum.comparable = false;  // an optional output that only one of the two gave
  }
  return sum;
}

// An output that only one of the two models gave has no cosine either.
OutputSums output_difference(const ReferenceValues& reference, const OutputView& view) {
  OutputSums sums{.noise = difference(reference, view.name, view)};
  const auto found = reference.find(view.name);
  sums.cosine.add(found == reference.end()
                      ? std::numeric_limits<double>::quiet_NaN()
                      : cosine_similarity(found->second.values, to_floats(view.tensor)));
  return sums;
}

Sums compare_sample(const Sessions& sessions, const std::vector<Port>& outputs,
                    const std::vector<MatchedValue>& matches, const NamedTensors& inputs) {
  Sums sums{
      .outputs = std::vector<OutputSums>(
          outputs.size(), {.noise = {.comparable = false}, .cosine = {.comparable = false}}),
      .layers = std::vector<SignalToNoise>(matches.size(), SignalToNoise{.comparable = false})};
  const ReferenceValues reference = run_reference(sessions.reference, inputs);
  sessions.quantized.run(inputs, [&](std::span<const OutputView> views) {
    for (const OutputView& view : views) {
      const auto port = std::ranges::find(outputs, view.name, &Port::name);
      if (port == outputs.end()) continue;
      sums.outputs[static_cast<std::size_t>(port - outputs.begin())] =
          output_difference(reference, view);
      if (port == outputs.begin() && reference.contains(view.name)) {
        const ReferenceValue& first = reference.find(view.name)->second;
        sums.agreement.add(first.shape, first.values, to_floats(view.tensor));
      }
    }
  });
  if (matches.empty()) return sums;
  sessions.inside.run(inputs, [&](std::span<const OutputView> views) {
    for (std::size_t i = 0; i < matches.size(); ++i) {
      const auto view = std::ranges::find(views, matches[i].quantized, &OutputView::name);
      if (view != views.end()) sums.layers[i] = difference(reference, matches[i].reference, *view);
    }
  });
  return sums;
}

// Names that one model has and the other lacks would surface as errors of single samples.
void check_ports(const Model& model, const std::vector<Port>& ports, const Model& other,
                 const std::vector<Port>& others, std::string_view kind) {
  for (const Port& port : ports) {
    if (std::ranges::find(others, port.name, &Port::name) != others.end()) continue;
    throw_bad_input(fmt::format("{}: has no {} '{}' as {} has", other.file().string(), kind,
                                port.name, model.file().string()));
  }
}

void check_alike(const Model& reference, const Model& quantized) {
  check_ports(reference, reference.inputs(), quantized, quantized.inputs(), "input");
  check_ports(quantized, quantized.inputs(), reference, reference.inputs(), "input");
  check_ports(reference, reference.outputs(), quantized, quantized.outputs(), "output");
}

}  // namespace

Comparison compare(const Model& reference, const Model& quantized, const Samples& samples,
                   const Engine& engine, const CompareOptions& options) {
  const std::vector<Port> outputs = reference.outputs();
  check_alike(reference, quantized);
  const std::size_t count =
      options.count == 0 ? samples.count : std::min(options.count, samples.count);
  if (count == 0) throw_bad_input(samples.source + ": holds no sample");
  const std::vector<MatchedValue> matches = match_values(reference, quantized, options.nodes);
  const Sessions sessions = open(reference, quantized, matches, engine);

  std::vector<Sums> sums(count);
  std::mutex mutex;
  std::size_t done = 0;
  parallel_for(count, [&](std::size_t i) {
    const Sample sample = samples.load(i);
    sums[i] = while_doing(
        sample.name, [&] { return compare_sample(sessions, outputs, matches, sample.inputs); });
    if (!options.progress) return;
    const std::lock_guard lock(mutex);
    options.progress("compare", ++done, count);
  });

  Sums total{.outputs = std::vector<OutputSums>(outputs.size()),
             .layers = std::vector<SignalToNoise>(matches.size())};
  for (const Sums& part : sums) {
    for (std::size_t i = 0; i < outputs.size(); ++i) total.outputs[i].add(part.outputs[i]);
    for (std::size_t i = 0; i < matches.size(); ++i) total.layers[i].add(part.layers[i]);
    total.agreement.add(part.agreement);
  }
  Comparison result{.samples = count, .agreement = total.agreement.percent()};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    result.outputs.push_back({.name = outputs[i].name,
                              .sqnr_db = total.outputs[i].noise.db(),
                              .mean_cosine = total.outputs[i].cosine.mean(),
                              .min_cosine = total.outputs[i].cosine.minimum()});
  }
  for (std::size_t i = 0; i < matches.size(); ++i) {
    result.layers.push_back({.node = matches[i].node, .sqnr_db = total.layers[i].db()});
  }
  return result;
}

}  // namespace ocs
