#include "ocs/data/preprocess.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {
namespace {

template <typename T>
using Words = std::vector<std::pair<std::string, T>>;

const Words<Channels>& channel_words() {
  static const Words<Channels> words{
      {"rgb", Channels::rgb}, {"bgr", Channels::bgr}, {"gray", Channels::gray}};
  return words;
}

const Words<Layout>& layout_words() {
  static const Words<Layout> words{{"nchw", Layout::nchw}, {"nhwc", Layout::nhwc}};
  return words;
}

const Words<Interpolation>& interpolation_words() {
  static const Words<Interpolation> words{{"bilinear", Interpolation::bilinear},
                                          {"bicubic", Interpolation::bicubic}};
  return words;
}

// Sources: torchvision's transforms of its ImageNet weights; keras.applications.imagenet_utils,
// modes "tf" and "caffe".
const Words<Preprocess>& presets() {
  static const std::vector<double> half{127.5, 127.5, 127.5};
  static const Words<Preprocess> known{
      {"imagenet-torch",
       {.resize = 256,
        .crop = 224,
        .scale = 1.0 / 255.0,
        .mean = {0.485, 0.456, 0.406},
        .deviation = {0.229, 0.224, 0.225}}},
      {"imagenet-tf", {.mean = half, .deviation = half}},
      {"imagenet-caffe", {.channels = Channels::bgr, .mean = {103.939, 116.779, 123.68}}},
      {"cifar10", {.mean = half, .deviation = half}},
  };
  return known;
}

template <typename T>
std::vector<std::string> names_of(const Words<T>& words) {
  std::vector<std::string> names;
  for (const auto& [name, value] : words) names.push_back(name);
  return names;
}

template <typename T>
T meant_by(const std::string& word, const Words<T>& words) {
  const auto found = std::ranges::find(
      words, word, [](const auto& entry) -> const std::string& { return entry.first; });
  if (found != words.end()) return found->second;
  throw_bad_input(fmt::format("'{}' is none of {}{}", word, fmt::join(names_of(words), ", "),
                              did_you_mean(word, names_of(words))));
}

template <typename T>
const std::string& word_for(T value, const Words<T>& words) {
  return std::ranges::find(words, value, [](const auto& entry) { return entry.second; })->first;
}

int pixels_from(const Json& value) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0 ||
      value.get<std::int64_t>() > std::numeric_limits<int>::max()) {
    throw_bad_input(value.dump() + " is not a number of pixels");
  }
  return value.get<int>();
}

double number_from(const Json& value) {
  if (!value.is_number()) throw_bad_input(value.dump() + " is not a number");
  return value.get<double>();
}

std::vector<double> numbers_from(const Json& value) {
  if (!value.is_array()) return {number_from(value)};
  std::vector<double> numbers;
  for (const Json& element : value) numbers.push_back(number_from(element));
  return numbers;
}

std::string word_from(const Json& value) {
  if (!value.is_string()) throw_bad_input(value.dump() + " is not a word");
  return value.get<std::string>();
}

// One row a key: what the key's JSON value does to a preprocessing.
struct Key {
  std::string_view name;
  void (*set)(Preprocess&, const Json&);
};
constexpr std::array<Key, 8> keys{{
    {"resize", [](Preprocess& p, const Json& value) { p.resize = pixels_from(value); }},
    {"crop", [](Preprocess& p, const Json& value) { p.crop = pixels_from(value); }},
    {"channels",
     [](Preprocess& p, const Json& value) {
       p.channels = meant_by(word_from(value), channel_words());
     }},
    {"scale", [](Preprocess& p, const Json& value) { p.scale = number_from(value); }},
    {"mean", [](Preprocess& p, const Json& value) { p.mean = numbers_from(value); }},
    {"std", [](Preprocess& p, const Json& value) { p.deviation = numbers_from(value); }},
    {"layout", [](Preprocess& p,
                  const Json& value) { p.layout = meant_by(word_from(value), layout_words()); }},
    {"interpolation",
     [](Preprocess& p, const Json& value) {
       p.interpolation = meant_by(word_from(value), interpolation_words());
     }},
}};

