#include "training/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "base/file.h"
#include "training/report_chart.h"

namespace jina {

namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --page: #fcfcfb; --ink: #1c1c1a; --quiet: #6b6a64; --grid: #e4e3dd; --curve: #2a66c8;
        --range: #b5cdf3; }
@media (prefers-color-scheme: dark) { :root { --page: #191918; --ink: #ecebe6; --quiet: #9b9a92; --grid: #33322f;
        --curve: #6ea3f5; --range: #2c4670; } }
body { background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 760px;
       margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; } h3 { font-size: 1rem; margin: 1.4rem 0 0; }
p.note { color: var(--quiet); margin: .2rem 0; }
svg { width: 100%; height: auto; display: block; }
svg path { fill: none; } svg text { fill: var(--quiet); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--grid); } .stage { stroke: var(--quiet); stroke-dasharray: 2 3; } text.stage { stroke: none; }
.line { stroke: var(--curve); stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; } .range { stroke: var(--range); }
circle { fill: var(--curve); } text.y { text-anchor: end; } text.x { text-anchor: middle; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } th { color: var(--quiet); font-weight: 500; }
td.text { text-align: left; overflow-wrap: anywhere; }
pre { background: color-mix(in srgb, var(--grid) 45%, transparent); padding: .8rem; overflow-x: auto; font-size: 13px; }
)";

using ValueOfStep = std::function<double(const StepReport& report)>;

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

std::vector<std::pair<int64_t, std::string>> stages_of(const std::vector<StepReport>& steps) {
  std::vector<std::pair<int64_t, std::string>> stages;
  for (const StepReport& step : steps) {
    if (stages.empty() || stages.back().second != step.stage) stages.emplace_back(step.overall, step.stage);
  }
  return stages;
}

/// A heading, the picture, and a line that says what the picture cannot: the last value, how many were not finite.
std::string section(const Chart& chart) {
  const std::string svg = chart_svg(chart);
  if (svg.empty()) return {};
  const auto broken = std::ranges::count_if(chart.points, [](const ChartPoint& p) { return !std::isfinite(p.value); });
  std::string note = fmt::format("last {}", readable_number(chart.points.back().value));
  if (broken > 0) note += fmt::format("; {} values were not finite", readable_number(static_cast<double>(broken)));
  return fmt::format("<h3>{}</h3><p class=\"note\">{}</p>{}\n", escape_html(chart.title), note, svg);
}

std::string step_section(const RunHistory& history, std::string title, const ValueOfStep& value) {
  Chart chart{.title = std::move(title), .points = {}, .stages = stages_of(history.steps)};
  chart.points.reserve(history.steps.size());
  for (const StepReport& step : history.steps) chart.points.push_back({step.overall, value(step)});
  return section(chart);
}

/// Each loss by name; a step that has not drawn it leaves no point.
std::string term_sections(const RunHistory& history) {
  std::map<std::string, std::vector<ChartPoint>> terms;
  for (const StepReport& step : history.steps) {
    for (const auto& [name, value] : step.terms) terms[name].push_back({step.overall, value});
  }
  std::string html;
  for (auto& [name, points] : terms) {
    html += section({.title = "Loss: " + name, .points = std::move(points), .stages = stages_of(history.steps)});
  }
  return html;
}

std::string curves(const RunHistory& history) {
  if (history.steps.empty()) return "<p class=\"note\">No step has been taken yet.</p>\n";
  std::string html = "<h2>Curves</h2><p class=\"note\">Over the steps of the run.</p>\n";
  html += step_section(history, "Loss", [](const StepReport& step) { return step.loss; });
  html += term_sections(history);
  html += step_section(history, "Gradient norm", [](const StepReport& step) { return step.gradient_norm; });
  html += step_section(history, "Learning rate", [](const StepReport& step) { return step.learning_rate; });
  html += step_section(history, "Tokens per second", [](const StepReport& step) {
    return step.seconds > 0 ? static_cast<double>(step.tokens) / step.seconds : std::nan("");
  });
  return html;
}

std::string evaluations(const RunHistory& history) {
  std::map<std::string, std::vector<ChartPoint>> values;
  for (const EvaluationRecord& record : history.evaluations) {
    values[record.name + ": " + record.metric].push_back({record.overall, record.value});
  }
  if (values.empty()) return {};
  std::string html = "<h2>Evaluations</h2>\n";
  for (auto& [title, points] : values) {
    html +=
        section({.title = title, .points = std::move(points), .stages = stages_of(history.steps), .has_dots = true});
  }
  return html;
}

/// One row per data set, one column per name that any of them has.
template <typename Number>  // double or int64_t
std::string data_table(const RunHistory& history, std::map<std::string, Number> DataRecord::*numbers) {
  std::set<std::string> columns;
  for (const DataRecord& record : history.data) {
    for (const auto& [name, value] : record.*numbers) columns.insert(name);
  }
  if (columns.empty()) return {};
  std::string html = "<div class=\"wide\"><table><tr><th>data</th>";
  for (const std::string& name : columns) html += "<th>" + escape_html(name) + "</th>";
  html += "</tr>\n";
  for (const DataRecord& record : history.data) {
    html += "<tr><td>" + escape_html(record.name) + "</td>";
    for (const std::string& name : columns) {
      const auto value = (record.*numbers).find(name);
      const bool has_value = value != (record.*numbers).end();
      html += "<td>" + (has_value ? readable_number(static_cast<double>(value->second)) : "") + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table></div>\n";
}

std::string data(const RunHistory& history) {
  std::string html;
  const std::string numbers = data_table(history, &DataRecord::numbers);
  const std::string removed = data_table(history, &DataRecord::removed);
  if (!numbers.empty()) html += "<h2>Data</h2>\n" + numbers;
  if (!removed.empty()) html += "<h2>Removed before training</h2><p class=\"note\">Rows, by filter.</p>\n" + removed;
  return html;
}

std::string summary(const RunHistory& history) {
  if (history.steps.empty()) return {};
  double seconds = 0;
  double tokens = 0;
  int64_t memory = 0;
  for (const StepReport& step : history.steps) {
    if (std::isfinite(step.seconds)) seconds += step.seconds;
    tokens += static_cast<double>(step.tokens);
    memory = std::max(memory, step.memory_bytes);
  }
  const StepReport& last = history.steps.back();
  return fmt::format(
      "<p>{} of {} steps, stage {}; {} tokens in {} of steps, {} tokens/s; at most {:.1f} GB of memory.</p>\n",
      readable_number(static_cast<double>(last.overall)), readable_number(static_cast<double>(last.overall_steps)),
      escape_html(last.stage), readable_number(tokens), duration(seconds),
      readable_number(seconds > 0 ? std::round(tokens / seconds) : 0), static_cast<double>(memory) / 1e9);
}

std::string facts(const RunHistory& history) {
  if (history.facts.empty()) return {};
  std::string html = "<h2>Run</h2><table>\n";
  for (const auto& [name, value] : history.facts) {
    html += fmt::format("<tr><td>{}</td><td class=\"text\">{}</td></tr>\n", escape_html(name), escape_html(value));
  }
  return html + "</table>\n";
}

}  // namespace

std::string report_html(const RunHistory& history, const ReportText& text) {
  const std::string title = escape_html(text.title);
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>{}</style></head>\n"
      "<body><h1>{}</h1>\n",
      title, kStyle, title);
  html += summary(history) + curves(history) + evaluations(history) + data(history) + facts(history);
  if (!text.recipe.empty()) html += "<h2>Recipe</h2><pre>" + escape_html(text.recipe) + "</pre>\n";
  return html + "</body></html>\n";
}

void write_report(const std::string& log_path, const std::string& html_path, const ReportText& text) {
  AtomicFile page(html_path);
  page.write(report_html(read_log(log_path), text));
  page.commit();
}

}  // namespace jina
