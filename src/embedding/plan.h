#pragma once

#include <string>
#include <vector>

#include "jina/types.h"
#include "models/card.h"
#include "ops/packed.h"
#include "text/tokenizer.h"

namespace jina {

/// Tokens of a sequence whose hidden states are averaged into a vector of its input.
struct SpanPart {
  int64_t begin;
  int64_t end;
  int64_t vector;  // index among the input's vectors; several parts may add to one (long documents)
};

/// One row of a pass.
struct Sequence {
  std::vector<int32_t> ids;
  int32_t adapter;
  std::vector<SpanPart> parts;
};

/// An input turned into the rows that the model has to see and what becomes of them.
struct InputPlan {
  std::vector<Sequence> sequences;
  int64_t vectors = 0;
  std::vector<TextSpan> spans;
  int64_t tokens = 0;
  bool is_truncated = false;
};

/// What is put in front of a text and which adapter reads it.
struct TaskChoice {
  std::string prompt;
  int32_t adapter = -1;
};

/// The tokens whose mean is the vector of a text of `tokens` tokens.
TokenSpan pooled_tokens(Pooling pooling, int64_t tokens);

/// Error kInvalidArgument for an unknown task, naming the known ones.
TaskChoice resolve_task(const ModelCard& card, const EmbedInput& input, const EmbedOptions& options);

/// Error kInvalidArgument when an option cannot be served by this model.
void check_options(const ModelCard& card, const EmbedOptions& options);

/// Tokenises an input and plans its rows. Errors: kInvalidInput (too long, not UTF-8), kInvalidArgument (spans).
InputPlan plan_input(const ModelCard& card, const Tokenizer& tokenizer, const EmbedInput& input,
                     const EmbedOptions& options);

}  // namespace jina
