#include "ocs/sweep/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::Not;

class Plot : public testing::Test {
 protected:
  Plot() {
    spec_.title = "a < b";
    spec_.rows = {{.name = "4"}, {.name = "3"}};
    spec_.columns = {{.name = "none"}, {.name = "kl & co"}};
    spec_.has_columns = true;
    result_.leading = find_figure("top1");
    result_.reference.top1 = 80.0;
    result_.cells = {{{.result = {.top1 = 70.0}}, {.result = {.top1 = 80.0}}},
                     {{.result = {.top1 = 60.0}}, {}}};
  }
  SweepSpec spec_{};
  SweepResult result_{};
};

// The plot is 520 wide from x = 70 and 320 high from y = 50: two rows stand at a quarter and three.
TEST_F(Plot, HasALineForEachColumn) {
  const std::string svg = to_svg(spec_, result_);
  EXPECT_THAT(svg, HasSubstr(R"(<polyline points="200.0,210.0 460.0,370.0")"));
  EXPECT_THAT(svg, HasSubstr(R"(<polyline points="200.0,50.0")"));  // nothing for the missing one
  EXPECT_THAT(svg, HasSubstr(">none</text>"));
  EXPECT_THAT(svg, HasSubstr(">float</text>"));
}

TEST_F(Plot, EscapesText) {
  const std::string svg = to_svg(spec_, result_);
  EXPECT_THAT(svg, HasSubstr(">a &lt; b</text>"));
  EXPECT_THAT(svg, HasSubstr(">kl &amp; co</text>"));
}

TEST_F(Plot, IsLogarithmicForLargePerplexities) {
  result_ = {.leading = find_figure("perplexity")};
  result_.cells = {{{.result = {.perplexity = 100.0}}, {.result = {.perplexity = 1000.0}}},
                   {{.result = {.perplexity = 10000.0}}, {}}};
  const std::string svg = to_svg(spec_, result_);
  EXPECT_THAT(svg, HasSubstr(R"(<polyline points="200.0,370.0 460.0,50.0")"));
  EXPECT_THAT(svg, HasSubstr(R"(<polyline points="200.0,210.0")"));  // half way up
}

TEST_F(Plot, HasRoundNumbersAtItsLines) {
  result_.reference.top1 = 78.0;
  result_.cells = {{{.result = {.top1 = 70.2}}, {}}, {{.result = {.top1 = 0.4}}, {}}};
  const std::string svg = to_svg(spec_, result_);
  for (const char* tick : {">0<", ">10<", ">40<", ">70<", ">80<"})
    EXPECT_THAT(svg, HasSubstr(tick));
  EXPECT_THAT(svg, Not(HasSubstr(">78<")));
  // From 0 to 80.
  EXPECT_THAT(svg, HasSubstr(R"(<polyline points="200.0,89.2 460.0,368.4")"));
}

TEST_F(Plot, HasRoundNumbersOnALogarithmicScale) {
  result_ = {.leading = find_figure("perplexity")};
  result_.cells = {{{.result = {.perplexity = 145.0}}, {}},
                   {{.result = {.perplexity = 5794.0}}, {}}};
  const std::string svg = to_svg(spec_, result_);
  for (const char* tick : {">100<", ">200<", ">500<", ">1000<", ">10000<"})
    EXPECT_THAT(svg, HasSubstr(tick));
  EXPECT_THAT(svg, Not(HasSubstr(">20000<")));
}

// One line needs no legend.
TEST_F(Plot, IsNarrowWithoutALegend) {
  EXPECT_THAT(to_svg(spec_, result_), HasSubstr("viewBox=\"0 0 820 "));
  spec_.columns = {{}};
  spec_.has_columns = false;
  result_.reference.top1.reset();
  EXPECT_THAT(to_svg(spec_, result_), HasSubstr("viewBox=\"0 0 610 "));
}

TEST_F(Plot, StandsWithoutAnyValue) {
  result_ = {.leading = find_figure("top1")};
  result_.cells.assign(2, std::vector<SweepCell>(2));
  const std::string svg = to_svg(spec_, result_);
  EXPECT_THAT(svg, HasSubstr("</svg>\n"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace ocs