void merge(Preprocess& into, const Json& object) {
  std::vector<std::string> known;
  for (const Key& key : keys) known.emplace_back(key.name);
  refuse_unknown_keys(object, known);
  for (const Key& key : keys) {
    const auto found = object.find(key.name);
    if (found == object.end()) continue;
    while_doing(key.name, [&] { key.set(into, *found); });
  }
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "224", "0.5", "1/255"; anything else, "1/0" too, stays a word.
Json value_from_text(const std::string& text) {
  const auto slash = text.find('/');
  if (slash != std::string::npos) {
    const auto above = as_number(std::string_view(text).substr(0, slash));
    const auto below = as_number(std::string_view(text).substr(slash + 1));
    if (above && below && *below != 0) return *above / *below;
  }
  const auto number = as_number(text);
  if (!number) return text;
  // A whole number stays one, for the keys that count pixels.
  if (text.find_first_not_of("0123456789") == std::string::npos && *number < 1e9) {
    return static_cast<std::int64_t>(*number);
  }
  return *number;
}

// "crop=224", "mean=1", "2", "3" -> {"crop": 224, "mean": [1, 2, 3]}: a part without a key goes on
// with the list before.
Json object_from_pairs(const std::vector<std::string>& parts) {
  Json object = Json::object();
  std::string key;
  for (const std::string& part : parts) {
    const auto equals = part.find('=');
    if (equals == std::string::npos) {
      if (key.empty()) throw_bad_input("'" + part + "' is not of the form key=value");
      if (!object[key].is_array()) object[key] = Json::array({object[key]});
      object[key].push_back(value_from_text(part));
      continue;
    }
    key = part.substr(0, equals);
    if (object.contains(key)) throw_bad_input("key '" + key + "' is given twice");
    object[key] = value_from_text(part.substr(equals + 1));
  }
  return object;
}

Preprocess read_preprocess(const std::filesystem::path& file) {
  const Json object = read_json(file);
  return while_doing(file.string(), [&] { return preprocess_from_json(object); });
}

Preprocess named(const std::string& name) {
  for (const auto& [known, preprocess] : presets()) {
    if (known == name) return preprocess;
  }
  throw_bad_input(fmt::format(
      "no preprocessing is named '{}'{}; known are {}, a FILE.json, or key=value,...", name,
      did_you_mean(name, preprocess_names()), fmt::join(preprocess_names(), ", ")));
}

void check_list(const std::vector<double>& values, std::string_view name, int channels,
                bool may_be_zero) {
  if (values.size() > 1 && std::cmp_not_equal(values.size(), channels)) {
    throw_bad_input(fmt::format("{} has {} values for {} channel{}", name, values.size(), channels,
                                channels == 1 ? "" : "s"));
  }
  for (const double value : values) {
    if (!std::isfinite(value) || (value == 0.0 && !may_be_zero)) {
      throw_bad_input(fmt::format("{} cannot be {}", name, value));
    }
  }
}

Json list_to_json(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(value);
  return list;
}

}  // namespace

int channel_count(const Preprocess& preprocess) {
  return preprocess.channels == Channels::gray ? 1 : 3;
}

void check(const Preprocess& preprocess) {
  if (preprocess.resize < 0 || preprocess.crop < 0)
    throw_bad_input("resize and crop cannot be negative");
  if (preprocess.resize > 0 && preprocess.crop > preprocess.resize) {
    throw_bad_input(
        fmt::format("crop {} does not fit into resize {}", preprocess.crop, preprocess.resize));
  }
  if (!std::isfinite(preprocess.scale) || preprocess.scale == 0.0) {
    throw_bad_input(fmt::format("scale cannot be {}", preprocess.scale));
  }
  check_list(preprocess.mean, "mean", channel_count(preprocess), true);
  check_list(preprocess.deviation, "std", channel_count(preprocess), false);
}

std::vector<std::string> preprocess_names() { return names_of(presets()); }

Preprocess parse_preprocess(const std::string& text) {
  return while_doing("preprocess '" + text + "'", [&] {
    std::vector<std::string> parts = split_at_commas(text);
    Preprocess preprocess;
    if (parts.front().find('=') == std::string::npos) {
      const std::string first = parts.front();
      preprocess = first.ends_with(".json") ? read_preprocess(first) : named(first);
      parts.erase(parts.begin());
    }
    merge(preprocess, object_from_pairs(parts));
    check(preprocess);
    return preprocess;
  });
}

std::optional<Preprocess> find_sidecar(const std::filesystem::path& model) {
  std::filesystem::path file = model;
  if (file.extension() == ".onnx") file.replace_extension();
  file += ".preprocess.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  return read_preprocess(file);
}

Json to_json(const Preprocess& preprocess) {
  const Preprocess standard;
  Json object = Json::object();
  if (preprocess.resize != standard.resize) object["resize"] = preprocess.resize;
  if (preprocess.crop != standard.crop) object["crop"] = preprocess.crop;
  object["channels"] = word_for(preprocess.channels, channel_words());
  if (preprocess.scale != standard.scale) object["scale"] = preprocess.scale;
  if (!preprocess.mean.empty()) object["mean"] = list_to_json(preprocess.mean);
  if (!preprocess.deviation.empty()) object["std"] = list_to_json(preprocess.deviation);
  if (preprocess.layout != standard.layout)
    object["layout"] = word_for(preprocess.layout, layout_words());
  if (preprocess.interpolation != standard.interpolation) {
    object["interpolation"] = word_for(preprocess.interpolation, interpolation_words());
  }
  return object;
}

Preprocess preprocess_from_json(const Json& object) {
  Preprocess preprocess;
  merge(preprocess, object);
  check(preprocess);
  return preprocess;
}

}  // namespace ocs
