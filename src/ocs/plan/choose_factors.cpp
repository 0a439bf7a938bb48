#include "ocs/plan/choose_factors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "ocs/equalize/factors.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/read_tensor.h"
#include "ocs/plan/dynamic_form.h"
#include "ocs/plan/find_layers.h"
#include "ocs/plan/plan_activations.h"
#include "ocs/plan/regions.h"

namespace ocs {
namespace {

constexpr double largest_factor = 4096.0;
// Other samples may reach further than those of the calibration.
constexpr double room_below_bound = 1.25;

std::size_t index(int number) { return static_cast<std::size_t>(number); }

std::vector<Layer> integer_layers(const Graph& graph, const Recipe& recipe) {
  std::vector<Layer> layers = find_layers(graph, recipe).layers;
  std::erase_if(layers, [&](const Layer& layer) {
    return !quantizes_data(recipe_for(recipe, layer.node, layer.position), layer);
  });
  return layers;
}

// Mean squares of the channels without the share of their means.
std::vector<double> variances(const TensorStats& stats, int axis) {
  const ChannelMoments& moments = stats.moments.at(stats.axis_key(axis));
  std::vector<double> values(static_cast<std::size_t>(moments.channels()));
  for (std::size_t c = 0; c < values.size(); ++c) {
    const auto channel = static_cast<std::int64_t>(c);
    const double mean = moments.mean(channel);
    values[c] = std::max(0.0, moments.second_moment(channel) - mean * mean);
  }
  return values;
}

double sum_of(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum;
}

// A layer with its weights at hand.
struct Weights {
  const ScalableLayer* layer = nullptr;
  Tensor tensor{};
  ChannelMatrix matrix{};
  std::vector<double> energy{};  // of each column: variance of its data, 1 without statistics
  double signal = 0.0;           // variance of its results, all channels together
};

class Chooser {
 public:
  Chooser(const Model& model, const CalibrationStats* stats, const Recipe& recipe,
          const ScalableChannels& channels)
      : graph_(model), stats_(stats), recipe_(recipe), channels_(channels) {
    const std::size_t count = channels.reasons.size();
    problem_.smallest.assign(count, 1.0 / largest_factor);
    problem_.largest.assign(count, largest_factor);
    problem_.importance.assign(count, 0.0);
    load_weights();
    weigh_channels();
    keep_fixed();
    keep_bounded();
    add_weights();
    if (stats != nullptr) add_data();
  }

  ChosenFactors choose() {
    Equalization found = equalize(problem_);
    if (found.noise_after > 0.0)
      notes_.push_back(
          {.text = fmt::format(
               "channels are scaled in {} rounds: the noise of rounding is predicted "
               "to fall by {:.1f} dB",
               found.rounds, 10.0 * std::log10(found.noise_before / found.noise_after))});
    ChosenFactors chosen{.factors = std::move(found.factors), .notes = std::move(notes_)};
    for (std::size_t i = 0; i < values_.size(); ++i)
      chosen.gain_db[values_[i]] = gain_of(problem_.data[i], chosen.factors);
    return chosen;
  }

 private:
  // 10 log10 of the noise of rounding these data over the same with factors; the step is the largest magnitude over the levels.
  [[nodiscard]] double gain_of(const EqualizedData& data,
                               const std::vector<double>& factors) const {
    double range = 0.0;
    double scaled_range = 0.0;
    double noise = 0.0;
    double scaled_noise = 0.0;
    for (std::size_t c = 0; c < data.channels.size(); ++c) {
      const double factor = factors[index(data.channels[c])];
      const double importance = problem_.importance[index(data.channels[c])];
      range = std::max(range, data.magnitudes[c]);
      scaled_range = std::max(scaled_range, factor * data.magnitudes[c]);
      noise += importance;
      scaled_noise += importance / (factor * factor);
    }
    const double before = range * range * noise;
    const double after = scaled_range * scaled_range * scaled_noise;
    return before > 0.0 && after > 0.0 ? 10.0 * std::log10(before / after) : 0.0;
  }

