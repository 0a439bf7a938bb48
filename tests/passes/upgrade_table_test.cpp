#include "ocs/passes/upgrade_table.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using Effect = Change::Effect;

// Operator -> the opsets that defined it.
std::map<std::string, std::vector<int>> operator_versions() {
  std::ifstream file(OCS_SOURCE_DIR "/tests/passes/operator_versions.txt");
  std::map<std::string, std::vector<int>> found;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    for (int version = 0; words >> version;) found[name].push_back(version);
  }
  return found;
}

TEST(UpgradeTable, KnowsEveryOperatorOfTheStandard) {
  const auto versions = operator_versions();
  ASSERT_EQ(versions.size(), 198U) << "the list was not read";
  for (const auto& [name, opsets] : versions) EXPECT_TRUE(is_standard_operator(name)) << name;
  EXPECT_FALSE(is_standard_operator("ImageScaler"));
  EXPECT_FALSE(is_standard_operator(""));
}

TEST(UpgradeTable, DecidesOnEveryChange) {
  int decided = 0;
  for (const auto& [name, opsets] : operator_versions()) {
    for (std::size_t i = 1; i < opsets.size(); ++i) {
      if (opsets[i] <= oldest_opset) continue;
      const Change change = change_of(name, opsets[i]);
      EXPECT_NE(change.effect, Effect::none) << name << " of opset " << opsets[i];
      EXPECT_FALSE(change.reason.empty()) << name << " of opset " << opsets[i];
      EXPECT_EQ(change.effect == Effect::rewritten, change.rule != nullptr) << name;
      ++decided;
    }
  }
  EXPECT_GT(decided, 330);
}

TEST(UpgradeTable, ClaimsNoChangeThatTheStandardDoesNotKnow) {
  for (const auto& [name, opsets] : operator_versions()) {
    for (int version = oldest_opset + 1; version <= newest_opset; ++version) {
      const bool defined =
          std::ranges::find(opsets, version) != opsets.end() && version != opsets.front();
      const bool is_late = name == "Upsample" && version == 11;  // replaced one opset late
      EXPECT_EQ(change_of(name, version).effect != Effect::none, defined || is_late)
          << name << " of opset " << version;
    }
  }
}

// A row of docs/reading.md for each rule and each refusal: "| operators | opset | ..".
TEST(UpgradeTable, IsTheOneOfTheDocs) {
  std::ifstream file(OCS_SOURCE_DIR "/docs/reading.md");
  std::set<std::pair<std::string, int>> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    std::string names;
    char bar = 0;
    int version = 0;
    if (!line.starts_with("| ") || !std::getline(cells.ignore(1), names, '|') ||
        !(cells >> version >> bar) || bar != '|')
      continue;
    std::ranges::replace(names, ',', ' ');
    std::istringstream words(names);
    for (std::string name; words >> name;) rows.emplace(name, version);
  }
  std::set<std::pair<std::string, int>> table;
  for (const auto& [name, opsets] : operator_versions()) {
    for (int version = oldest_opset + 1; version <= newest_opset; ++version) {
      const Effect effect = change_of(name, version).effect;
      if (effect == Effect::rewritten || effect == Effect::refused) table.emplace(name, version);
    }
  }
  EXPECT_EQ(rows, table);
}

}  // namespace
}  // namespace ocs
