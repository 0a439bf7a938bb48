// The one door to the JSON library (nlohmann): ordered objects, unknown keys refused, errors that name the file.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace ocs {

using Json = nlohmann::ordered_json;

// Parses a text or a file. Throws Error(bad_input) with the name and the position.
[[nodiscard]] Json parse_json(std::string_view text, const std::string& name);
[[nodiscard]] Json read_json(const std::filesystem::path& file);

// Throws Error(bad_input) naming the first key of `object` that is not in `known`, with the nearest known key as a suggestion.
void refuse_unknown_keys(const Json& object, const std::vector<std::string>& known);

// Value of `key` as T, or `fallback` where the key is absent. Throws Error(bad_input) naming key and expected type.
template <typename T>
[[nodiscard]] T value_or(const Json& object, const std::string& key, T fallback);

// The text of a value, two blanks a level. Bytes that are not UTF-8 (a name out of a broken model) come
// out as U+FFFD instead of an exception.
[[nodiscard]] std::string to_text(const Json& value);

// A double as JSON: null where it is not finite (JSON has no infinity).
[[nodiscard]] Json number(double value);

namespace detail {
[[noreturn]] void throw_wrong_value(const std::string& key, const Json& value, const char* reason);
}

template <typename T>
T value_or(const Json& object, const std::string& key, T fallback) {
  const auto found = object.find(key);
  if (found == object.end()) return fallback;
  try {
    return found->template get<T>();
  } catch (const nlohmann::json::exception& error) {
    detail::throw_wrong_value(key, *found, error.what());
  }
}

}  // namespace ocs