  void load_weights() {
    for (const ScalableLayer& layer : channels_.layers) {
      const onnx::NodeProto& node = *graph_.node_named(layer.node);
      const LinearOp& op = *find_linear_op(node);
      Weights weights{.layer = &layer};
      weights.tensor = read_tensor(graph_, node.input(layer.operand.weight_input));
      weights.matrix = op.view(node, layer.operand, weights.tensor.shape,
                               std::as_const(weights.tensor).as<float>());
      if (stats_ != nullptr) {
        weights.energy = variances(stats_of(*stats_, data_of(node, layer.operand)),
                                   op.data_axis(node, layer.operand));
        weights.signal = sum_of(
            variances(stats_of(*stats_, result_of(node)), op.result_axis(node, layer.operand)));
      } else {
        weights.energy.assign(static_cast<std::size_t>(weights.matrix.columns()), 1.0);
        weights.signal = sum_of(squares(weights.matrix));
      }
      weights_.push_back(std::move(weights));
    }
  }

  // Sums of the squares of the weights of each column.
  static std::vector<double> squares(const ChannelMatrix& matrix) {
    std::vector<double> sums(static_cast<std::size_t>(matrix.columns()), 0.0);
    for_each_weight(matrix, [&](std::int64_t, std::int64_t column, std::size_t at) {
      const auto weight = static_cast<double>(matrix.data[at]);
      sums[static_cast<std::size_t>(column)] += weight * weight;
    });
    return sums;
  }

  // An error in a channel counts as the noise-to-signal that it makes in the results of the layers that
  // read it; where none does, as what it is of its own layer's.
  void weigh_channels() {
    for (const Weights& weights : weights_) {
      if (weights.layer->columns.empty() || weights.signal <= 0.0) continue;
      const std::vector<double> sums = squares(weights.matrix);
      for (std::size_t column = 0; column < sums.size(); ++column)
        problem_.importance[index(weights.layer->columns[column])] += sums[column] / weights.signal;
    }
    std::vector<double> own(problem_.importance.size(), 0.0);
    for (const Weights& weights : weights_)
      for (const int row : weights.layer->rows)
        if (problem_.importance[index(row)] == 0.0 && weights.signal > 0.0)
          own[index(row)] = 1.0 / weights.signal;
    for (std::size_t i = 0; i < own.size(); ++i) problem_.importance[i] += own[i];
  }

  void keep(std::size_t number) { problem_.smallest[number] = problem_.largest[number] = 1.0; }

  void keep_fixed() {
    for (std::size_t i = 0; i < channels_.reasons.size(); ++i)
      if (!channels_.reasons[i].empty()) keep(i);
    if (!recipe_.equalize) return;  // smoothing alone scales no results
    for (const ScalableLayer& layer : channels_.layers) {
      if (layer.rows.empty() || channels_.reasons[index(layer.rows[0])].empty()) continue;
      notes_.push_back(
          {.node = layer.node,
           .text = "its results keep their scale: " + channels_.reasons[index(layer.rows[0])]});
    }
  }

  // Clips: a channel that was cut keeps its scale.
  void keep_bounded() {
    for (const BoundedValue& bounded : channels_.bounds) {
      const ChannelClasses& classes = channels_.values.at(bounded.value);
      std::int64_t kept = 0;
      for (std::size_t c = 0; c < classes.size(); ++c) {
        const std::size_t number = index(classes[c]);
        const auto bound = static_cast<double>(bounded.largest);
        const double seen =
            stats_ == nullptr ? bound : room_below_bound * magnitude(bounded.value, c);
        if (!channels_.reasons[number].empty()) continue;
        if (seen >= bound) {
          keep(number);
          ++kept;
        } else if (seen > 0.0) {
          problem_.largest[number] = std::min(problem_.largest[number], bound / seen);
        }
      }
      if (kept == 0) continue;
      const std::string why =
          stats_ == nullptr ? "without data nobody knows whether they reach" : "they reach";
      notes_.push_back({.node = graph_.producer(bounded.value)->name(),
                        .text = fmt::format("{} of {} channels keep their scale: {} the bound {}",
                                            kept, classes.size(), why, bounded.largest)});
    }
  }

