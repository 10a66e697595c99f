#include "training/report.h"

#include <cmath>

#include "base/file.h"
#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Two stages of five steps.
RunHistory history() {
  RunHistory made;
  made.facts = {{"jina", "0.1.0"}, {"libtorch", "2.11.0 <cpu>"}};
  made.data = {
      {.name = "first", .numbers = {{"rows", 12'345}, {"tokens", 1.5e6}}, .removed = {{"near duplicates", 17}}},
      {.name = "second", .numbers = {{"rows", 7}}}};
  for (int64_t overall = 1; overall <= 10; ++overall) {
    made.steps.push_back({.stage = overall <= 5 ? "mlm" : "pairs",
                          .step = (overall - 1) % 5 + 1,
                          .steps = 5,
                          .overall = overall,
                          .overall_steps = 20,
                          .loss = 3.0 / static_cast<double>(overall),
                          .terms = {{overall <= 5 ? "mlm" : "info_nce", 1}},
                          .gradient_norm = 0.5,
                          .learning_rate = 1e-4,
                          .tokens = 4000,
                          .seconds = 2,
                          .memory_bytes = 3'000'000'000});
  }
  made.evaluations = {{"dev", "spearman", "mlm", 5, 0.7}, {"dev", "spearman", "pairs", 10, 0.8}};
  return made;
}

TEST(Report, HoldsAllThatIsKnown) {
  const std::string html = report_html(history(), {.title = "tiny", .recipe = "seed = 1"});
  for (const char* part :
       {"<h1>tiny</h1>", "10 of 20 steps, stage pairs; 40,000 tokens in 20 s of steps, 2,000 tokens/s; at most 3.0 GB",
        "<h3>Loss</h3><p class=\"note\">last 0.3</p>", "<h3>Loss: mlm</h3>", "<h3>Loss: info_nce</h3>",
        "<h3>Gradient norm</h3>", "<h3>Learning rate</h3>", "<h3>Tokens per second</h3>", "<h3>dev: spearman</h3>",
        "<title>step 10: 0.8</title>", "<td>first</td><td>12,345</td><td>1,500,000</td>",
        "<td>second</td><td>7</td><td></td>", "<h2>Removed before training</h2>", "<td>first</td><td>17</td>",
        "<pre>seed = 1</pre>", "2.11.0 &lt;cpu&gt;", "prefers-color-scheme: dark"}) {
    EXPECT_THAT(html, HasSubstr(part));
  }
}

TEST(Report, NeedsNothingElse) {
  const std::string html = report_html(history(), {.title = "tiny", .recipe = "seed = 1"});
  for (const char* part : {"<script", "http://", "https://", "<link", "@import", "url(", "src="}) {
    EXPECT_THAT(html, Not(HasSubstr(part)));
  }
}

TEST(Report, EscapesWhatOthersWrote) {
  RunHistory made = history();
  made.steps[0].stage = "<b>stage";
  made.steps[1].terms = {{"<b>term", 1}};
  made.data[0].name = "<b>data";
  made.data[0].numbers["<b>number"] = 1;
  made.data[0].removed["<b>filter"] = 1;
  made.evaluations[0].name = "<b>evaluation";
  made.evaluations[0].metric = "<b>metric";
  made.facts["<b>fact"] = "<b>value";
  const std::string html = report_html(made, {.title = "<b>title", .recipe = "<b>recipe & \"quotes\""});
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  for (const char* part :
       {"stage", "term", "data", "number", "filter", "evaluation", "metric", "fact", "value", "title"}) {
    EXPECT_THAT(html, HasSubstr(std::string("&lt;b&gt;") + part));
  }
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;recipe &amp; &quot;quotes&quot;"));
}

TEST(Report, OfARunThatHasNotBegun) {
  const std::string html = report_html({}, {.title = "new", .recipe = ""});
  EXPECT_THAT(html, HasSubstr("No step has been taken yet."));
  EXPECT_THAT(html, Not(HasSubstr("<svg")));
}

TEST(Report, ValuesThatAreNotFiniteAreCounted) {
  RunHistory made = history();
  made.steps[3].loss = std::nan("");
  made.steps[4].loss = INFINITY;
  EXPECT_THAT(report_html(made, {}), HasSubstr("last 0.3; 2 values were not finite"));
}

TEST(Report, StaysSmallForLongRuns) {
  RunHistory made;
  for (int64_t overall = 1; overall <= 100'000; ++overall) {
    made.steps.push_back({.stage = "mlm",
                          .step = overall,
                          .steps = 100'000,
                          .overall = overall,
                          .overall_steps = 100'000,
                          .loss = 2 + std::sin(static_cast<double>(overall)),
                          .tokens = 1,
                          .seconds = 1});
  }
  EXPECT_LT(report_html(made, {}).size(), 200'000u);
}

TEST(Report, IsWrittenFromALog) {
  const test::TemporaryDirectory files;
  {
    RunLog log = RunLog::create(files.path("log.jsonl"));
    for (const StepReport& step : history().steps) log.write_step(step);
  }
  write_report(files.path("log.jsonl"), files.path("report.html"), {.title = "tiny", .recipe = "seed = 1"});
  EXPECT_THAT(read_file(files.path("report.html")), HasSubstr("10 of 20 steps"));
  test::expect_error(ErrorKind::kNotFound, "none.jsonl",
                     [&] { write_report(files.path("none.jsonl"), files.path("report.html"), {}); });
}

}  // namespace
}  // namespace jina
