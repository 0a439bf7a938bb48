#include "ocs/calibrate/input_energy.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <Eigen/Core>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/segment.h"
#include "ocs/quant/products.h"

namespace ocs {
namespace {

using Square = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

constexpr std::int64_t most_positions = 512;
// Samples whose rows are held at a time, then added in their order: sums do not depend on threads.
constexpr std::size_t samples_at_once = 8;
constexpr std::int64_t tile = 256;

// One job of an update: a tile of the square of one group.
struct Tile {
  std::size_t request = 0;
  std::int64_t group = 0;
  std::int64_t row = 0;
  std::int64_t column = 0;
};

class Collector {
 public:
  Collector(const EnergySource& source, const std::vector<EnergyRequest>& requests,
            const Engine& engine, const Progress& progress)
      : requests_(requests),
        source_(source),
        progress_(progress),
        drifts_(source.rounded != nullptr) {
    const Samples& samples = source.samples;
    if (samples.count == 0)
      throw_bad_input((samples.source.empty() ? "the data" : samples.source) +
                      ": holds no samples");
    const Graph graph(*source.model);
    std::set<std::string> inner;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const EnergyRequest& request = requests[i];
      const onnx::NodeProto* node = graph.node_named(request.node);
      if (node == nullptr) throw_internal("no node '" + request.node + "'");
      nodes_.push_back(node);
      const std::string data = data_of(*node, request.operand);
      readers_[data].push_back(i);
      if (graph.is_graph_input(data) ||
          std::ranges::find(source.from, data, &Port::name) != source.from.end())
        from_sample_.insert(data);
      else
        inner.insert(data);
      const auto columns = static_cast<std::size_t>(request.weight.groups * request.side());
      const std::size_t squares = columns * static_cast<std::size_t>(request.side());
      InputEnergy& energy = energies_.emplace_back();
      energy.moments.assign(squares, 0.0F);
      means_.emplace_back(columns, 0.0);
      if (drifts_) {
        energy.drift.assign(squares, 0.0F);
        energy.mean_drift.assign(columns, 0.0);
      }
      for (std::int64_t group = 0; group < request.weight.groups; ++group)
        for (std::int64_t row = 0; row < request.side(); row += tile)
          for (std::int64_t column = 0; column < request.side() && (drifts_ || column <= row);
               column += tile)
            tiles_.push_back({.request = i, .group = group, .row = row, .column = column});
    }
    if (inner.empty()) return;
    const std::vector<std::string> outputs(inner.begin(), inner.end());
    const EngineOptions options{.intra_op_threads = 1, .borrow_weights = true};
    part_ = segment(*source.model, source.from, outputs);
    model_ = engine(part_, options);
    if (!drifts_) return;
    rounded_part_ = segment(*source.rounded, source.from, outputs);
    rounded_ = engine(rounded_part_, options);
  }

  std::vector<InputEnergy> collect() {
    const std::size_t total = source_.samples.count;
    for (std::size_t begin = 0; begin < total; begin += samples_at_once) {
      const std::size_t count = std::min(samples_at_once, total - begin);
      rows_.assign(count, RowsOfASample(requests_.size()));
      drift_rows_.assign(drifts_ ? count : 0, RowsOfASample(requests_.size()));
      parallel_for(count, [&](std::size_t i) { load(begin + i, i); });
      parallel_for(tiles_.size(), [&](std::size_t i) { add(tiles_[i]); });
      parallel_for(requests_.size(), [&](std::size_t i) { add_means(i); });
      if (progress_) progress_("second moments of the inputs", begin + count, total);
    }
    parallel_for(requests_.size(), [&](std::size_t i) { finish(i); });
    return std::move(energies_);
  }

 private:
  using RowsOfASample = std::vector<std::vector<Patches>>;  // by request and group

  // The rows of all requests in one run of `model`.
  void load_from(const RunModel& model, const Sample& sample, std::size_t number,
                 RowsOfASample& rows) const {
    const auto take = [&](const std::string& name, const TensorView& data) {
      while_doing("tensor '" + name + "'", [&] {
        for (const std::size_t i : readers_.at(name)) {
          const EnergyRequest& request = requests_[i];
          rows[i] = request.op->patches(*nodes_[i], request.operand, request.weight, data,
                                        {.most = most_positions, .turn = number});
        }
      });
    };
    const auto receive = [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) take(std::string(output.name), output.tensor);
    };
    if (model.run) model.run(sample.inputs, receive);
    for (const std::string& name : from_sample_) {
      const auto found = sample.inputs.find(name);
      if (found == sample.inputs.end()) throw_bad_input("has no input '" + name + "'");
      take(name, view(found->second));
    }
  }

  void load(std::size_t number, std::size_t place) {
    const Sample sample = source_.samples.load(number);
    while_doing("sample '" + sample.name + "'", [&] {
      if (!drifts_) {
        load_from(model_, sample, number, rows_[place]);
        return;
      }
      load_from(rounded_, source_.rounded_samples ? source_.rounded_samples->load(number) : sample,
                number, rows_[place]);
      RowsOfASample& drift = drift_rows_[place];
      load_from(model_, sample, number, drift);
      for (std::size_t i = 0; i < drift.size(); ++i)
        for (std::size_t group = 0; group < drift[i].size(); ++group)
          std::ranges::transform(drift[i][group].values, rows_[place][i][group].values,
                                 drift[i][group].values.begin(), std::minus<>());
    });
  }

