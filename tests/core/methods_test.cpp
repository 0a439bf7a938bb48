#include "ocs/core/methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

struct Plain {
  static constexpr std::string_view name = "plain";
  static constexpr std::string_view help = "no options";
  static constexpr auto fields() { return std::tuple{}; }
  bool operator==(const Plain&) const = default;
};
struct Rich {
  static constexpr std::string_view name = "rich";
  static constexpr std::string_view help = "three options";
  double share = 0.5;
  bool fast = false;
  double steps = 3;
  static constexpr auto fields() {
    return std::tuple{Field{"share", &Rich::share, "a number"},
                      Field{"fast", &Rich::fast, "a switch"},
                      Field{"steps", &Rich::steps, "another number"}};
  }
  [[nodiscard]] std::string_view problem() const {
    return share > 0.0 ? "" : "share must be positive";
  }
  bool operator==(const Rich&) const = default;
};
using Choice = std::variant<Plain, Rich>;

Choice parse(std::string_view text) { return parse_method<Choice>(text, "way"); }
auto fails_with(const std::string& message) { return testing::ThrowsMessage<Error>(message); }

TEST(ParseMethod, ReadsNumbersInOrderAndSwitchesByName) {
  EXPECT_EQ(parse("plain"), Choice(Plain{}));
  EXPECT_EQ(parse("rich"), Choice(Rich{}));
  EXPECT_EQ(parse("rich:0.25"), Choice(Rich{.share = 0.25}));
  EXPECT_EQ(parse("rich:fast"), Choice(Rich{.fast = true}));
  EXPECT_EQ(parse("rich:1e-3,fast,7"), Choice(Rich{.share = 1e-3, .fast = true, .steps = 7}));
}

TEST(ParseMethod, SaysWhatItDoesNotUnderstand) {
  EXPECT_THAT([] { (void)parse("plane"); },
              fails_with("no way named 'plane' (did you mean 'plain'?); known: plain, rich"));
  EXPECT_THAT([] { (void)parse("plain:3"); }, fails_with("'plain' takes no option '3'"));
  EXPECT_THAT([] { (void)parse("rich:"); }, fails_with("'rich:': '' is not a number"));
  EXPECT_THAT([] { (void)parse("rich:1x"); }, fails_with("'rich:1x': '1x' is not a number"));
  EXPECT_THAT([] { (void)parse("rich:nan"); },
              fails_with("'rich:nan': 'nan' is not a finite number"));
  EXPECT_THAT([] { (void)parse("rich:1,2,3"); }, fails_with("'rich' takes no option '3'"));
  EXPECT_THAT([] { (void)parse("rich:-1"); }, fails_with("'rich:-1': share must be positive"));
}

TEST(MethodText, IsReadBackToTheSameMethod) {
  for (const Choice& choice :
       {Choice(Plain{}), Choice(Rich{}), Choice(Rich{.share = 0.1, .fast = true, .steps = 12})})
    EXPECT_EQ(parse(method_text(choice)), choice) << method_text(choice);
  EXPECT_EQ(method_text(Choice(Rich{.share = 99.99, .fast = true})), "rich:99.99,fast,3");
}

TEST(DescribeMethods, ListsNamesAndOptionsInOrder) {
  EXPECT_THAT(method_names<Choice>(), testing::ElementsAre("plain", "rich"));
  const auto texts = describe_methods<Choice>();
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0].help, "no options");
  ASSERT_EQ(texts[1].options.size(), 3U);
  EXPECT_EQ(texts[1].options[1].name, "fast");
  EXPECT_TRUE(texts[1].options[1].is_switch);
  EXPECT_FALSE(texts[1].options[2].is_switch);
}

}  // namespace
}  // namespace ocs
