#include "ocs/evaluate/batches.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

bool same_items(const Shape& a, const Shape& b) {
  return !a.empty() && a.size() == b.size() && std::equal(a.begin() + 1, a.end(), b.begin() + 1);
}

void append(Tensor& whole, const Tensor& part) {
  if (!same_items(whole.shape, part.shape) || whole.values.index() != part.values.index())
    throw_bad_input(fmt::format("its {} {} cannot be joined to {} {} of the sample before",
                                name_of(part.type()), to_string(part.shape), name_of(whole.type()),
                                to_string(whole.shape)));
  std::visit(
      [&](auto& values) {
        const auto& more = std::get<std::remove_reference_t<decltype(values)>>(part.values);
        values.insert(values.end(), more.begin(), more.end());
      },
      whole.values);
  whole.shape[0] += part.shape[0];
}

void append(Sample& whole, const Sample& part) {
  if (whole.inputs.size() != part.inputs.size())
    throw_bad_input("has other inputs than the sample before");
  for (auto& [name, tensor] : whole.inputs) {
    const auto found = part.inputs.find(name);
    if (found == part.inputs.end())
      throw_bad_input(fmt::format("has no input '{}', which the sample before has", name));
    while_doing(fmt::format("input '{}'", name),
                [&, &held = tensor] { append(held, found->second); });
  }
  whole.labels.insert(whole.labels.end(), part.labels.begin(), part.labels.end());
}

}  // namespace

Samples in_batches(Samples samples, std::size_t size) {
  if (size == 0) throw_internal("a batch of no samples");
  if (size == 1) return samples;
  Samples batches = samples;
  batches.count = samples.count / size + (samples.count % size != 0 ? 1 : 0);
  batches.load = [samples = std::move(samples), size](std::size_t batch) {
    const std::size_t first = batch * size;
    const std::size_t count = std::min(size, samples.count - first);
    Sample whole = samples.load(first);
    whole.outputs.clear();
    for (std::size_t i = first + 1; i < first + count; ++i) {
      const Sample part = samples.load(i);
      while_doing(fmt::format("sample '{}'", part.name), [&] { append(whole, part); });
    }
    return whole;
  };
  return batches;
}

}  // namespace ocs