  [[nodiscard]] double magnitude(const std::string& value, std::size_t channel) const {
    const TensorStats& stats = stats_of(*stats_, value);
    return static_cast<double>(stats.moments.at(stats.axis_key(channels_.axes.at(value)))
                                   .max_abs(static_cast<std::int64_t>(channel)));
  }

  void add_weights() {
    std::map<std::string, const Weights*> by_node;
    for (const Weights& weights : weights_) by_node[weights.layer->node] = &weights;
    for (const Layer& layer : find_layers(graph_, recipe_).layers) {
      const auto found = by_node.find(layer.node);
      if (found == by_node.end()) continue;
      const Weights& weights = *found->second;
      const Recipe settings = recipe_for(recipe_, layer.node, layer.position);
      problem_.weights.push_back(
          {.matrix = weights.matrix,
           .rows = weights.layer->rows,
           .columns = weights.layer->columns,
           .input_energy = weights.energy,
           .levels = static_cast<double>((1 << (settings.weight_bits - 1)) - 1),
           .has_row_scales = settings.weight_granularity != Granularity::tensor});
    }
  }

  void add_data() {
    const std::vector<Layer> layers = integer_layers(graph_, recipe_);
    std::map<std::string, int> bits;
    for (const auto& [value, settings] :
         activation_settings(find_regions(graph_, layers, recipe_.act_scope,
                                          target_form(recipe_.target).quantizes_results),
                             layers, recipe_))
      bits[value] = settings.bits;
    for (const Layer& layer : find_layers(graph_, recipe_).layers)
      if (rounds_as_it_runs(recipe_for(recipe_, layer.node, layer.position), layer, graph_))
        bits[layer.data] = 8;
    for (const auto& [value, count] : bits) {
      const auto classes = channels_.values.find(value);
      if (classes == channels_.values.end()) continue;
      const bool has_sign = stats_of(*stats_, value).histogram.min() < 0.0F;
      EqualizedData data{.channels = classes->second,
                         .levels = static_cast<double>((1 << count) - 1) / (has_sign ? 2.0 : 1.0)};
      for (std::size_t c = 0; c < classes->second.size(); ++c)
        data.magnitudes.push_back(magnitude(value, c));
      problem_.data.push_back(std::move(data));
      values_.push_back(value);
    }
  }

  Graph graph_;
  const CalibrationStats* stats_;
  const Recipe& recipe_;
  const ScalableChannels& channels_;
  std::vector<Weights> weights_{};
  EqualizationProblem problem_{};
  std::vector<std::string> values_{};  // of problem_.data
  std::vector<Note> notes_{};
};

}  // namespace

std::vector<TensorRequest> equalization_requests(const Model& model, const Recipe& recipe,
                                                 const ScalableChannels& channels) {
  const Graph graph(model);
  std::map<std::string, TensorRequest> requests;
  const auto ask = [&](const std::string& value, int axis) {
    TensorRequest& request = requests[value];
    request.name = value;
    request.channel_axes.insert(axis);
    request.histogram = false;
  };
  for (const ScalableLayer& layer : channels.layers) {
    const onnx::NodeProto& node = *graph.node_named(layer.node);
    const LinearOp& op = *find_linear_op(node);
    ask(data_of(node, layer.operand), op.data_axis(node, layer.operand));
    ask(result_of(node), op.result_axis(node, layer.operand));
  }
  for (const BoundedValue& bounded : channels.bounds)
    ask(bounded.value, channels.axes.at(bounded.value));
  for (const std::string& value :
       find_regions(graph, integer_layers(graph, recipe), recipe.act_scope,
                    target_form(recipe.target).quantizes_results)
           .quantized)
    if (const auto axis = channels.axes.find(value); axis != channels.axes.end())
      ask(value, axis->second);
  std::vector<TensorRequest> list;
  for (auto& [name, request] : requests) list.push_back(std::move(request));
  return list;
}

ChosenFactors choose_factors(const Model& model, const CalibrationStats* stats,
                             const Recipe& recipe, const ScalableChannels& channels) {
  return Chooser(model, stats, recipe, channels).choose();
}

}  // namespace ocs
