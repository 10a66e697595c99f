#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jina {

/// A point of a curve: the step of the run, and a value, which may be NaN.
struct ChartPoint {
  int64_t step = 0;
  double value = 0;
};

struct Chart {
  std::string title;
  std::vector<ChartPoint> points;                            ///< in the order of their steps
  std::vector<std::pair<int64_t, std::string>> stages = {};  ///< the first step of each, and its name
  bool has_dots = false;                                     ///< few points, each of which matters
};

/// Where the plot lies in the drawing, in its own units.
struct ChartFrame {
  double width = 720;
  double height = 220;
  double left = 64;
  double right = 690;  // half a label stands beside the last step
  double top = 18;
  double bottom = 196;
};

/// The picture as an SVG element: axes with round numbers, a line through the points. Where several points share a
/// column of one unit the line is their mean, over a lighter one from the least to the largest, so that no spike is
/// lost. Points that are not finite leave a gap. Empty when no point is finite. Colours come from the page's style
/// sheet.
std::string chart_svg(const Chart& chart);

/// "12,345", "0.0312", "1.2e-05": short, for people.
std::string readable_number(double value);

/// Text for HTML and SVG, in elements and in attributes.
std::string escape_html(std::string_view text);

}  // namespace jina
