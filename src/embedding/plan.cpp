#include "embedding/plan.h"

#include <algorithm>

#include "base/error.h"
#include "base/utf8.h"
#include "embedding/late_chunking.h"
#include "ops/packed.h"

namespace jina {

namespace {

std::string list_tasks(const ModelCard& card) {
  std::string names;
  for (const TaskInfo& task : card.tasks) names += (names.empty() ? "" : ", ") + task.name;
  return names.empty() ? "this model has no tasks" : "known tasks: " + names;
}

std::vector<TextSpan> choose_spans(const EmbedInput& input, const EmbedOptions& options,
                                   const DocumentTokens& document) {
  if (!input.spans.empty()) return input.spans;
  if (options.chunk_tokens > 0) return chunks_of_tokens(document, options.chunk_tokens, input.text.size());
  if (options.chunk_sentences > 0) return chunks_of_sentences(input.text, options.chunk_sentences);
  fail(ErrorKind::kInvalidArgument, "late chunking",
       "no chunks: expected spans in the input, or a number of tokens or sentences per chunk");
}

void plan_late_chunks(const ModelCard& card, const EmbedInput& input, const EmbedOptions& options,
                      const DocumentTokens& document, InputPlan& plan) {
  const auto& ids = document.encoding.ids;
  plan.spans = choose_spans(input, options, document);
  const auto chunks = chunk_token_spans(document, plan.spans, input.text.size());
  plan.vectors = static_cast<int64_t>(chunks.size());
  const int64_t overlap = std::min(kWindowOverlap, card.max_tokens / 2);
  for (const Window& window : plan_windows(static_cast<int64_t>(ids.size()), card.max_tokens, overlap)) {
    Sequence& sequence = plan.sequences.emplace_back();
    sequence.ids.assign(ids.begin() + window.tokens.begin, ids.begin() + window.tokens.end);
    for (int64_t vector = 0; vector < plan.vectors; ++vector) {
      const TokenSpan chunk = chunks[static_cast<size_t>(vector)];
      const int64_t begin = std::max(chunk.begin, window.keep_from) - window.tokens.begin;
      const int64_t end = std::min(chunk.end, window.tokens.end) - window.tokens.begin;
      if (begin < end) sequence.parts.push_back({begin, end, vector});
    }
  }
}

void plan_one_sequence(const ModelCard& card, const EmbedOptions& options, Encoding encoding, InputPlan& plan) {
  const auto tokens = static_cast<int64_t>(encoding.ids.size());
  Sequence sequence{.ids = std::move(encoding.ids), .adapter = kNoAdapter, .parts = {}};
  if (options.kind == VectorKind::kTokens) {
    for (int64_t i = 0; i < tokens; ++i) sequence.parts.push_back({i, i + 1, i});
    plan.vectors = tokens;
  } else {
    const TokenSpan span = pooled_tokens(card.pooling_kind, tokens);
    sequence.parts.push_back({span.begin, span.end, 0});
    plan.vectors = 1;
  }
  plan.sequences.push_back(std::move(sequence));
}

}  // namespace

TokenSpan pooled_tokens(Pooling pooling, int64_t tokens) {
  switch (pooling) {
    case Pooling::kMean: return {0, tokens};
    case Pooling::kCls: return {0, std::min<int64_t>(1, tokens)};
    case Pooling::kLast: return {std::max<int64_t>(0, tokens - 1), tokens};
  }
  return {0, tokens};
}

TaskChoice resolve_task(const ModelCard& card, const EmbedInput& input, const EmbedOptions& options) {
  TaskChoice choice;
  const std::string name = input.task ? *input.task : card.default_task.value_or("");
  if (!name.empty()) {
    const auto task = std::ranges::find(card.tasks, name, &TaskInfo::name);
    if (task == card.tasks.end()) {
      fail(ErrorKind::kInvalidArgument, "task", "unknown task '{}'; {}", name, list_tasks(card));
    }
    choice = {task->prompt, task->adapter};
  }
  if (options.prompt) choice.prompt = *options.prompt;
  if (!input.use_prompt) choice.prompt.clear();
  return choice;
}

void check_options(const ModelCard& card, const EmbedOptions& options) {
  if (options.dimensions < 0 || options.dimensions > card.dimensions) {
    fail(ErrorKind::kInvalidArgument, "dimensions", "expected 1 to {}, found {}", card.dimensions, options.dimensions);
  }
  if (options.chunk_tokens < 0 || options.chunk_sentences < 0) {
    fail(ErrorKind::kInvalidArgument, "late chunking", "expected a positive number of tokens or sentences per chunk");
  }
}

InputPlan plan_input(const ModelCard& card, const Tokenizer& tokenizer, const EmbedInput& input,
                     const EmbedOptions& options) {
  if (const auto position = find_invalid_utf8(input.text)) {
    fail(ErrorKind::kInvalidInput, {}, "text is not valid UTF-8 at byte {}", *position);
  }
  const TaskChoice task = resolve_task(card, input, options);
  const std::string text = task.prompt + input.text;
  const bool is_cut = options.truncate && options.kind != VectorKind::kLateChunks;
  // One token more than fits tells that the text is too long, without reading megabytes to their end.
  Encoding encoding = tokenizer.encode(text, {.max_length = is_cut ? card.max_tokens + 1 : 0});
  InputPlan plan;
  if (options.kind == VectorKind::kLateChunks) {
    plan.tokens = static_cast<int64_t>(encoding.ids.size());
    plan_late_chunks(card, input, options, {encoding, task.prompt.size()}, plan);
  } else {
    if (static_cast<int64_t>(encoding.ids.size()) > card.max_tokens) {
      if (!options.truncate) {
        fail(ErrorKind::kInvalidInput, {}, "text is too long: {} tokens, the model takes {}", encoding.ids.size(),
             card.max_tokens);
      }
      encoding = tokenizer.encode(text, {.max_length = card.max_tokens});
      plan.is_truncated = true;
    }
    plan.tokens = static_cast<int64_t>(encoding.ids.size());
    plan_one_sequence(card, options, std::move(encoding), plan);
  }
  for (Sequence& sequence : plan.sequences) sequence.adapter = task.adapter;
  return plan;
}

}  // namespace jina
