#include "ocs/calibrate/input_energy.h"

#include <algorithm>
#include <map>
#include <set>

#include <Eigen/Core>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/graph.h"

namespace ocs {
namespace {

using Square = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using Rows =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

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
  Collector(const Model& model, const std::vector<EnergyRequest>& requests, const Samples& samples,
            const Engine& engine, const Progress& progress)
      : requests_(requests), samples_(samples), progress_(progress) {
    if (samples.count == 0)
      throw_bad_input((samples.source.empty() ? "the data" : samples.source) +
                      ": holds no samples");
    const Graph graph(model);
    std::set<std::string> inner;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const EnergyRequest& request = requests[i];
      const onnx::NodeProto* node = graph.node_named(request.node);
      if (node == nullptr) throw_internal("no node '" + request.node + "'");
      nodes_.push_back(node);
      const std::string data = data_of(*node, request.operand);
      readers_[data].push_back(i);
      const auto& inputs = model.graph().input();
      if (std::ranges::any_of(inputs, [&](const auto& input) { return input.name() == data; }))
        from_sample_.insert(data);
      else
        inner.insert(data);
      energies_.emplace_back(
          static_cast<std::size_t>(request.weight.groups * request.side() * request.side()), 0.0F);
      for (std::int64_t group = 0; group < request.weight.groups; ++group)
        for (std::int64_t row = 0; row < request.side(); row += tile)
          for (std::int64_t column = 0; column <= row; column += tile)
            tiles_.push_back({.request = i, .group = group, .row = row, .column = column});
    }
    if (!inner.empty())
      model_ = engine(
          model,
          {.intra_op_threads = 1, .outputs = {inner.begin(), inner.end()}, .borrow_weights = true});
  }

  std::vector<std::vector<float>> collect() {
    for (std::size_t begin = 0; begin < samples_.count; begin += samples_at_once) {
      const std::size_t count = std::min(samples_at_once, samples_.count - begin);
      rows_.assign(count, std::vector<std::vector<Patches>>(requests_.size()));
      parallel_for(count, [&](std::size_t i) { load(begin + i, rows_[i]); });
      parallel_for(tiles_.size(), [&](std::size_t i) { add(tiles_[i]); });
      if (progress_) progress_("second moments of the inputs", begin + count, samples_.count);
    }
    return std::move(energies_);
  }

 private:
  // The rows of all requests in one sample.
  void load(std::size_t number, std::vector<std::vector<Patches>>& rows) {
    const Sample sample = samples_.load(number);
    const auto take = [&](const std::string& name, const TensorView& data) {
      while_doing("tensor '" + name + "'", [&] {
        for (const std::size_t i : readers_.at(name)) {
          const EnergyRequest& request = requests_[i];
          for (std::int64_t group = 0; group < request.weight.groups; ++group)
            rows[i].push_back(request.op->patches(*nodes_[i], request.operand, request.weight, data,
                                                  group, {.most = most_positions, .turn = number}));
        }
      });
    };
    const auto receive = [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) take(std::string(output.name), output.tensor);
    };
    while_doing("sample '" + sample.name + "'", [&] {
      if (model_.run) model_.run(sample.inputs, receive);
      for (const std::string& name : from_sample_) {
        const auto found = sample.inputs.find(name);
        if (found == sample.inputs.end()) throw_bad_input("has no input '" + name + "'");
        take(name, view(found->second));
      }
    });
  }

  void add(const Tile& at) {
    const std::int64_t side = requests_[at.request].side();
    const std::int64_t height = std::min(tile, side - at.row);
    const std::int64_t width = std::min(tile, side - at.column);
    Square square(energies_[at.request].data() + at.group * side * side, side, side);
    for (const auto& sample : rows_) {
      const Patches& patches = sample[at.request][static_cast<std::size_t>(at.group)];
      const Rows x(patches.values.data(), patches.rows, patches.columns);
      square.block(at.row, at.column, height, width).noalias() +=
          x.middleCols(at.row, height).transpose() * x.middleCols(at.column, width);
    }
  }

  const std::vector<EnergyRequest>& requests_;
  const Samples& samples_;
  const Progress& progress_;
  RunModel model_{};
  std::vector<const onnx::NodeProto*> nodes_{};
  std::map<std::string, std::vector<std::size_t>> readers_{};  // of each value: requests
  std::set<std::string> from_sample_{};                        // values that are graph inputs
  std::vector<Tile> tiles_{};
  std::vector<std::vector<float>> energies_{};
  std::vector<std::vector<std::vector<Patches>>> rows_{};  // by sample at hand, request, group
};

}  // namespace

std::int64_t working_bytes(const EnergyRequest& request) {
  const std::int64_t columns = request.weight.groups * request.side();
  const auto rows = static_cast<std::int64_t>(samples_at_once) * most_positions;
  return static_cast<std::int64_t>(sizeof(float)) * columns * (request.side() + rows);
}

std::vector<std::vector<float>> collect_input_energies(const Model& model,
                                                       const std::vector<EnergyRequest>& requests,
                                                       const Samples& samples, const Engine& engine,
                                                       const Progress& progress) {
  return Collector(model, requests, samples, engine, progress).collect();
}

}  // namespace ocs
