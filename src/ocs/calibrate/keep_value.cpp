#include "ocs/calibrate/keep_value.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"

namespace ocs {
namespace {

// Samples between two calls of the progress.
constexpr std::size_t samples_at_once = 32;

}  // namespace

std::optional<KeptValue> keep_value(const Model& model, const std::string& value,
                                    const Samples& samples, std::int64_t most_bytes,
                                    const Engine& engine, const Progress& progress) {
  const RunModel part =
      engine(model, {.intra_op_threads = 1, .outputs = {value}, .borrow_weights = true});
  auto kept = std::make_shared<std::vector<Sample>>(samples.count);
  const auto load = [&](std::size_t i) {
    const Sample sample = samples.load(i);
    Sample& to = (*kept)[i];
    to.name = sample.name;
    while_doing("sample '" + sample.name + "'", [&] { to.inputs = run_once(part, sample.inputs); });
  };
  const auto tensor_of = [&](std::size_t i) -> const Tensor& {
    return (*kept)[i].inputs.at(value);
  };
  if (samples.count == 0) return {};
  load(0);
  const auto bytes = static_cast<std::int64_t>(sizeof(float)) * element_count(tensor_of(0).shape);
  if (tensor_of(0).type() != ElementType::float32 ||
      bytes > most_bytes / static_cast<std::int64_t>(samples.count))
    return {};
  for (std::size_t begin = 1; begin < samples.count; begin += samples_at_once) {
    const std::size_t count = std::min(samples_at_once, samples.count - begin);
    parallel_for(count, [&](std::size_t i) { load(begin + i); });
    if (progress) progress("values of the samples", begin + count, samples.count);
  }
  KeptValue result{.port = {.name = value, .shape = tensor_of(0).shape}};
  for (std::size_t i = 1; i < samples.count; ++i) {
    const Shape& shape = tensor_of(i).shape;
    if (shape.size() != result.port.shape.size()) return {};
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (shape[axis] != result.port.shape[axis]) result.port.shape[axis] = -1;
  }
  result.samples = {.count = samples.count,
                    .load = [kept = std::move(kept)](std::size_t i) { return (*kept)[i]; },
                    .source = samples.source};
  return result;
}

}  // namespace ocs
