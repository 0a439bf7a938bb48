#include "ocs/calibrate/stats_origin.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

// Enough of a hash to tell two apart by eye.
std::string_view short_hash(std::string_view hash) { return hash.substr(0, 12); }

void require_same(std::string_view what, std::string_view found, std::string_view before) {
  if (found != before)
    throw_bad_input(fmt::format("was collected {} ({}, before {})", what, short_hash(found),
                                short_hash(before)));
}

void require_same_recipe(const std::map<std::string, std::string>& found,
                         const std::map<std::string, std::string>& wanted) {
  for (const auto& [key, value] : wanted) {
    const auto other = found.find(key);
    const std::string text = other == found.end() ? "unknown" : other->second;
    if (text != value)
      throw_bad_input(
          fmt::format("was collected with another recipe: {} is {}, not {}", key, text, value));
  }
  if (found.size() != wanted.size())
    throw_bad_input("was collected with a recipe that has other keys");
}

void include(SeenData& whole, const SeenData& part) {
  if (part.samples != whole.samples)
    throw_bad_input(fmt::format("holds a part of {} samples, the parts before of {}", part.samples,
                                whole.samples));
  if (part.shards != whole.shards) {
    const auto name = [](const SeenData& data) {
      return data.shards == 1 ? std::string("the whole")
                              : fmt::format("one of {} shards", data.shards);
    };
    throw_bad_input(fmt::format("holds {} of the same data of which another part holds {}",
                                name(part), name(whole)));
  }
  for (const std::size_t shard : part.held)
    if (!whole.held.insert(shard).second)
      throw_bad_input(
          whole.shards == 1
              ? std::string("holds the same data as a part before: they would count twice")
              : fmt::format("holds shard {}/{}, which is in a part before: its samples "
                            "would count twice",
                            shard, whole.shards));
}

Json to_json(const std::string& name, const SeenData& data) {
  Json json{{"name", name}, {"samples", data.samples}};
  if (data.shards == 1) return json;
  json["shards"] = data.shards;
  json["held"] = data.held;
  return json;
}

template <typename T>
T required(const Json& object, const std::string& key) {
  if (!object.is_object() || !object.contains(key))
    throw_bad_input(fmt::format("'{}' is missing", key));
  return value_or(object, key, T{});
}

std::size_t positive(const Json& json) {
  if (!json.is_number_integer() || json.get<std::int64_t>() < 1)
    throw_bad_input(fmt::format("expected a number from 1 on, found {}", json.dump()));
  return json.get<std::size_t>();
}

SeenData data_from_json(const Json& json) {
  refuse_unknown_keys(json, {"name", "samples", "shards", "held"});
  SeenData data{.samples = required<std::int64_t>(json, "samples"), .held = {1}};
  if (!json.contains("shards")) return data;
  data.shards = while_doing("'shards'", [&] { return positive(json.at("shards")); });
  data.held.clear();
  for (const Json& shard : required<Json>(json, "held")) {
    const std::size_t index = while_doing("'held'", [&] { return positive(shard); });
    if (index > data.shards)
      throw_bad_input(fmt::format("'held': there is no shard {} of {}", index, data.shards));
    data.held.insert(index);
  }
  return data;
}

}  // namespace

void merge(StatsOrigin& whole, const StatsOrigin& part) {
  require_same("from another model", part.model, whole.model);
  require_same("by another version of ocs", part.version, whole.version);
  require_same("by another build of ocs", part.build, whole.build);
  require_same_recipe(part.recipe, whole.recipe);
  for (const auto& [name, seen] : part.data) {
    const auto [found, is_new] = whole.data.try_emplace(name, seen);
    if (!is_new) include(found->second, seen);
    SeenData& data = found->second;
    if (data.held.size() == data.shards) data = {.samples = data.samples, .shards = 1, .held = {1}};
  }
}

void require_whole(const StatsOrigin& origin) {
  for (const auto& [name, data] : origin.data) {
    std::vector<std::string> missing;
    for (std::size_t shard = 1; shard <= data.shards; ++shard)
      if (!data.held.contains(shard))
        missing.push_back(to_text(Shard{.index = shard, .count = data.shards}));
    if (!missing.empty())
      throw_bad_input(fmt::format("shard {} of the data {} missing", fmt::join(missing, ", "),
                                  missing.size() == 1 ? "is" : "are"));
  }
}

void require_fit(const StatsOrigin& origin, std::string_view model) {
  if (origin.model != model)
    throw_bad_input(fmt::format("was collected from another model (SHA-256 {}, this one's is {})",
                                short_hash(origin.model), short_hash(model)));
}

Json to_json(const StatsOrigin& origin) {
  Json recipe = Json::object();
  for (const auto& [key, value] : origin.recipe) recipe[key] = parse_json(value, key);
  Json data = Json::array();
  for (const auto& [name, seen] : origin.data) data.push_back(to_json(name, seen));
  return {{"model", origin.model},
          {"version", origin.version},
          {"build", origin.build},
          {"recipe", std::move(recipe)},
          {"data", std::move(data)}};
}

StatsOrigin origin_from_json(const Json& json) {
  refuse_unknown_keys(json, {"model", "version", "build", "recipe", "data"});
  StatsOrigin origin{.model = required<std::string>(json, "model"),
                     .version = required<std::string>(json, "version"),
                     .build = required<std::string>(json, "build")};
  const auto recipe = required<Json>(json, "recipe");
  if (!recipe.is_object()) throw_bad_input("'recipe' must be an object");
  for (const auto& [key, value] : recipe.items()) origin.recipe[key] = value.dump();
  const auto data = required<Json>(json, "data");
  if (!data.is_array()) throw_bad_input("'data' must be an array");
  for (const Json& seen : data) {
    const auto name = while_doing("'data'", [&] { return required<std::string>(seen, "name"); });
    if (!origin.data.emplace(name, while_doing("'data'", [&] { return data_from_json(seen); }))
             .second)
      throw_bad_input(fmt::format("'data' holds '{}' twice", name));
  }
  return origin;
}

}  // namespace ocs
