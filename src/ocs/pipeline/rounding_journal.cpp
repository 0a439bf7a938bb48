#include "ocs/pipeline/rounding_journal.h"

#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/core/json.h"
#include "ocs/core/sha256.h"
#include "ocs/core/write_file.h"

namespace ocs {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view extension = ".rounded";
constexpr std::string_view key_file = "checkpoint.json";

std::string whole(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

constexpr std::size_t hash_length = 64;

// A layer's file: the hash of what follows, then CBOR. What passes is as it was written, so that numbers in it need no checks of their own.
std::string checked(const fs::path& file) {
  std::string text = whole(file);
  if (text.size() < hash_length || sha256(std::string_view(text).substr(hash_length)) !=
                                       std::string_view(text).substr(0, hash_length))
    throw_bad_input("is damaged: remove it");
  return text.erase(0, hash_length);
}

// What round_with_data writes into a plan.
Json to_json(const LayerPlan& layer) {
  return {{"node", layer.node},
          {"part", layer.operand.part},
          {"scale", layer.params.scale},
          {"zero_point", layer.params.zero_point},
          {"stored", layer.stored},
          {"residual",
           {{"channels", layer.residual.channels},
            {"stored", layer.residual.stored},
            {"scale", layer.residual.scale}}},
          {"bias", layer.bias},
          {"raised", {layer.raised.for_bias, layer.raised.for_sum, layer.raised.for_scale}},
          {"predicted_sqnr_db", layer.predicted_sqnr_db}};
}

template <typename T>
T at(const Json& json, const char* key) {
  if (!json.contains(key)) throw_bad_input("'" + std::string(key) + "' is missing");
  return value_or<T>(json, key, T{});
}

}  // namespace

RoundingJournal::RoundingJournal(fs::path folder, std::string key)
    : folder_(std::move(folder)), key_(std::move(key)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error || !fs::is_directory(folder_))
    throw_bad_input("checkpoint " + folder_.string() + ": cannot be made: " + error.message());
  const fs::path head = folder_ / key_file;
  if (!fs::exists(head)) {
    if (!fs::is_empty(folder_))
      throw_bad_input("checkpoint " + folder_.string() +
                      ": is not empty, and no checkpoint: pass a new folder");
    write_file(head, to_text(Json{{"key", key_}}) + "\n");
    return;
  }
  if (value_or<std::string>(read_json(head), "key", "") != key_)
    throw_bad_input(
        "checkpoint " + folder_.string() +
        ": is of another model, recipe, data or program: remove it, or pass a new folder");
}

fs::path RoundingJournal::file_of(const LayerPlan& layer) const {
  // A name may hold what a file's may not.
  const std::string name = sha256(layer.node + '\n' + std::string(layer.operand.part));
  return folder_ / (name.substr(0, 32) + std::string(extension));
}

bool RoundingJournal::restore(LayerPlan& layer) const {
  const fs::path file = file_of(layer);
  if (!fs::exists(file)) return false;
  return while_doing(file.string(), [&] {
    const Json json = Json::from_cbor(checked(file), true, false);
    if (!json.is_object() || at<std::string>(json, "node") != layer.node ||
        at<std::string>(json, "part") != layer.operand.part)
      throw_bad_input("is no layer of this checkpoint: remove it");
    auto stored = at<std::vector<std::int16_t>>(json, "stored");
    if (stored.size() != layer.stored.size())
      throw_bad_input("holds another number of weights than '" + layer.node + "' has: remove it");
    layer.stored = std::move(stored);
    const Json residual = at<Json>(json, "residual");
    ResidualColumns columns{.channels = at<std::vector<std::int64_t>>(residual, "channels"),
                            .stored = at<std::vector<std::int16_t>>(residual, "stored"),
                            .scale = at<std::vector<float>>(residual, "scale")};
    if (columns.channels.size() != layer.residual.channels.size() ||
        columns.stored.size() != layer.residual.stored.size() ||
        columns.scale.size() != layer.residual.scale.size())
      throw_bad_input("holds other residual columns than '" + layer.node + "' has: remove it");
    layer.residual = std::move(columns);
    layer.params.scale = at<std::vector<float>>(json, "scale");
    layer.params.zero_point = at<std::vector<std::int32_t>>(json, "zero_point");
    layer.bias = at<std::vector<float>>(json, "bias");
    const auto raised = at<std::vector<std::int64_t>>(json, "raised");
    if (raised.size() != 3) throw_bad_input("'raised' has not three numbers");
    layer.raised = {.for_bias = raised[0], .for_sum = raised[1], .for_scale = raised[2]};
    layer.predicted_sqnr_db = at<double>(json, "predicted_sqnr_db");
    return true;
  });
}

void RoundingJournal::keep(const LayerPlan& layer) const {
  const std::vector<std::uint8_t> bytes = Json::to_cbor(to_json(layer));
  const std::string text(bytes.begin(), bytes.end());
  write_file(file_of(layer), sha256(text) + text);
}

void RoundingJournal::clear() const {
  std::error_code ignored;  // what cannot be removed is left: the model is there
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, ignored))
    if (entry.path().extension() == extension || entry.path().filename() == key_file)
      fs::remove(entry.path(), ignored);
  fs::remove(folder_, ignored);
}

}  // namespace ocs