  void add(const Tile& at) {
    const std::int64_t side = requests_[at.request].side();
    const std::int64_t height = std::min(tile, side - at.row);
    const std::int64_t width = std::min(tile, side - at.column);
    InputEnergy& energy = energies_[at.request];
    const auto group = static_cast<std::size_t>(at.group);
    const auto columns_of = [side](const Patches& rows, std::int64_t first, std::int64_t count) {
      return products::Columns{.values = rows.values.data() + first,
                               .width = static_cast<std::size_t>(count),
                               .stride = static_cast<std::size_t>(side)};
    };
    const auto add_product = [&](std::vector<float>& sums, const Patches& left,
                                 const Patches& right) {
      products::add_product(columns_of(left, at.row, height), columns_of(right, at.column, width),
                            static_cast<std::size_t>(right.rows),
                            sums.data() + (at.group * side + at.row) * side + at.column,
                            static_cast<std::size_t>(side));
    };
    for (std::size_t sample = 0; sample < rows_.size(); ++sample) {
      const Patches& y = rows_[sample][at.request][group];
      if (at.column <= at.row) add_product(energy.moments, y, y);
      if (drifts_) add_product(energy.drift, drift_rows_[sample][at.request][group], y);
    }
  }

  static void add_columns(const std::vector<Patches>& groups, std::size_t side,
                          std::vector<double>& sums) {
    for (std::size_t group = 0; group < groups.size(); ++group) {
      const std::vector<float>& values = groups[group].values;
      double* sum = sums.data() + group * side;
      for (std::size_t row = 0; row < values.size(); row += side)
        for (std::size_t at = 0; at < side; ++at) sum[at] += static_cast<double>(values[row + at]);
    }
  }

  void add_means(std::size_t request) {
    const auto side = static_cast<std::size_t>(requests_[request].side());
    for (const RowsOfASample& sample : rows_) {
      positions_[request] += sample[request].front().rows;
      add_columns(sample[request], side, means_[request]);
    }
    for (const RowsOfASample& sample : drift_rows_)
      add_columns(sample[request], side, energies_[request].mean_drift);
  }

  // Means from sums, the other half of the moments, and both squares about the means where asked:
  //   sum of (x - y - mean) (y - mean)^T = sum of (x - y) y^T - count * mean(x - y) mean(y)^T
  void finish(std::size_t request) {
    InputEnergy& energy = energies_[request];
    const auto count = static_cast<double>(std::max<std::int64_t>(positions_[request], 1));
    for (double& mean : means_[request]) mean /= count;
    for (double& mean : energy.mean_drift) mean /= count;
    const Eigen::Index side = requests_[request].side();
    for (Eigen::Index group = 0; group < requests_[request].weight.groups; ++group) {
      const Eigen::Map<const Eigen::VectorXd> mean(means_[request].data() + group * side, side);
      Square moments(energy.moments.data() + group * side * side, side, side);
      const auto centre = [&](Square& square, Eigen::Index row, double mean_of_row) {
        square.row(row) -= (count * mean_of_row * mean.transpose()).cast<float>();
      };
      for (Eigen::Index row = 0; row < side; ++row) {
        moments.row(row).tail(side - row - 1) = moments.col(row).tail(side - row - 1).transpose();
        if (!requests_[request].centred) continue;
        centre(moments, row, mean[row]);
        if (!drifts_) continue;
        Square drift(energy.drift.data() + group * side * side, side, side);
        centre(drift, row, energy.mean_drift[static_cast<std::size_t>(group * side + row)]);
      }
    }
  }

  const std::vector<EnergyRequest>& requests_;
  const EnergySource& source_;
  const Progress& progress_;
  bool drifts_ = false;  // y comes from a model of its own
  Model part_{};         // of the model: as far as the requests need it
  Model rounded_part_{};
  RunModel model_{};
  RunModel rounded_{};
  std::vector<const onnx::NodeProto*> nodes_{};
  std::map<std::string, std::vector<std::size_t>> readers_{};  // of each value: requests
  std::set<std::string> from_sample_{};                        // values that are graph inputs
  std::vector<Tile> tiles_{};
  std::vector<InputEnergy> energies_{};
  std::vector<std::vector<double>> means_{};  // of y: sums of the columns, at last means
  std::vector<std::int64_t> positions_ = std::vector<std::int64_t>(requests_.size(), 0);
  std::vector<RowsOfASample> rows_{};        // y of the samples at hand
  std::vector<RowsOfASample> drift_rows_{};  // x - y
};

}  // namespace

std::int64_t working_bytes(const EnergyRequest& request) {
  const std::int64_t columns = request.weight.groups * request.side();
  const auto rows = static_cast<std::int64_t>(samples_at_once) * most_positions;
  return static_cast<std::int64_t>(sizeof(float)) * columns * (request.side() + rows);
}

std::vector<InputEnergy> collect_input_energies(const EnergySource& source,
                                                const std::vector<EnergyRequest>& requests,
                                                const Engine& engine, const Progress& progress) {
  return Collector(source, requests, engine, progress).collect();
}

}  // namespace ocs
