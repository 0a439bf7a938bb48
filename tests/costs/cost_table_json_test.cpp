#include "ocs/costs/cost_table_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::Property;
using testing::Throws;

void expect_refused(const Json& json, const std::string& words) {
  EXPECT_THAT([&] { static_cast<void>(parse_cost_table(json)); },
              Throws<Error>(Property(&Error::what, HasSubstr(words))));
}

TEST(CostTableJson, ComesBackAsItWas) {
  const CostTable& costs = default_costs();
  EXPECT_EQ(parse_cost_table(to_json(costs)), costs);
  EXPECT_EQ(hash_of(costs).size(), 64U);
}

TEST(CostTableJson, HashesWhatPredicts) {
  CostTable costs = default_costs();
  costs.machine = "another";
  costs.median_error = 0.5;
  EXPECT_EQ(hash_of(costs), hash_of(default_costs()));
  costs.moves[0].value += 1.0;
  EXPECT_NE(hash_of(costs), hash_of(default_costs()));
}

TEST(CostTableJson, NamesWhatIsWrong) {
  const Json good = to_json(default_costs());
  expect_refused(Json::array(), "is no cost table");
  Json json = good;
  json["version"] = 1;
  expect_refused(json, "of another version");
  json = good;
  json["kernels"]["spatial"]["patch"] = -1.0;
  expect_refused(json, "kernels: spatial: 'patch' is negative");
  json = good;
  json["moves"]["gather"].erase("value");
  expect_refused(json, "moves: gather: 'value' is missing");
  json = good;
  json["moves"].erase("slice");
  expect_refused(json, "moves: 'slice' must be an object");
  json = good;
  json["input_multiple"] = 0;
  expect_refused(json, "'input_multiple' must be 1 or more");
  json = good;
  json["kernels"]["winograd"] = Json::object();
  expect_refused(json, "winograd");
}

// The fastest units of today's processors (AMX) make a product in .2 picoseconds; a nanosecond for one would be no kernel of vectors.
TEST(CostTableJson, HasADefaultThatIsPlausible) {
  for (const KernelCost& cost : default_costs().kernels) {
    EXPECT_GT(cost.multiply, 2e-4);
    EXPECT_LT(cost.multiply, 1.0);
  }
  for (const MoveCost& cost : default_costs().moves) EXPECT_GT(cost.node + cost.value, 0.0);
}

}  // namespace
}  // namespace ocs
