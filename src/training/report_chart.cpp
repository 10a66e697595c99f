#include "training/report_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace jina {

namespace {

constexpr ChartFrame kFrame;

/// The points of one column of the drawing.
struct ChartColumn {
  double x = 0;
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  double sum = 0;
  int64_t count = 0;
  bool has_gap = false;  // something that is not finite stands in front of it
};

/// Steps and values to places in the drawing.
struct Axes {
  double first_step = 0;
  double last_step = 1;
  double least = 0;
  double most = 1;

  double x(double step) const {
    return kFrame.left + (kFrame.right - kFrame.left) * (step - first_step) / (last_step - first_step);
  }
  double y(double value) const {
    return kFrame.bottom - (kFrame.bottom - kFrame.top) * (value - least) / (most - least);
  }
};

/// 1, 2 or 5 times a power of ten: the smallest that cuts `range` into at most `parts`.
double round_stride(double range, double parts) {
  const double power = std::pow(10.0, std::floor(std::log10(range / parts)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (range / (factor * power) <= parts) return factor * power;
  }
  return 10 * power;
}

Axes axes_for(const std::vector<ChartPoint>& points) {
  Axes axes{.first_step = static_cast<double>(points.front().step),
            .last_step = static_cast<double>(points.back().step)};
  if (axes.last_step <= axes.first_step) axes.last_step = axes.first_step + 1;
  axes.least = std::numeric_limits<double>::infinity();
  axes.most = -axes.least;
  for (const ChartPoint& point : points) {
    if (!std::isfinite(point.value)) continue;
    axes.least = std::min(axes.least, point.value);
    axes.most = std::max(axes.most, point.value);
  }
  if (axes.most - axes.least < 1e-9 * std::max(1e-6, std::abs(axes.most))) {  // all equal: the line in the middle
    const double around = axes.most == 0 ? 1 : std::abs(axes.most) / 2;
    axes.least -= around;
    axes.most += around;
  }
  const double stride = round_stride(axes.most - axes.least, 4);
  axes.least = std::floor(axes.least / stride) * stride;
  axes.most = std::ceil(axes.most / stride) * stride;
  return axes;
}

std::vector<ChartColumn> columns_of(const std::vector<ChartPoint>& points, const Axes& axes) {
  std::vector<ChartColumn> columns;
  bool has_gap = false;
  double current = -1;
  for (const ChartPoint& point : points) {
    if (!std::isfinite(point.value)) {
      has_gap = true;
      continue;
    }
    const double x = axes.x(static_cast<double>(point.step));
    if (columns.empty() || std::floor(x) != current || has_gap) {
      columns.push_back({.x = x, .has_gap = has_gap && !columns.empty()});
      current = std::floor(x);
      has_gap = false;
    }
    ChartColumn& column = columns.back();
    column.least = std::min(column.least, point.value);
    column.most = std::max(column.most, point.value);
    column.sum += point.value;
    ++column.count;
  }
  return columns;
}

std::string mean_path(const std::vector<ChartColumn>& columns, const Axes& axes) {
  std::string path;
  for (const ChartColumn& column : columns) {
    const bool begins = path.empty() || column.has_gap;
    path += fmt::format("{}{:.1f} {:.1f}{}", begins ? "M" : "L", column.x,
                        axes.y(column.sum / static_cast<double>(column.count)),
                        begins ? "h0" : "");  // a point between two gaps is drawn as a round end
  }
  return path;
}

std::string range_path(const std::vector<ChartColumn>& columns, const Axes& axes) {
  std::string path;
  for (const ChartColumn& column : columns) {
    if (column.count == 1) continue;
    path += fmt::format("M{:.1f} {:.1f}V{:.1f}", column.x, axes.y(column.least), axes.y(column.most));
  }
  return path;
}

std::string axis_labels(const Axes& axes) {
  std::string svg;
  const double stride = round_stride(axes.most - axes.least, 4);
  const auto lines = static_cast<int>(std::lround((axes.most - axes.least) / stride));
  for (int i = 0; i <= lines; ++i) {
    const double value = axes.least + i * stride;
    const double rounded = std::abs(value) < stride * 1e-6 ? 0 : value;
    const double y = axes.y(rounded);
    svg += fmt::format("<path class=\"grid\" d=\"M{} {:.1f}H{}\"/>", kFrame.left, y, kFrame.right);
    svg += fmt::format("<text class=\"y\" x=\"{}\" y=\"{:.1f}\">{}</text>", kFrame.left - 6, y + 4,
                       readable_number(rounded));
  }
  const double apart = std::max(1.0, round_stride(axes.last_step - axes.first_step, 6));
  for (double step = std::ceil(axes.first_step / apart) * apart; step <= axes.last_step; step += apart) {
    svg += fmt::format("<text class=\"x\" x=\"{:.1f}\" y=\"{}\">{}</text>", axes.x(step), kFrame.height - 8,
                       readable_number(step));
  }
  return svg;
}

/// The stages that have a part in the drawing: not those that end before it or begin behind it.
std::string stage_marks(const Chart& chart, const Axes& axes) {
  std::string svg;
  if (chart.stages.size() < 2) return svg;
  for (size_t i = 0; i < chart.stages.size(); ++i) {
    const auto& [step, name] = chart.stages[i];
    const bool is_over =
        i + 1 < chart.stages.size() && static_cast<double>(chart.stages[i + 1].first) <= axes.first_step;
    if (is_over || static_cast<double>(step) > axes.last_step) continue;
    const double x = std::max(axes.x(static_cast<double>(step)), kFrame.left);
    svg +=
        fmt::format("<path class=\"stage\" d=\"M{:.1f} {}V{}\"/><text class=\"stage\" x=\"{:.1f}\" y=\"{}\">{}</text>",
                    x, kFrame.top - 6, kFrame.bottom, x + 3, kFrame.top - 6, escape_html(name));
  }
  return svg;
}

std::string dots(const std::vector<ChartPoint>& points, const Axes& axes) {
  std::string svg;
  for (const ChartPoint& point : points) {
    if (!std::isfinite(point.value)) continue;
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>step {}: {}</title></circle>",
                       axes.x(static_cast<double>(point.step)), axes.y(point.value), point.step,
                       readable_number(point.value));
  }
  return svg;
}

}  // namespace

