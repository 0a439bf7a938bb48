#include "ocs/calibrate/collect.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "ocs/calibrate/items.h"
#include "ocs/calibrate/unblock.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/graph/graph.h"
#include "ocs/graph/segment.h"
#include "ocs/graph/tensor_proto.h"

namespace ocs {
namespace {

using Requests = std::map<std::string, TensorRequest>;

// One request for each name: repeated ones are joined.
Requests by_name(const std::vector<TensorRequest>& requests) {
  Requests joined;
  for (const TensorRequest& request : requests) {
    const auto [found, is_new] = joined.try_emplace(request.name, request);
    if (is_new) continue;
    found->second.histogram = found->second.histogram || request.histogram;
    found->second.magnitudes = found->second.magnitudes || request.magnitudes;
    found->second.channel_axes.insert(request.channel_axes.begin(), request.channel_axes.end());
  }
  return joined;
}

// Adds one item seen along `axis`, counted from 0, to moments or magnitudes.
template <typename ByChannel, typename... Besides>
void add_channels(ByChannel& channels, std::span<const float> item, const Shape& shape,
                  std::size_t axis, const Besides&... besides) {
  const std::span<const std::int64_t> extents(shape);
  channels.add(item, element_count(extents.first(axis)), extents[axis],
               element_count(extents.subspan(axis + 1)), besides...);
}

// What goes into the histogram of one item.
class ItemValues {
 public:
  ItemValues(TensorStats& stats, const TensorRequest& request, std::size_t size) : stats_(stats) {
    if (request.histogram) filler_.emplace(stats.histogram, size);
  }
  void add(std::span<const float> values) {
    if (filler_)
      filler_->add(values);
    else
      stats_.histogram.add_range(values);
  }

