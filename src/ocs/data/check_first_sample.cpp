#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "ocs/data/open_samples.h"

namespace ocs {
namespace {

struct Summary {
  std::size_t count = 0;
  std::size_t not_finite = 0;
  double minimum = 0;
  double maximum = 0;
  double mean = 0;
  bool are_whole = true;
};

// Of the finite values.
Summary summarize(const Tensor& tensor) {
  Summary summary;
  const std::vector<float> values = to_floats(view(tensor));
  summary.count = values.size();
  double sum = 0;
  std::size_t finite = 0;
  for (const float single : values) {
    const double value = static_cast<double>(single);
    if (!std::isfinite(value)) {
      ++summary.not_finite;
      continue;
    }
    summary.minimum = finite == 0 ? value : std::min(summary.minimum, value);
    summary.maximum = finite == 0 ? value : std::max(summary.maximum, value);
    summary.are_whole = summary.are_whole && value == std::nearbyint(value);
    sum += value;
    ++finite;
  }
  summary.mean = finite == 0 ? 0 : sum / static_cast<double>(finite);
  return summary;
}

bool is_image_like(const Port& input) {
  const auto is_channels = [](std::int64_t extent) { return extent == 1 || extent == 3; };
  return input.shape.size() == 4 && (is_channels(input.shape[1]) || is_channels(input.shape[3]));
}

bool are_floats(const Tensor& tensor) {
  return tensor.type() == ElementType::float32 || tensor.type() == ElementType::float64;
}

// What looks wrong for images. Trained networks take pixels in about [0, 1], [-1, 1], [-3, 3],
// [-130, 160] or [0, 255].
std::string image_doubt(const Summary& of, bool is_preprocessed) {
  if (of.are_whole && of.minimum >= 0 && of.maximum > 1 && of.maximum <= 255 && !is_preprocessed) {
    return "the values are pixels from 0 to 255, as they are stored; most models take them scaled "
           "(--preprocess)";
  }
  if (of.maximum - of.minimum < 0.1) return "the values hardly differ; are they scaled twice?";
  if (of.maximum > 300 || of.minimum < -300)
    return "the values are far from what models of images take; check scale, mean and std";
  return "";
}

std::string doubt(const Tensor& tensor, const Port& input, bool is_preprocessed) {
  const Summary of = summarize(tensor);
  if (of.not_finite > 0)
    return fmt::format("{} of {} values are NaN or infinite", of.not_finite, of.count);
  if (of.count == 0) return "it is empty";
  if (!are_floats(tensor) || of.count == 1) return "";
  if (of.minimum == of.maximum) return fmt::format("all values are {:.6g}", of.minimum);
  return is_image_like(input) ? image_doubt(of, is_preprocessed) : "";
}

}  // namespace

std::vector<std::string> check_first_sample(const Samples& samples, const std::vector<Port>& inputs,
                                            const DataOptions& options) {
  if (samples.count == 0) return {};
  const Sample sample = samples.load(0);
  std::vector<std::string> lines;
  std::vector<std::string> warnings;
  for (const Port& input : inputs) {
    const auto found = sample.inputs.find(input.name);
    if (found == sample.inputs.end()) continue;
    const Summary of = summarize(found->second);
    lines.push_back(fmt::format("{}: input '{}' {} {}, min {:.6g}, max {:.6g}, mean {:.6g}",
                                sample.name, input.name, name_of(found->second.type()),
                                to_string(found->second.shape), of.minimum, of.maximum, of.mean));
    const std::string sentence = doubt(found->second, input, options.preprocess.has_value());
    if (!sentence.empty())
      warnings.push_back(
          fmt::format("warning: input '{}' of {}: {}", input.name, sample.name, sentence));
  }
  lines.insert(lines.end(), warnings.begin(), warnings.end());
  return lines;
}

}  // namespace ocs
