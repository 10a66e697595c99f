#include "cli/verification_vectors.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jina::cli {

namespace {

/// What the model makes of one text.
struct Result {
  Tensor hidden;              // (tokens, hidden)
  std::vector<float> pooled;  // (hidden)
  std::vector<float> unit;    // (hidden)
};

Result compute(const LoadedModel& model, const Sequence& sequence) {
  TokenBatch batch;
  batch.layout.append(static_cast<int64_t>(sequence.ids.size()));
  batch.ids = sequence.ids;
  batch.adapters.by_row = {sequence.adapter};
  Result result{.hidden = model.encoder->forward(batch, nullptr), .pooled = {}, .unit = {}};
  const std::vector<TokenSpan> spans{{sequence.parts.front().begin, sequence.parts.front().end}};
  const Tensor pooled = model.backend->mean_pool(result.hidden, spans);
  result.pooled.assign(pooled.span<float>().begin(), pooled.span<float>().end());
  result.unit = truncate_and_normalize(result.pooled, pooled.width(), pooled.width(), true);
  return result;
}

/// Whether the model can read published ids at all: those of another model may be beyond its tables.
bool can_read(const ModelCard& card, const std::vector<int32_t>& ids) {
  const auto is_known = [&](int32_t id) { return id >= 0 && id < card.vocabulary; };
  return !ids.empty() && static_cast<int64_t>(ids.size()) <= card.max_tokens && std::ranges::all_of(ids, is_known);
}

Sequence vary(const LoadedModel& model, const ExpectedText& text, Sequence sequence, const Variation& variation) {
  if (variation.use_published_ids && can_read(model.card, text.ids)) sequence.ids = text.ids;
  const auto tokens = static_cast<int64_t>(sequence.ids.size());
  const TokenSpan span = pooled_tokens(variation.pooling.value_or(model.card.pooling_kind), tokens);
  sequence.parts = {{span.begin, span.end, 0}};
  if (variation.adapter) sequence.adapter = *variation.adapter;
  return sequence;
}

/// `columns` values of row `row` of a result from `first_column` on; nothing when it is not that large.
const float* find_row(const Result& result, const ExpectedValues& expected, int64_t row, int64_t columns) {
  if (expected.first_column + columns > result.hidden.width()) return nullptr;
  switch (expected.quantity) {
    case Quantity::kHidden:
      return row < result.hidden.rows() ? result.hidden.row<float>(row) + expected.first_column : nullptr;
    case Quantity::kPooled: return result.pooled.data() + expected.first_column;
    case Quantity::kUnit: return result.unit.data() + expected.first_column;
  }
  return nullptr;
}

std::string describe(const ExpectedValues& expected, int64_t row, int64_t column) {
  switch (expected.quantity) {
    case Quantity::kHidden: return fmt::format("hidden state of token {}, value {}", row, column);
    case Quantity::kPooled: return fmt::format("pooled vector, value {}", column);
    case Quantity::kUnit: return fmt::format("unit vector, value {}", column);
  }
  return {};
}

/// Distance without the name of the text.
Distance measure_values(const Result& result, const ExpectedValues& expected) {
  Distance worst{.difference = 0, .tolerance = expected.tolerance};
  const auto columns = static_cast<int64_t>(expected.values.size() / expected.rows.size());
  const float* wanted = expected.values.data();
  for (const int64_t row : expected.rows) {
    const float* found = find_row(result, expected, row, columns);
    if (found == nullptr) {
      return {std::numeric_limits<double>::infinity(), expected.tolerance,
              describe(expected, row, expected.first_column) + ", which is not there"};
    }
    for (int64_t i = 0; i < columns; ++i, ++wanted) {
      const double difference = std::fabs(static_cast<double>(found[i]) - *wanted);
      if (difference <= worst.difference) continue;
      worst.difference = std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
      worst.where = describe(expected, row, expected.first_column + i);
    }
  }
  return worst;
}

/// "text 3 \"A woman is…\""
std::string name_text(size_t index, const std::string& text) {
  constexpr size_t kShown = 32;
  size_t end = std::min(text.size(), kShown);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  std::string shown = text.substr(0, end);
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20U; }, ' ');
  return fmt::format("text {} \"{}{}\"", index, shown, end < text.size() ? "…" : "");
}

}  // namespace

bool has_task(const LoadedModel& model, const std::string& task) {
  return task.empty() || std::ranges::find(model.card.tasks, task, &TaskInfo::name) != model.card.tasks.end();
}

Sequence plan_text(const LoadedModel& model, const ExpectedRun& run, const ExpectedText& text) {
  const EmbedInput input{.text = text.text, .task = run.task, .use_prompt = run.has_instruction};
  return plan_input(model.card, *model.tokenizer, input, {.truncate = true}).sequences.front();
}

Distance measure_run(const LoadedModel& model, const ExpectedRun& run, const Variation& variation) {
  Distance worst;
  double worst_share = -1;
  for (size_t i = 0; i < run.texts.size(); ++i) {
    const ExpectedText& text = run.texts[i];
    const Result result = compute(model, vary(model, text, plan_text(model, run, text), variation));
    for (const ExpectedValues& expected : text.values) {
      Distance distance = measure_values(result, expected);
      const double share = distance.difference / distance.tolerance;
      if (share <= worst_share) continue;
      worst_share = share;
      distance.where = fmt::format("{}, {}", name_text(i, text.text), distance.where);
      worst = std::move(distance);
    }
  }
  return worst;
}

}  // namespace jina::cli
