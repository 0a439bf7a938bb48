#include "ocs/plan/copy_prices.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "ocs/ops/window.h"
#include "ocs/plan/split_form.h"
#include "ocs/plan/weight_problem.h"

namespace ocs {
namespace {

constexpr double not_for_sale = std::numeric_limits<double>::infinity();

ChannelMatrix matrix_of(const WeightProblem& problem) {
  const Layer& layer = *problem.layer;
  return layer.op->view(*problem.node, layer.operand, problem.weight.shape, {});
}

// Places of the result of one item, at each of which every weight is used once; none where nobody knows.
std::optional<double> positions_of(const WeightProblem& problem, const ChannelMatrix& weight) {
  if (problem.data == nullptr || problem.data->shape.empty()) return std::nullopt;
  const Shape& shape = problem.data->shape;
  double positions = 1.0;
  if (problem.node->op_type() == "Conv") {
    for (const WindowAxis& axis : window_axes(*problem.node, shape))
      positions *= static_cast<double>(axis.outputs());
    return std::max(positions, 1.0);
  }
  for (const std::int64_t extent : shape)
    if (extent > 0) positions *= static_cast<double>(extent);
  return std::max(positions / static_cast<double>(weight.columns()), 1.0);
}

double weights_of(const WeightProblem& problem) {
  return static_cast<double>(matrix_of(problem).size());
}

// The weight W of the node whose hidden side this is; null for all others.
const WeightProblem* input_side(const std::vector<WeightProblem>& problems,
                                const WeightProblem& hidden) {
  if (!hidden.layer->operand.is_hidden()) return nullptr;
  for (const WeightProblem& problem : problems)
    if (problem.layer->node == hidden.layer->node && !problem.layer->operand.is_hidden())
      return &problem;
  return nullptr;
}

// Each weight with its own price; one more channel is as dear as the channels that are there.
CopyPrices prices_of_weights(const std::vector<WeightProblem>& problems,
                             const std::function<double(const WeightProblem&)>& price_of_weight) {
  CopyPrices prices;
  for (const WeightProblem& problem : problems) {
    const WeightProblem* inputs = input_side(problems, problem);
    const double each = price_of_weight(inputs == nullptr ? problem : *inputs);
    prices.total += weights_of(problem) * each;
    // A hidden unit that is copied has rows of its own in both weights, besides its column.
    const double grown =
        inputs == nullptr ? weights_of(problem) : 2.0 * weights_of(problem) + weights_of(*inputs);
    const double one = grown * each / static_cast<double>(matrix_of(problem).columns());
    prices.of.emplace_back(
        [one](std::int64_t copies) { return one * static_cast<double>(copies); });
  }
  return prices;
}

Kernel kernel_of(const WeightProblem& problem, const ChannelMatrix& weight) {
  if (problem.node->op_type() != "Conv") return Kernel::matmul;
  if (weight.groups > 1 && weight.inputs == 1) return Kernel::depthwise;
  return weight.taps == 1 ? Kernel::pointwise : Kernel::spatial;
}

// What one layer computes for one item.
struct Work {
  KernelWork kernel{};
  double values = 0.0;  // numbers of its data, for each channel
};

std::optional<Work> work_of(const WeightProblem& problem) {
  const ChannelMatrix weight = matrix_of(problem);
  const std::optional<double> positions = positions_of(problem, weight);
  if (!positions || problem.layer->op->is_recurrent) return std::nullopt;
  const Kernel kernel = kernel_of(problem, weight);
  double values = 1.0;
  for (const std::int64_t extent : problem.data->shape)
    if (extent > 0) values *= static_cast<double>(extent);
  return Work{.kernel = {.kernel = kernel,
                         .inputs = static_cast<double>(weight.inputs),
                         .outputs = static_cast<double>(weight.rows()),
                         .taps = static_cast<double>(weight.taps),
                         .positions = *positions},
              .values = values / static_cast<double>(weight.columns())};
}

// Time of copies in each form that the graph allows.
class TimePrices {
 public:
  TimePrices(const Graph& graph, const std::vector<WeightProblem>& problems, const CostTable& costs)
      : costs_(costs) {
    std::vector<Layer> layers;
    for (const WeightProblem& problem : problems) layers.push_back(*problem.layer);
    const std::map<LayerId, CopyPath> paths = copy_paths(graph, layers);
    std::map<LayerId, std::size_t> places;
    for (std::size_t i = 0; i < problems.size(); ++i) {
      works_.push_back(work_of(problems[i]));
      places[problems[i].layer->id()] = i;
    }
    paths_.resize(problems.size());
    for (std::size_t i = 0; i < problems.size(); ++i)
      if (const auto path = paths.find(problems[i].layer->id()); path != paths.end())
        for (const LayerId& layer : path->second.grown) paths_[i].push_back(places.at(layer));
  }