 private:
  TensorStats& stats_;
  std::optional<HistogramFiller> filler_{};
};

// `axes`: counted from 0, by what was asked for.
void add_item(TensorStats& stats, const TensorRequest& request, std::span<const float> item,
              const Shape& shape, const std::map<int, std::size_t>& axes) {
  ItemValues values(stats, request, item.size());
  // Before the sums, since it finds what is not finite.
  const ChannelMoments::Besides add_values = [&](std::span<const float> piece) {
    values.add(piece);
  };
  if (axes.empty()) add_values(item);
  bool is_first = true;
  for (const auto& [asked, axis] : axes) {
    add_channels(stats.moments[static_cast<int>(axis)], item, shape, axis,
                 is_first ? add_values : ChannelMoments::Besides());
    is_first = false;
    if (request.magnitudes)
      add_channels(stats.magnitudes[static_cast<int>(axis)], item, shape, axis);
  }
}

std::size_t from_front(int axis, const Shape& shape) {
  const auto rank = static_cast<int>(shape.size());
  const int result = axis < 0 ? axis + rank : axis;
  if (result < 0 || result >= rank)
    throw_bad_input("has no axis " + std::to_string(axis) + " in its shape " + to_string(shape));
  return static_cast<std::size_t>(result);
}

// Adds one tensor of a run, item by item.
void add_tensor(TensorStats& stats, const TensorRequest& request, const TensorView& tensor,
                std::int64_t batch) {
  std::vector<float> converted;
  if (tensor.type == ElementType::float64)
    converted = to_floats(tensor);
  else if (tensor.type != ElementType::float32)
    throw_bad_input("holds no floats but " + std::string(name_of(tensor.type)));
  const std::span<const float> values =
      tensor.type == ElementType::float64 ? std::span<const float>(converted) : tensor.as<float>();

  Items items = items_of(tensor.shape, batch);
  std::map<int, std::size_t> axes;
  for (const int axis : request.channel_axes) axes[axis] = from_front(axis, items.shape);
  const auto is_first = [](const auto& axis) { return axis.second == 0; };
  // Channels along the first axis: there is no batch there.
  if (std::ranges::any_of(axes, is_first))
    items = {.shape = Shape(tensor.shape.begin(), tensor.shape.end())};
  const std::size_t size = values.size() / static_cast<std::size_t>(items.count);
  for (std::int64_t repeat = 0; repeat < items.repeats; ++repeat) {
    for (std::int64_t i = 0; i < items.count; ++i) {
      const std::span<const float> item = values.subspan(static_cast<std::size_t>(i) * size, size);
      include_shape(stats, items.shape);
      add_item(stats, request, item, items.shape, axes);
    }
  }
}

// The same for a value in blocks of channels.
void add_blocked(TensorStats& stats, const TensorRequest& request, const OutputView& value,
                 std::int64_t batch) {
  const std::span<const std::int64_t> shape = value.tensor.shape;
  const Items items = items_of(shape, batch);
  constexpr int channel_axis = 1;
  const bool is_simple = items.shape.front() == 1 && !request.magnitudes &&
                         std::ranges::all_of(request.channel_axes, [&](int axis) {
                           return from_front(axis, items.shape) == channel_axis;
                         });
  if (!is_simple) {
    add_tensor(stats, request, view(in_order(value)), batch);
    return;
  }
  const std::vector<BlockedItem> blocked = blocked_items(value);
  for (std::int64_t repeat = 0; repeat < items.repeats; ++repeat) {
    for (const BlockedItem& item : blocked) {
      include_shape(stats, items.shape);
      ItemValues values(stats, request, item.values.size());
      const auto add_values = [&](std::span<const float> piece) { values.add(piece); };
      if (!request.channel_axes.empty())
        stats.moments[channel_axis].add(item, add_values);
      else if (item.channels % item.block == 0)
        add_values(item.values);  // a histogram does not see the order
      else
        for_each_channels(item, 0,
                          [&](std::int64_t, std::span<const float> part) { add_values(part); });
    }
  }
}

// Whether `all` values take little more computing than `needed` ones: some nodes without bodies, whose weights are small.
bool is_little_more(const Graph& graph, const std::vector<std::string>& all,
                    const std::vector<std::string>& needed) {
  constexpr std::size_t most_nodes = 40;  // pooling and normalization as exporters write them
  constexpr std::int64_t most_weights = std::int64_t{1} << 22;  // a classifier's last layer
  std::set<std::size_t> more = needed_nodes(graph, all);
  for (const std::size_t node : needed_nodes(graph, needed)) more.erase(node);
  std::int64_t weights = 0;
  for (const std::size_t i : more) {
    const onnx::NodeProto& node = graph.node(i);
    if (has_body(node)) return false;
    for (const std::string& input : node.input())
      if (const onnx::TensorProto* weight = graph.initializer(input))
        weights += element_count(*weight);
  }
  return more.size() <= most_nodes && weights <= most_weights;
}

class Collector {
 public:
  Collector(const Model& model, const std::vector<TensorRequest>& requests, const Samples& samples,
            const Engine& engine, const Progress& progress, KeptOutputs& kept)
      : requests_(by_name(requests)), samples_(samples), progress_(progress), kept_(kept) {
    if (samples.count == 0)
      throw_bad_input((samples.source.empty() ? "the data" : samples.source) +
                      ": holds no samples");
    const auto is_input = [&](const std::string& name) {
      return std::ranges::any_of(model.graph().input(),
                                 [&](const auto& input) { return input.name() == name; });
    };
    for (const auto& [name, request] : requests_)
      (is_input(name) ? from_sample_ : inner_).push_back(name);
    std::vector<std::string> inner = inner_;
    std::ranges::copy_if(kept.names, std::back_inserter(inner), [&](const std::string& name) {
      return !requests_.contains(name) && !is_input(name);
    });
    kept.samples.clear();
    if (kept.count > 0 && is_little_more(Graph(model), inner, inner_))
      kept.samples.resize(std::min(kept.count, samples.count));
    else
      inner = inner_;
    // The engine leaves out what only the model's own outputs need.
    if (!inner.empty())
      model_ = engine(model, {.intra_op_threads = 1,
                              .outputs = inner,
                              .one_by_one = true,
                              .takes_blocks = true,
                              .borrow_weights = true});
  }

