#include "training/report_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace jina {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr ChartFrame kFrame;

/// What stands between the quotes behind `before`.
std::string path_of(const std::string& svg, const std::string& name) {
  const std::string before = "<path class=\"" + name + "\" d=\"";
  const size_t begin = svg.find(before);
  if (begin == std::string::npos) return {};
  return svg.substr(begin + before.size(), svg.find('"', begin + before.size()) - begin - before.size());
}

TEST(ChartSvg, PlacesOfPoints) {
  // From 0 to 4 in steps of 1: 0 lies at the bottom, 4 at the top, step 3 of 1..5 in the middle.
  const std::string svg = chart_svg({.title = "t", .points = {{1, 0}, {3, 4}, {5, 1}}});
  EXPECT_EQ(path_of(svg, "line"), "M64.0 196.0h0L377.0 18.0L690.0 151.5");
  EXPECT_EQ(path_of(svg, "range"), "") << "one point a column";
  EXPECT_THAT(svg, HasSubstr("<text class=\"y\" x=\"58\" y=\"200.0\">0</text>"));
  EXPECT_THAT(svg, HasSubstr("<text class=\"y\" x=\"58\" y=\"22.0\">4</text>"));
  EXPECT_THAT(svg, HasSubstr("<text class=\"x\" x=\"377.0\" y=\"212\">3</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("<circle")));
}

TEST(ChartSvg, ManyPointsShareColumnsAndNoSpikeIsLost) {
  std::vector<ChartPoint> points;
  for (int64_t step = 0; step < 100'000; ++step) points.push_back({step, step % 2 == 0 ? 1.0 : 3.0});
  points[54'321].value = 10;
  const std::string svg = chart_svg({.title = "t", .points = points});
  EXPECT_LT(svg.size(), 40'000u);
  const std::string range = path_of(svg, "range");
  EXPECT_THAT(range, HasSubstr("V18.0")) << "the spike reaches the top";
  EXPECT_LE(std::ranges::count(path_of(svg, "line"), 'L'), 627);
  EXPECT_GT(std::ranges::count(path_of(svg, "line"), 'L'), 620);
}

TEST(ChartSvg, StaysInsideTheFrame) {
  for (const double scale : {1e-12, 1.0, 1e15}) {
    std::vector<ChartPoint> points;
    for (int64_t step = 0; step < 50; ++step) points.push_back({step, scale * std::sin(static_cast<double>(step))});
    const std::string line = path_of(chart_svg({.title = "t", .points = points}), "line");
    for (size_t at = 0; at < line.size(); ++at) {
      if (line[at] != 'L') continue;
      char* end = nullptr;
      const double x = std::strtod(line.c_str() + at + 1, &end);
      const double y = std::strtod(end, nullptr);
      EXPECT_TRUE(x >= kFrame.left && x <= kFrame.right && y >= kFrame.top - 0.05 && y <= kFrame.bottom + 0.05)
          << scale << ": " << x << " " << y;
    }
  }
}

TEST(ChartSvg, WhatIsNotFiniteLeavesAGap) {
  const double nan = std::nan("");
  const std::string svg = chart_svg({.title = "t", .points = {{0, 0}, {1, 1}, {2, nan}, {3, INFINITY}, {4, 1}}});
  EXPECT_EQ(path_of(svg, "line"), "M64.0 196.0h0L220.5 18.0M690.0 18.0h0");
  EXPECT_EQ(chart_svg({.title = "t", .points = {{0, nan}}}), "");
  EXPECT_EQ(chart_svg({.title = "t", .points = {}}), "");
}

TEST(ChartSvg, EqualValuesAndSinglePoints) {
  const std::string flat = chart_svg({.title = "t", .points = {{0, 5}, {10, 5}}});
  EXPECT_THAT(path_of(flat, "line"), HasSubstr("L690.0 "));
  EXPECT_THAT(flat, Not(HasSubstr("nan")));
  EXPECT_THAT(chart_svg({.title = "t", .points = {{7, 0}}}), HasSubstr("<circle cx=\"64.0\" cy=\"107.0\""));
}

TEST(ChartSvg, StagesAndDots) {
  const std::string svg = chart_svg(
      {.title = "a & b", .points = {{0, 1}, {10, 2}}, .stages = {{0, "mlm"}, {5, "<pairs>"}}, .has_dots = true});
  EXPECT_THAT(svg, HasSubstr("aria-label=\"a &amp; b\""));
  EXPECT_THAT(svg, HasSubstr("d=\"M377.0 12V196\""));
  EXPECT_THAT(svg, HasSubstr("&lt;pairs&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr("<title>step 10: 2</title>"));
}

TEST(ChartSvg, StagesWithoutAPartInItAreNotMarked) {
  const std::vector<std::pair<int64_t, std::string>> stages = {{1, "one"}, {11, "two"}, {21, "three"}};
  const std::string second = chart_svg({.title = "t", .points = {{11, 1}, {20, 2}}, .stages = stages});
  EXPECT_THAT(second, HasSubstr("two</text>"));
  EXPECT_THAT(second, Not(HasSubstr("one</text>")));
  EXPECT_THAT(second, Not(HasSubstr("three</text>")));
  const std::string late = chart_svg({.title = "t", .points = {{15, 1}, {25, 2}}, .stages = stages});
  EXPECT_THAT(late, HasSubstr("d=\"M64.0 12V196\"/><text class=\"stage\" x=\"67.0\" y=\"12\">two")) << "began before";
  EXPECT_THAT(late, HasSubstr("three</text>"));
}

TEST(ReadableNumber, Forms) {
  EXPECT_EQ(readable_number(0), "0");
  EXPECT_EQ(readable_number(1234567), "1,234,567");
  EXPECT_EQ(readable_number(-1000), "-1,000");
  EXPECT_EQ(readable_number(0.03125), "0.03125");
  EXPECT_EQ(readable_number(1e-5), "1e-05");
  EXPECT_EQ(readable_number(123.456), "123.5");
  EXPECT_EQ(readable_number(81837.4), "81,837");
  EXPECT_EQ(readable_number(std::nan("")), "–");
}

TEST(EscapeHtml, Characters) {
  EXPECT_EQ(escape_html("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  EXPECT_EQ(escape_html(std::string("a\0b\x1b[1m\n\tä", 12)), "ab[1m\n\tä");
}

}  // namespace
}  // namespace jina