  [[nodiscard]] double plain(std::size_t i) const {
    return works_[i] ? predicted_ns(costs_, works_[i]->kernel) : 0.0;
  }

  struct Priced {
    SplitForm form = SplitForm::automatic;
    double ns = not_for_sale;
  };
  [[nodiscard]] Priced cheapest(std::size_t i, std::int64_t copies) const {
    if (copies == 0) return {.ns = 0.0};
    if (!works_[i]) return {};
    const auto count = static_cast<double>(copies);
    const Work& work = *works_[i];
    const double own = more(work.kernel, count, 0.0);
    const double wider = (work.kernel.inputs + count) * work.values;
    Priced best{.form = SplitForm::gather, .ns = own + predicted_ns(costs_, Move::gather, wider)};
    const auto offer = [&](SplitForm form, double ns) {
      if (ns < best.ns) best = {.form = form, .ns = ns};
    };
    if (paths_[i].empty()) return best;
    offer(SplitForm::slice, own + predicted_ns(costs_, Move::slice, wider));
    double folded = own;
    for (const std::size_t grown : paths_[i]) {
      if (!works_[grown]) return best;
      folded += more(works_[grown]->kernel, 0.0, count);
    }
    offer(SplitForm::fold, std::max(0.0, folded));  // filling a tile can make a layer faster
    return best;
  }

 private:
  // What a kernel takes longer with more channels.
  [[nodiscard]] double more(KernelWork work, double inputs, double outputs) const {
    const double before = predicted_ns(costs_, work);
    work.inputs += inputs;
    work.outputs += outputs;
    return predicted_ns(costs_, work) - before;
  }

  CostTable costs_;
  std::vector<std::optional<Work>> works_{};
  std::vector<std::vector<std::size_t>> paths_{};  // layers that grow with this one when folded
};

}  // namespace

CopyPrices mac_prices(const std::vector<WeightProblem>& problems) {
  return prices_of_weights(problems, [](const WeightProblem& problem) {
    return positions_of(problem, matrix_of(problem)).value_or(1.0);
  });
}

CopyPrices byte_prices(const std::vector<WeightProblem>& problems) {
  return prices_of_weights(problems, [](const WeightProblem& problem) {
    return static_cast<double>(storage_bits(problem, matrix_of(problem))) / 8.0;
  });
}

CopyPrices time_prices(const Graph& graph, const std::vector<WeightProblem>& problems,
                       const CostTable& costs) {
  const auto times = std::make_shared<TimePrices>(graph, problems, costs);
  CopyPrices prices;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    prices.total += times->plain(i);
    prices.of.emplace_back(
        [times, i](std::int64_t copies) { return times->cheapest(i, copies).ns; });
  }
  return prices;
}

std::vector<SplitForm> cheapest_forms(const Graph& graph,
                                      const std::vector<WeightProblem>& problems,
                                      const std::vector<std::int64_t>& copies,
                                      const CostTable& costs) {
  const TimePrices times(graph, problems, costs);
  std::vector<SplitForm> forms;
  for (std::size_t i = 0; i < problems.size(); ++i)
    forms.push_back(times.cheapest(i, copies[i]).form);
  return forms;
}

}  // namespace ocs
