#include "training/student.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "embedding/plan.h"
#include "ops/torch/torch_tensor.h"
#include "training/data/batches.h"
#include "weights/safetensors.h"

namespace jina {

namespace {

Model build(const std::string& path, ParameterStore& store, Backend& backend) {
  const ModelDirectory directory = ModelDirectory::open(path);
  return build_model({.directory = directory,
                      .weights = store.source("", open_safetensors(path)),
                      .backend = backend,
                      .wrap_adapter = [&](const std::string& folder, std::shared_ptr<WeightSource> source) {
                        return store.source(folder, std::move(source));
                      }});
}

}  // namespace

int64_t TextBatch::tokens() const {
  return std::accumulate(ids.begin(), ids.end(), int64_t{0},
                         [](int64_t sum, const auto& text) { return sum + static_cast<int64_t>(text.size()); });
}

TextBatch TextBatch::part(std::span<const int64_t> order) const {
  TextBatch result;
  for (const int64_t text : order) {
    result.ids.push_back(ids[static_cast<size_t>(text)]);
    result.adapters.push_back(adapters[static_cast<size_t>(text)]);
  }
  return result;
}

Student::Student(std::string directory, ParameterStore& store, const TorchOptions& options)
    : directory_(std::move(directory)), backend_(options), model_(build(directory_, store, backend_)) {}

Encoded Student::encode(const TextBatch& batch, const Wanted& wanted) {
  TokenBatch tokens;
  std::vector<TokenSpan> spans;
  for (int64_t text = 0; text < batch.texts(); ++text) {
    const auto& ids = batch.ids[static_cast<size_t>(text)];
    const int64_t begin = tokens.layout.tokens();
    const TokenSpan span = pooled_tokens(card().pooling_kind, static_cast<int64_t>(ids.size()));
    spans.push_back({begin + span.begin, begin + span.end});
    tokens.layout.append(static_cast<int64_t>(ids.size()));
    tokens.ids.insert(tokens.ids.end(), ids.begin(), ids.end());
    tokens.adapters.by_row.push_back(batch.adapters[static_cast<size_t>(text)]);
  }
  Capture capture(Capture::Keep::kValues);
  const Tensor hidden = model_.encoder->forward(tokens, wanted.layers ? &capture : nullptr);
  Encoded result;
  if (wanted.pooled) result.pooled = unwrap(backend_.mean_pool(hidden, spans));
  if (wanted.states) result.states = unwrap(hidden);
  for (int64_t layer = 0; wanted.layers && layer < card().layers; ++layer) {
    result.layers.push_back(unwrap(capture.values().at("layer." + std::to_string(layer))));
  }
  return result;
}

std::vector<std::vector<int64_t>> chunks_by_length(const TextBatch& batch, int64_t most_tokens) {
  std::vector<int64_t> lengths;
  for (const auto& text : batch.ids) lengths.push_back(static_cast<int64_t>(text.size()));
  const Chunks split = split_into_chunks(lengths, most_tokens);
  std::vector<std::vector<int64_t>> chunks;
  for (size_t i = 0; i + 1 < split.offsets.size(); ++i) {
    chunks.emplace_back(split.order.begin() + split.offsets[i], split.order.begin() + split.offsets[i + 1]);
  }
  return chunks;
}

}  // namespace jina
