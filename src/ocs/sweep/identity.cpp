#include "ocs/sweep/identity.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "ocs/core/error.h"
#include "ocs/core/sha256.h"
#include "ocs/recipe/recipe_json.h"
#include "ocs/recipe/recipe_keys.h"
#include "ocs/recipe/target_form.h"

namespace ocs {

namespace fs = std::filesystem;

std::string sha256_of_path(const fs::path& path) {
  if (path.empty()) return "";
  if (!fs::is_directory(path)) return sha256_of_file(path);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(path));
  std::ranges::sort(files);
  Sha256 hash;
  for (const fs::path& file : files) {
    hash.add(file.generic_string());
    hash.add(std::string_view("\0", 1));
    hash.add(sha256_of_file(path / file));
  }
  return hash.finish();
}

Json changed_keys(const Recipe& recipe) {
  const Recipe plain;
  Json changed = Json::object();
  for (const RecipeKey& key : recipe_keys()) {
    Json value = key.get(recipe);
    if (value != key.get(plain)) changed[std::string(key.name)] = std::move(value);
  }
  return changed;
}

std::string running_build() {
  const fs::path program = "/proc/self/exe";
  return fs::exists(program) ? sha256_of_file(program).substr(0, 16) : "";
}

std::string point_key(const Recipe* recipe, const EvaluationCut& cut, const Json& data) {
  Json settings = "float";
  if (recipe != nullptr) {
    settings = to_json(*recipe);
    settings.erase("name");
  }
  const Json identity{{"recipe", std::move(settings)},
                      {"cut", {{"count", cut.count}, {"batch", cut.batch}, {"window", cut.window}}},
                      {"data", data}};
  return sha256(identity.dump());
}

Recipe calibration_part(const Recipe& recipe) {
  Recipe part{.fold_batchnorm = recipe.fold_batchnorm,
              .seed = recipe.seed,
              .calib_count = recipe.calib_count,
              .calib_settle = recipe.calib_settle};
  // Statistics of the results as well.
  if (target_form(recipe.target).quantizes_results) part.target = recipe.target;
  if (recipe.calib_settle == 0.0) return part;
  // What the ranges are whose settling ends it.
  part.act_bits = recipe.act_bits;
  part.act_range = recipe.act_range;
  part.act_clip = recipe.act_clip;
  return part;
}

}  // namespace ocs
