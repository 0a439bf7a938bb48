#include "ocs/calibrate/stats_json.h"

#include <algorithm>
#include <ostream>
#include <string_view>
#include <utility>

#include "ocs/core/error.h"
#include "ocs/core/write_file.h"

namespace ocs {
namespace {

using Fixed = ChannelMoments::Fixed;

constexpr std::string_view format = "ocs-statistics";
constexpr int version = 1;

// 128 bits do not fit in a JSON number of any reader: decimal text.
std::string to_text(Fixed value) {
  __extension__ using Unsigned = unsigned __int128;
  const bool negative = value < 0;
  Unsigned rest =
      negative ? Unsigned{0} - static_cast<Unsigned>(value) : static_cast<Unsigned>(value);
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (negative) text += '-';
  std::ranges::reverse(text);
  return text;
}

Fixed to_fixed(const Json& json) {
  if (!json.is_string()) throw_bad_input("expected a text of digits, found " + json.dump());
  const auto& text = json.get_ref<const std::string&>();
  const bool negative = text.starts_with('-');
  const std::string_view digits = std::string_view(text).substr(negative ? 1 : 0);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || !std::ranges::all_of(digits, is_digit))
    throw_bad_input("'" + text + "' is no integer");
  Fixed value = 0;
  for (const char digit : digits) {
    const int amount = digit - '0';
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, negative ? -amount : amount, &value))
      throw_bad_input("'" + text + "' is too large");
  }
  return value;
}

// [[first bin, count, count, ...], ...]: runs of bins that are not empty.
Json runs_of(std::span<const std::int64_t> bins) {
  Json runs = Json::array();
  for (std::size_t bin = 0; bin < bins.size(); ++bin) {
    if (bins[bin] == 0) continue;
    if (bin == 0 || bins[bin - 1] == 0) runs.push_back(Json::array({bin}));
    runs.back().push_back(bins[bin]);
  }
  return runs;
}

// The value of a key that must be there.
template <typename T>
T required(const Json& object, const std::string& key) {
  if (!object.is_object() || !object.contains(key)) throw_bad_input("'" + key + "' is missing");
  return value_or(object, key, T{});
}

std::int64_t to_integer(const Json& json) {
  if (!json.is_number_integer()) throw_bad_input("expected an integer, found " + json.dump());
  // Above 2^63 the library holds an unsigned number that would wrap.
  if (json.is_number_unsigned() && json.get<std::uint64_t>() > std::uint64_t{1} << 62U)
    throw_bad_input(json.dump() + " is too large");
  return json.get<std::int64_t>();
}

std::int64_t required_integer(const Json& object, const std::string& key) {
  if (!object.is_object() || !object.contains(key)) throw_bad_input("'" + key + "' is missing");
  return while_doing("'" + key + "'", [&] { return to_integer(object.at(key)); });
}

// A float written as the double of the same value.
float to_float(const Json& json) {
  if (!json.is_number()) throw_bad_input("expected a number, found " + json.dump());
  const auto value = json.get<double>();
  const auto largest = static_cast<double>(std::numeric_limits<float>::max());
  if (!(value >= -largest && value <= largest)) throw_bad_input(json.dump() + " is no float");
  return static_cast<float>(value);
}

const Json& required_array(const Json& object, const std::string& key) {
  if (!object.is_object() || !object.contains(key)) throw_bad_input("'" + key + "' is missing");
  if (!object.at(key).is_array()) throw_bad_input("'" + key + "' must be an array");
  return object.at(key);
}

template <typename T>
std::vector<T> required_values(const Json& object, const std::string& key,
                               T (*convert)(const Json&)) {
  const Json& array = required_array(object, key);
  return while_doing("'" + key + "'", [&] {
    std::vector<T> values;
    values.reserve(array.size());
    for (const Json& element : array) values.push_back(convert(element));
    return values;
  });
}

std::vector<std::int64_t> bins_from(const Json& runs) {
  std::vector<std::int64_t> bins(std::size_t{2} * Histogram::half, 0);
  for (const Json& run : runs) {
    if (!run.is_array() || run.size() < 2)
      throw_bad_input("a run must be a bin followed by counts");
    const std::int64_t first = to_integer(run.front());
    if (first < 0 ||
        first + static_cast<std::int64_t>(run.size()) - 1 > static_cast<std::int64_t>(bins.size()))
      throw_bad_input("a run of " + std::to_string(run.size() - 1) + " counts from bin " +
                      std::to_string(first) + " does not fit");
    for (std::size_t i = 1; i < run.size(); ++i)
      bins[static_cast<std::size_t>(first) + i - 1] = to_integer(run[i]);
  }
  return bins;
}

Json to_json(const Histogram& histogram) {
  Json json = {{"count", histogram.count()},
               {"zeros", histogram.zeros()},
               {"min", number(static_cast<double>(histogram.min()))},
               {"max", number(static_cast<double>(histogram.max()))}};
  if (histogram.bins().empty()) return json;
  json["exponent"] = histogram.exponent();
  json["bins"] = runs_of(histogram.bins());
  return json;
}

