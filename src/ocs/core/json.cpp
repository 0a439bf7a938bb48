#include "ocs/core/json.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "ocs/core/closest.h"
#include "ocs/core/error.h"

namespace ocs {

Json parse_json(std::string_view text, const std::string& name) {
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& error) {
    // Also out_of_range, for a number like 1e999. The library's text opens with an id in brackets that means nothing to a user.
    const std::string what = error.what();
    const std::size_t end_of_id = what.find("] ");
    throw_bad_input(name + ": not valid JSON: " +
                    (end_of_id == std::string::npos ? what : what.substr(end_of_id + 2)));
  }
}

Json read_json(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw_bad_input(file.string() + ": cannot be read");
  std::ostringstream text;
  text << stream.rdbuf();
  return parse_json(text.str(), file.string());
}

void refuse_unknown_keys(const Json& object, const std::vector<std::string>& known) {
  if (!object.is_object()) throw_bad_input("expected a JSON object, found " + object.dump());
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    throw_bad_input("unknown key '" + key + "'" + did_you_mean(key, known));
  }
}

std::string to_text(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace);
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

namespace detail {
void throw_wrong_value(const std::string& key, const Json& value, const char* /*reason*/) {
  throw_bad_input("'" + key + "' has a value of the wrong type: " + value.dump());
}
}  // namespace detail

}  // namespace ocs
