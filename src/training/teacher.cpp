#include "training/teacher.h"

#include <ATen/ATen.h>

#include <filesystem>

#include "ops/torch/torch_tensor.h"
#include "weights/digest.h"

namespace jina {

namespace {

/// Tokens that a pass of the teacher takes: enough to keep the processor busy.
constexpr int64_t kPassTokens = 16384;

TorchOptions for_inference(TorchOptions options) {
  options.is_training = false;
  options.is_checkpointing = false;
  options.dropout = 0;
  return options;
}

/// Windows of a text of at most `most` tokens, first and last token repeated in each.
std::vector<std::vector<int32_t>> windows_of(std::span<const int32_t> ids, int64_t most) {
  const auto length = static_cast<int64_t>(ids.size());
  if (length <= most) return {{ids.begin(), ids.end()}};
  std::vector<std::vector<int32_t>> windows;
  for (int64_t begin = 1; begin < length - 1; begin += most - 2) {
    const int64_t end = std::min(begin + most - 2, length - 1);
    std::vector<int32_t>& window = windows.emplace_back();
    window.push_back(ids.front());
    window.insert(window.end(), ids.begin() + begin, ids.begin() + end);
    window.push_back(ids.back());
  }
  return windows;
}

}  // namespace

Teacher::Teacher(const std::string& directory, const Options& options)
    : options_(options), store_(options.torch.device), student_(directory, store_, for_inference(options.torch)) {
  const int64_t limit = card().max_tokens;
  options_.most_tokens = options.most_tokens == 0 ? limit : std::min(options.most_tokens, limit);
  if (options_.most_tokens < 3) {
    fail(ErrorKind::kInvalidInput, "teacher_tokens", "expected 3 or more, found {}", options_.most_tokens);
  }
  if (options.cache.empty()) return;
  std::filesystem::create_directories(options.cache);
  const std::string digest = weights_digest(directory, options.cache);
  cache_.emplace(fmt::format("{}/vectors-{}-{}-{}.bin", options.cache, digest.substr(0, 16),
                             to_string(options.torch.compute), options_.most_tokens),
                 card().dimensions);
}

at::Tensor Teacher::compute(const TextBatch& batch) {
  TextBatch windows;
  std::vector<std::vector<int32_t>> owned;
  std::vector<int64_t> owners;
  for (int64_t text = 0; text < batch.texts(); ++text) {
    for (std::vector<int32_t>& window : windows_of(batch.ids[static_cast<size_t>(text)], options_.most_tokens)) {
      owned.push_back(std::move(window));
      owners.push_back(text);
    }
  }
  for (const std::vector<int32_t>& window : owned) {
    windows.ids.emplace_back(window);
    windows.adapters.push_back(kNoAdapter);
  }
  at::Tensor sums = at::zeros({batch.texts(), card().dimensions}), tokens = at::zeros({batch.texts(), 1});
  for (const std::vector<int64_t>& chunk : chunks_by_length(windows, kPassTokens)) {
    const at::Tensor pooled = student_.encode(windows.part(chunk), {}).pooled.to(at::kCPU, at::kFloat);
    for (size_t i = 0; i < chunk.size(); ++i) {
      const auto window = static_cast<size_t>(chunk[i]);
      const auto count = static_cast<double>(owned[window].size());
      sums[owners[window]] += pooled[static_cast<int64_t>(i)] * count;
      tokens[owners[window]] += count;
    }
  }
  return sums / tokens;
}

at::Tensor Teacher::vectors(const TextBatch& batch) {
  const GradScope scope(false);
  if (!cache_) return compute(batch).to(options_.torch.device);
  at::Tensor result = at::empty({batch.texts(), card().dimensions});
  std::vector<int64_t> missing;
  for (int64_t text = 0; text < batch.texts(); ++text) {
    const auto known = cache_->find(batch.ids[static_cast<size_t>(text)]);
    if (!known) {
      missing.push_back(text);
      continue;
    }
    std::ranges::copy(*known, result[text].data_ptr<float>());
  }
  if (missing.empty()) return result.to(options_.torch.device);
  const at::Tensor made = compute(batch.part(missing));
  for (size_t i = 0; i < missing.size(); ++i) {
    const at::Tensor row = made[static_cast<int64_t>(i)].contiguous();
    cache_->add(batch.ids[static_cast<size_t>(missing[i])],
                {row.data_ptr<float>(), static_cast<size_t>(card().dimensions)});
    result[missing[i]].copy_(row);
  }
  return result.to(options_.torch.device);
}

std::vector<at::Tensor> Teacher::layers(const TextBatch& batch) {
  const GradScope scope(false);
  TextBatch base = batch;
  for (int32_t& adapter : base.adapters) adapter = kNoAdapter;
  for (const auto& ids : base.ids) {
    if (static_cast<int64_t>(ids.size()) <= options_.most_tokens) continue;
    fail(ErrorKind::kInvalidInput, "layer_states",
         "a text of {} tokens, but the teacher takes {} at once: set the "
         "objective's max_tokens",
         ids.size(), options_.most_tokens);
  }
  return student_.encode(base, {.pooled = false, .states = false, .layers = true}).layers;
}

}  // namespace jina
