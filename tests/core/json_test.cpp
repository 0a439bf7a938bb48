#include "ocs/core/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(ParseJson, NamesTheFileOfABrokenText) {
  EXPECT_THAT([] { (void)parse_json("{\"a\": ", "recipe.json"); },
              ThrowsMessage<Error>(HasSubstr("recipe.json: not valid JSON")));
}

TEST(ParseJson, RefusesANumberThatNoDoubleHolds) {
  EXPECT_THAT([] { (void)parse_json("{\"a\": 1e999}", "recipe.json"); },
              ThrowsMessage<Error>(HasSubstr("recipe.json: not valid JSON")));
}

TEST(RefuseUnknownKeys, SuggestsTheNearestName) {
  const Json object = parse_json(R"({"weight_bit": 4})", "r");
  EXPECT_THAT(
      [&] {
        refuse_unknown_keys(object, {"weight_bits", "act_bits"});
      },
      ThrowsMessage<Error>("unknown key 'weight_bit' (did you mean 'weight_bits'?)"));
}

TEST(ValueOr, NamesTheKeyOfAWrongType) {
  const Json object = parse_json(R"({"bits": "four"})", "r");
  EXPECT_THAT([&] { (void)value_or(object, "bits", 8); },
              ThrowsMessage<Error>(HasSubstr("'bits'")));
  EXPECT_EQ(value_or(object, "other", 8), 8);
}

TEST(ToText, ReplacesBytesThatAreNoUtf8) { EXPECT_EQ(to_text(Json("a\xff")), "\"a\uFFFD\""); }

TEST(WhileDoing, PutsTheActionInFrontAndKeepsTheKind) {
  try {
    while_doing("recipe.json", [] { throw_unsupported("no"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::unsupported);
    EXPECT_STREQ(error.what(), "recipe.json: no");
  }
}

}  // namespace
}  // namespace ocs
