#include "ocs/evaluate/perplexity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"

namespace ocs {
namespace {

// Tokens [begin, begin + steps) of every stream.
struct Window {
  std::size_t begin = 0;
  std::size_t steps = 0;
};

const Port& port_named(const std::vector<Port>& ports, const std::string& name) {
  return *std::ranges::find(ports, name, &Port::name);
}

// Zeros in the shape of a state; its free extent is the batch.
Tensor first_state(const Port& port, std::size_t batch) {
  Shape shape = port.shape;
  if (std::ranges::count(shape, -1) > 1) {
    throw_bad_input(fmt::format("the state '{}' has the shape {}: only its batch may be free",
                                port.name, to_string(shape)));
  }
  std::ranges::replace(shape, std::int64_t{-1}, static_cast<std::int64_t>(batch));
  const auto size = static_cast<std::size_t>(element_count(shape));
  if (port.type == ElementType::float32)
    return {.shape = std::move(shape), .values = std::vector<float>(size)};
  if (port.type == ElementType::float64)
    return {.shape = std::move(shape), .values = std::vector<double>(size)};
  throw_bad_input(fmt::format("the state '{}' is of {}; states are float or double", port.name,
                              name_of(port.type)));
}

// The text as streams, and its parts in the order that the model reads and predicts them.
class Streams {
 public:
  Streams(std::span<const std::int64_t> ids, std::size_t batch, bool is_batch_first)
      : ids_(ids), batch_(batch), length_(ids.size() / batch), is_batch_first_(is_batch_first) {}

  [[nodiscard]] std::size_t length() const { return length_; }

  // The tokens of a window, `ahead` further on.
  [[nodiscard]] std::vector<std::int64_t> tokens(const Window& window, std::size_t ahead) const {
    std::vector<std::int64_t> tokens(window.steps * batch_);
    for (std::size_t step = 0; step < window.steps; ++step)
      for (std::size_t stream = 0; stream < batch_; ++stream)
        tokens[is_batch_first_ ? stream * window.steps + step : step * batch_ + stream] =
            ids_[stream * length_ + window.begin + step + ahead];
    return tokens;
  }

  [[nodiscard]] Tensor input(const Window& window, ElementType type) const {
    const auto steps = static_cast<std::int64_t>(window.steps);
    const auto batch = static_cast<std::int64_t>(batch_);
    Tensor tensor{.shape = is_batch_first_ ? Shape{batch, steps} : Shape{steps, batch}};
    std::vector<std::int64_t> read = tokens(window, 0);
    if (type == ElementType::int64) {
      tensor.values = std::move(read);
    } else {
      std::vector<std::int32_t> narrow(read.size());
      std::ranges::transform(read, narrow.begin(),
                             [](std::int64_t id) { return static_cast<std::int32_t>(id); });
      tensor.values = std::move(narrow);
    }
    return tensor;
  }

 private:
  std::span<const std::int64_t> ids_;
  std::size_t batch_;
  std::size_t length_;
  bool is_batch_first_;
};

// -ln softmax(scores)[target], with the largest score taken out of the sum.
double surprise(std::span<const float> scores, std::size_t target) {
  const auto largest = static_cast<double>(*std::ranges::max_element(scores));
  double sum = 0.0;
  for (const float score : scores) sum += std::exp(static_cast<double>(score) - largest);
  return largest + std::log(sum) - static_cast<double>(scores[target]);
}

// Sum over the tokens of a window. Rows are independent; their sum has a fixed order.
double surprise_of(const OutputView& logits, std::span<const std::int64_t> targets,
                   std::size_t vocabulary) {
  const std::string name(logits.name);
  const Shape shape(logits.tensor.shape.begin(), logits.tensor.shape.end());
  const auto width = shape.empty() ? 0 : static_cast<std::size_t>(shape.back());
  if (width != vocabulary) {
    throw_bad_input(
        fmt::format("the vocabulary has {} tokens, the logits '{}' of shape {} are of {}",
                    vocabulary, name, to_string(shape), width));
  }
  if (static_cast<std::size_t>(element_count(shape)) != targets.size() * width) {
    throw_bad_input(fmt::format("the logits '{}' have the shape {}; {} tokens were read", name,
                                to_string(shape), targets.size()));
  }
  std::vector<float> converted;
  if (logits.tensor.type != ElementType::float32) converted = to_floats(logits.tensor);
  const std::span<const float> scores =
      converted.empty() ? logits.tensor.as<float>() : std::span<const float>(converted);
  std::vector<double> nats(targets.size());
  parallel_for(targets.size(), [&](std::size_t row) {
    nats[row] =
        surprise(scores.subspan(row * width, width), static_cast<std::size_t>(targets[row]));
  });
  const double sum = std::accumulate(nats.begin(), nats.end(), 0.0);
  if (std::isnan(sum)) throw_bad_input(fmt::format("the logits '{}' hold NaN or infinity", name));
  return sum;
}

// What can be seen before anything runs.
void check_width(const Port& logits, std::size_t vocabulary) {
  const std::int64_t width = logits.shape.empty() ? -1 : logits.shape.back();
  if (width >= 0 && static_cast<std::size_t>(width) != vocabulary) {
    throw_bad_input(
        fmt::format("the vocabulary has {} tokens, the logits '{}' of shape {} are of {}",
                    vocabulary, logits.name, to_string(logits.shape), width));
  }
}

}  // namespace

double Perplexity::value() const {
  return tokens == 0 ? 1.0 : std::exp(nats / static_cast<double>(tokens));
}

Perplexity measure_perplexity(const RunModel& model, const LanguageModel& roles,
                              std::span<const std::int64_t> ids, std::size_t vocabulary,
                              const TextCut& cut, const Progress& progress) {
  if (cut.batch == 0 || cut.window == 0) throw_bad_input("batch and window must be at least 1");
  check_width(port_named(model.outputs, roles.logits), vocabulary);
  const Streams streams(ids, cut.batch, roles.is_batch_first);
  if (streams.length() < 2) {
    throw_bad_input(fmt::format("the text has {} tokens: too few for {} streams of at least 2",
                                ids.size(), cut.batch));
  }
  const ElementType type = port_named(model.inputs, roles.ids).type;
  NamedTensors inputs;
  for (const CarriedState& state : roles.states)
    inputs[state.input] = first_state(port_named(model.inputs, state.input), cut.batch);

  Perplexity sum;
  const std::size_t predicted = streams.length() - 1;  // of each stream
  for (std::size_t begin = 0; begin < predicted; begin += cut.window) {
    const Window window{.begin = begin, .steps = std::min(cut.window, predicted - begin)};
    const std::vector<std::int64_t> targets = streams.tokens(window, 1);
    inputs[roles.ids] = streams.input(window, type);
    while_doing(fmt::format("tokens {} to {} of each stream", begin, begin + window.steps - 1),
                [&] {
                  NamedTensors carried;
                  model.run(inputs, [&](std::span<const OutputView> outputs) {
                    for (const OutputView& output : outputs) {
                      if (output.name == roles.logits)
                        sum.nats += surprise_of(output, targets, vocabulary);
                      for (const CarriedState& state : roles.states)
                        if (output.name == state.output) carried[state.input] = copy(output.tensor);
                    }
                  });
                  for (auto& [name, tensor] : carried) inputs[name] = std::move(tensor);
                });
    sum.tokens += targets.size();
    if (progress) progress("perplexity", begin + window.steps, predicted);
  }
  return sum;
}

}  // namespace ocs
