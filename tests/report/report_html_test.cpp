#include "ocs/report/report_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/sample_report.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(ReportHtml, NeedsNothingFromElsewhere) {
  const std::string html = to_html(sample_report());
  for (const char* part : {"http:", "https:", "src=", "<link", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(part)));
}

TEST(ReportHtml, EscapesWhatComesFromTheModel) {
  Report report = sample_report();
  report.layers[0].node = "<script>alert(1)</script>";
  report.layers[0].form = "<i>";
  report.outputs[0].name = "\"><b>";
  report.notes[0].text = "<img>";
  report.output = "<out>.onnx";
  report.recipe.keep_float = {"<pattern>"};
  const std::string html = to_html(report);
  for (const char* part :
       {"<script>alert", "<i>", "<img>", "<out>", "<pattern>", "\"><b>", "conv<2>"}) {
    EXPECT_THAT(html, Not(HasSubstr(part)));
  }
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)"));
}

TEST(ReportHtml, ClosesWhatItOpens) {
  const std::string html = to_html(sample_report());
  for (const char* tag :
       {"table",   "thead",  "tbody", "tr",  "td",   "th",   "dl",   "div",    "svg", "ul", "li",
        "details", "script", "style", "pre", "html", "head", "body", "button", "dt",  "dd"}) {
    const std::string name(tag);
    // An opening tag goes on with '>' or an attribute.
    EXPECT_EQ(count_of(html, "<" + name + ">") + count_of(html, "<" + name + " "),
              count_of(html, "</" + name + ">"))
        << tag;
  }
}

TEST(ReportHtml, HasARowForEachLayerAndABarForEachMeasuredOne) {
  const std::string html = to_html(sample_report());
  EXPECT_EQ(count_of(html, "<td class=\"name\">"),
            5U + 2U);  // layers, and the two groups of reasons
  EXPECT_EQ(count_of(html, "<svg"), 1U);
  EXPECT_THAT(html, HasSubstr("data-v=\"31.25\""));
  EXPECT_THAT(html, HasSubstr("<dt>proofs</dt>"));
  EXPECT_THAT(html, HasSubstr("recurrent operators stay float"));
}

TEST(ReportHtml, WarnsOfMadeUpData) {
  Report report = sample_report();
  EXPECT_THAT(to_html(report), Not(HasSubstr("class=\"warning\"")));
  report.synthetic = true;
  EXPECT_THAT(to_html(report), HasSubstr("class=\"warning\""));
}

}  // namespace
}  // namespace ocs