  CalibrationStats collect(const Settled& settled) {
    CalibrationStats whole;
    for (const auto& [name, request] : requests_) whole.tensors[name];
    const std::size_t at_once = settled ? settle_round : samples_.count;
    while (end_ < samples_.count) {
      next_ = end_;
      end_ += std::min(at_once, samples_.count - end_);
      // Samples are taken in order, so that the first bad one is found without running all that
      // come before it in vain.
      parallel_for(std::min(thread_count(), end_ - next_), [&](std::size_t) { work(); });
      if (failure_) std::rethrow_exception(failure_);
      for (const CalibrationStats& part : parts_) merge(whole, part);
      parts_.clear();
      if (settled && end_ < samples_.count && settled(whole)) break;
    }
    whole.synthetic = samples_.synthetic;
    kept_.samples.resize(std::min(kept_.samples.size(), end_));
    return whole;
  }

 private:
  // One thread's share: samples until none is left before end_, into statistics of its own. Sums and counts are
  // exact, so it makes no difference which thread took which sample.
  void work() {
    CalibrationStats part;
    for (const auto& [name, request] : requests_) part.tensors[name];
    for (std::size_t i = next_++; i < end_ && i < first_failed_; i = next_++) {
      try {
        add_sample(part, i);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (i < first_failed_) {
          first_failed_ = i;
          failure_ = std::current_exception();
        }
        return;
      }
      const std::lock_guard lock(mutex_);
      ++done_;
      if (progress_) progress_("calibration", done_, samples_.count);
    }
    const std::lock_guard lock(mutex_);
    parts_.push_back(std::move(part));
  }

  void add_sample(CalibrationStats& part, std::size_t i) {
    const Sample sample = samples_.load(i);
    const std::int64_t batch = batch_of(sample);
    const auto add = [&](const std::string& name, const OutputView& value) {
      while_doing("tensor '" + name + "'", [&] {
        TensorStats& stats = part.tensors.at(name);
        const TensorRequest& request = requests_.at(name);
        if (value.block > 1)
          add_blocked(stats, request, value, batch);
        else
          add_tensor(stats, request, value.tensor, batch);
      });
    };
    std::set<std::string_view> missing(inner_.begin(), inner_.end());
    const auto receive = [&](std::span<const OutputView> outputs) {
      for (const OutputView& output : outputs) {
        const std::string name(output.name);
        if (missing.erase(output.name) > 0) add(name, output);
        // Each sample has a place of its own: no other thread writes there.
        if (i < kept_.samples.size() && kept_.names.contains(name))
          kept_.samples[i][name] = in_order(output);
      }
    };
    while_doing("sample '" + sample.name + "'", [&] {
      if (model_.run) model_.run(sample.inputs, receive);
      if (!missing.empty())
        throw_bad_input("tensor '" + std::string(*missing.begin()) + "': the engine gave no value");
      for (const std::string& name : from_sample_) {
        const auto found = sample.inputs.find(name);
        if (found == sample.inputs.end()) throw_bad_input("has no input '" + name + "'");
        add(name, {.name = name, .tensor = view(found->second)});
      }
    });
    part.samples += batch;
  }

  Requests requests_;
  const Samples& samples_;
  const Progress& progress_;
  KeptOutputs& kept_;
  RunModel model_{};
  std::vector<std::string> inner_{};        // requests that the engine answers
  std::vector<std::string> from_sample_{};  // requests on graph inputs

  std::atomic<std::size_t> next_{0};
  std::size_t end_ = 0;  // of the samples that are taken now; no thread runs where it changes
  std::atomic<std::size_t> first_failed_{std::numeric_limits<std::size_t>::max()};
  std::mutex mutex_{};  // guards what follows
  std::exception_ptr failure_{};
  std::size_t done_ = 0;
  std::vector<CalibrationStats> parts_{};
};

}  // namespace

CalibrationStats collect(const Model& model, const std::vector<TensorRequest>& requests,
                         const Samples& samples, const Engine& engine, const Progress& progress,
                         const Settled& settled, KeptOutputs* kept) {
  KeptOutputs none;
  return Collector(model, requests, samples, engine, progress, kept == nullptr ? none : *kept)
      .collect(settled);
}

}  // namespace ocs