std::string chart_svg(const Chart& chart) {
  const auto is_finite = [](const ChartPoint& point) { return std::isfinite(point.value); };
  if (std::ranges::none_of(chart.points, is_finite)) return {};
  const Axes axes = axes_for(chart.points);
  const std::vector<ChartColumn> columns = columns_of(chart.points, axes);
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", kFrame.width,
                                kFrame.height, escape_html(chart.title));
  svg += axis_labels(axes) + stage_marks(chart, axes);
  const std::string ranges = range_path(columns, axes);
  if (!ranges.empty()) svg += "<path class=\"range\" d=\"" + ranges + "\"/>";
  svg += "<path class=\"line\" d=\"" + mean_path(columns, axes) + "\"/>";
  if (chart.has_dots || columns.size() == 1) svg += dots(chart.points, axes);
  return svg + "</svg>";
}

std::string readable_number(double value) {
  if (!std::isfinite(value)) return "–";
  const bool is_whole = value == std::round(value) || std::abs(value) >= 1000;  // fractions of thousands say nothing
  if (is_whole && std::abs(value) < 1e15) {
    std::string digits = fmt::format("{:.0f}", std::abs(value));
    for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<size_t>(at), ",");
    return (value < 0 ? "-" : "") + digits;
  }
  return fmt::format("{:.4g}", value);
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        // Control characters but for line ends and tabs are not allowed in HTML.
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

}  // namespace jina
