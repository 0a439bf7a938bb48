#include "ocs/sweep/share.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ocs {
namespace {

SweepSpec grid(std::size_t rows, std::size_t columns, bool best) {
  SweepSpec spec;
  for (std::size_t i = 0; i < rows; ++i) spec.rows.push_back({.name = "r" + std::to_string(i)});
  for (std::size_t i = 0; i < columns; ++i)
    spec.columns.push_back({.name = "c" + std::to_string(i)});
  if (best) spec.columns.back().best_of = {"c0"};
  return spec;
}

// Two cells in the first column are equal, all others differ.
std::vector<std::vector<std::string>> keys_of(const SweepSpec& spec) {
  std::vector<std::vector<std::string>> keys(spec.rows.size());
  for (std::size_t row = 0; row < keys.size(); ++row)
    for (std::size_t column = 0; column < spec.columns.size(); ++column)
      keys[row].push_back(
          column == 0 && row < 2 ? "equal" : std::to_string(row) + "," + std::to_string(column));
  return keys;
}

TEST(ShareOf, GivesEveryPointToOneShard) {
  for (std::size_t rows = 1; rows <= 4; ++rows)
    for (std::size_t columns = 1; columns <= 3; ++columns)
      for (std::size_t count = 1; count <= 7; ++count) {
        const SweepSpec spec = grid(rows, columns, false);
        const auto keys = keys_of(spec);
        std::size_t references = 0;
        std::size_t computed = 0;
        std::set<std::string> all;
        for (std::size_t index = 1; index <= count; ++index) {
          const SweepShare share = share_of(spec, keys, {.index = index, .count = count});
          references += share.reference ? 1 : 0;
          std::set<std::string> mine;
          for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t column = 0; column < columns; ++column)
              if (share.cells[row][column]) mine.insert(keys[row][column]);
          computed += mine.size();
          all.insert(mine.begin(), mine.end());
        }
        std::set<std::string> distinct;
        for (const auto& row : keys) distinct.insert(row.begin(), row.end());
        EXPECT_EQ(references, 1U);
        EXPECT_EQ(all, distinct);
        EXPECT_EQ(computed, distinct.size()) << "a point is computed in two shards";
      }
}

TEST(ShareOf, KeepsRowsTogetherWhereOneColumnTakesTheBestOfOthers) {
  const SweepSpec spec = grid(4, 3, true);
  std::vector<int> owners(4, 0);
  for (std::size_t index = 1; index <= 3; ++index) {
    const SweepShare share = share_of(spec, keys_of(spec), {.index = index, .count = 3});
    for (std::size_t row = 0; row < 4; ++row) {
      EXPECT_EQ(share.cells[row], std::vector<bool>(3, share.cells[row][0])) << row;
      owners[row] += share.cells[row][0] ? 1 : 0;
    }
  }
  EXPECT_EQ(owners, std::vector<int>(4, 1));
}

TEST(ShareOf, GivesAWholeSweepEverything) {
  const SweepSpec spec = grid(2, 2, false);
  const SweepShare share = share_of(spec, keys_of(spec), {});
  EXPECT_TRUE(share.reference);
  EXPECT_EQ(share.cells, std::vector(2, std::vector<bool>(2, true)));
}

}  // namespace
}  // namespace ocs
