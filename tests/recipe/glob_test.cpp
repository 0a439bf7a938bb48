#include "ocs/recipe/glob.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ocs {
namespace {

TEST(GlobMatches, FitsWholeTextsOnly) {
  EXPECT_TRUE(glob_matches("conv1", "conv1"));
  EXPECT_FALSE(glob_matches("conv1", "conv10"));
  EXPECT_FALSE(glob_matches("conv1", "a/conv1"));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("", "a"));
}

TEST(GlobMatches, LetsAStarCrossSlashes) {
  EXPECT_TRUE(glob_matches("*/conv", "model/layer1/0/conv"));
  EXPECT_TRUE(glob_matches("model*", "model"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_FALSE(glob_matches("?", ""));
}

TEST(GlobMatches, TakesSetsRangesAndNegations) {
  EXPECT_TRUE(glob_matches("conv[12]", "conv2"));
  EXPECT_FALSE(glob_matches("conv[12]", "conv3"));
  EXPECT_TRUE(glob_matches("conv[0-4]*", "conv4_bn"));
  EXPECT_TRUE(glob_matches("conv[!0-4]", "conv7"));
  EXPECT_FALSE(glob_matches("conv[!0-4]", "conv2"));
  EXPECT_TRUE(glob_matches("a[]]b", "a]b"));
  EXPECT_TRUE(glob_matches("a[x-]b", "a-b"));
}

TEST(GlobMatches, TakesAnUnfinishedSetAndEscapesAsTheyStand) {
  EXPECT_TRUE(glob_matches("a[b", "a[b"));
  EXPECT_TRUE(glob_matches("a\\*", "a*"));
  EXPECT_FALSE(glob_matches("a\\*", "ab"));
  EXPECT_TRUE(glob_matches("a\\", "a\\"));
}

// The definition, by recursion: exponential, and so for small worlds only.
bool obviously_matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return obviously_matches(pattern.substr(1), text) ||
           (!text.empty() && obviously_matches(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         obviously_matches(pattern.substr(1), text.substr(1));
}

std::vector<std::string> all_words(std::string_view letters, std::size_t longest) {
  std::vector<std::string> words{""};
  for (std::size_t begin = 0, length = 0; length < longest; ++length) {
    const std::size_t end = words.size();
    for (; begin < end; ++begin) {
      for (const char letter : letters) words.push_back(words[begin] + letter);
    }
  }
  return words;
}

TEST(GlobMatches, AgreesWithItsDefinitionOnEverySmallPattern) {
  const std::vector<std::string> texts = all_words("ab", 5);
  for (const std::string& pattern : all_words("ab*?", 5)) {
    for (const std::string& text : texts) {
      ASSERT_EQ(glob_matches(pattern, text), obviously_matches(pattern, text))
          << '\'' << pattern << "' on '" << text << '\'';
    }
  }
}

TEST(GlobMatches, StaysQuickWithManyStars) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace ocs