Histogram histogram_from(const Json& json) {
  refuse_unknown_keys(json, {"count", "zeros", "min", "max", "exponent", "bins"});
  const std::int64_t count = required_integer(json, "count");
  const std::int64_t zeros = required_integer(json, "zeros");
  const float min = while_doing("'min'", [&] { return to_float(required<Json>(json, "min")); });
  const float max = while_doing("'max'", [&] { return to_float(required<Json>(json, "max")); });
  if (!json.contains("bins")) return Histogram::from_range(count, zeros, min, max);
  const std::int64_t exponent = required_integer(json, "exponent");
  if (exponent < -1000 || exponent > 1000) throw_bad_input("'exponent' is out of range");
  std::vector<std::int64_t> bins =
      while_doing("'bins'", [&] { return bins_from(required_array(json, "bins")); });
  Histogram histogram =
      Histogram::from_parts(zeros, min, max, static_cast<int>(exponent), std::move(bins));
  if (histogram.count() != count) throw_bad_input("'count' is not the sum of zeros and bins");
  return histogram;
}

Json to_json(const ChannelMoments& moments) {
  Json sums = Json::array();
  for (const Fixed sum : moments.sums()) sums.push_back(to_text(sum));
  Json squares = Json::array();
  for (const Fixed square : moments.squares()) squares.push_back(to_text(square));
  Json max_abs = Json::array();
  for (const float high : moments.max_abs()) max_abs.push_back(number(static_cast<double>(high)));
  return {{"count", moments.count()},
          {"sums", std::move(sums)},
          {"squares", std::move(squares)},
          {"max_abs", std::move(max_abs)}};
}

ChannelMoments moments_from(const Json& json) {
  refuse_unknown_keys(json, {"count", "sums", "squares", "max_abs"});
  return ChannelMoments::from_parts(
      required_integer(json, "count"), required_values(json, "sums", to_fixed),
      required_values(json, "squares", to_fixed), required_values(json, "max_abs", to_float));
}

Json to_json(const TensorStats& stats) {
  Json json = {{"shape", stats.shape}, {"histogram", to_json(stats.histogram)}};
  for (const auto& [axis, moments] : stats.moments)
    json["moments"][std::to_string(axis)] = to_json(moments);
  return json;
}

int axis_from(const std::string& key, const Shape& shape) {
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (key == std::to_string(axis)) return static_cast<int>(axis);
  throw_bad_input("'" + key + "' is no axis of the shape " + to_string(shape));
}

TensorStats tensor_from(const Json& json) {
  if (!json.is_object()) throw_bad_input("must be an object");
  refuse_unknown_keys(json, {"shape", "histogram", "moments"});
  TensorStats stats;
  stats.shape = required_values(json, "shape", to_integer);
  for (std::int64_t& extent : stats.shape)
    if (extent < -1) throw_bad_input("'shape' holds a negative extent");
  stats.histogram =
      while_doing("histogram", [&] { return histogram_from(required<Json>(json, "histogram")); });
  if (!json.contains("moments")) return stats;
  if (!json.at("moments").is_object()) throw_bad_input("'moments' must be an object");
  for (const auto& [key, moments] : json.at("moments").items())
    while_doing("moments", [&, key = key, &held = moments] {
      const int axis = axis_from(key, stats.shape);
      stats.moments[axis] = while_doing(key, [&] { return moments_from(held); });
    });
  return stats;
}

}  // namespace

Json to_json(const CalibrationStats& stats) {
  Json json = {{"format", format}, {"version", version}};
  if (stats.origin) json["origin"] = to_json(*stats.origin);
  json["samples"] = stats.samples;
  json["synthetic"] = stats.synthetic;
  json["tensors"] = Json::object();
  for (const auto& [name, tensor] : stats.tensors) json["tensors"][name] = to_json(tensor);
  return json;
}

CalibrationStats stats_from_json(const Json& json, const std::string& name) {
  return while_doing(name, [&] {
    if (!json.is_object() || value_or<Json>(json, "format", "") != format)
      throw_bad_input("is no file of statistics ('format' is not '" + std::string(format) + "')");
    if (const std::int64_t found = required_integer(json, "version"); found != version)
      throw_bad_input("has version " + std::to_string(found) + ", this program reads version " +
                      std::to_string(version));
    refuse_unknown_keys(json, {"format", "version", "origin", "samples", "synthetic", "tensors"});
    CalibrationStats stats;
    if (json.contains("origin"))
      stats.origin = while_doing("'origin'", [&] { return origin_from_json(json.at("origin")); });
    stats.samples = required_integer(json, "samples");
    if (stats.samples < 0) throw_bad_input("'samples' is negative");
    stats.synthetic = required<bool>(json, "synthetic");
    if (!json.contains("tensors") || !json.at("tensors").is_object())
      throw_bad_input("'tensors' must be an object");
    for (const auto& [tensor, held] : json.at("tensors").items())
      stats.tensors[tensor] =
          while_doing("tensor '" + tensor + "'", [&held = held] { return tensor_from(held); });
    return stats;
  });
}

void write_stats(const CalibrationStats& stats, const std::filesystem::path& file) {
  write_file(file, [&](std::ostream& out) {
    CalibrationStats head;
    head.origin = stats.origin;
    head.samples = stats.samples;
    head.synthetic = stats.synthetic;
    // The object of all tensors, opened up so that each has a line of its own and only one is text
    // at a time.
    std::string text = to_json(head).dump();
    text.resize(text.size() - std::string_view("}}").size());
    out << text;
    const char* separator = "\n";
    for (const auto& [name, tensor] : stats.tensors) {
      out << separator << Json(name).dump() << ": " << to_json(tensor).dump();
      separator = ",\n";
    }
    out << "\n}}\n";
  });
}

CalibrationStats read_stats(const std::filesystem::path& file) {
  return stats_from_json(read_json(file), file.string());
}

}  // namespace ocs
