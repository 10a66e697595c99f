#include "training/initialise_heads.h"

#include <ATen/ATen.h>

#include "models/encoder.h"
#include "ops/cpu/cpu_backend.h"
#include "ops/torch/torch_tensor.h"
#include "text/tokenizer.h"
#include "weights/tensor_source.h"

namespace jina {

namespace {

constexpr int64_t kBatchTokens = 2048;

/// Adds x x' of all rows, a 1 behind each. x: (tokens, hidden) f32
void add_moments(at::Tensor& sum, const Tensor& x) {
  const at::Tensor wide = at::cat({unwrap(x).to(at::kDouble), at::ones({x.rows(), 1}, at::kDouble)}, 1);
  sum.add_(at::mm(wide.t(), wide));
}

/// Runs one batch and adds what enters each layer.
void add_batch(const Encoder& encoder, const TokenBatch& batch, InputMoments& sums) {
  Capture capture;
  encoder.forward(batch, &capture);
  for (size_t layer = 0; layer < sums.size(); ++layer) {
    const std::string name = layer == 0 ? "embeddings" : fmt::format("layer.{}", layer - 1);
    add_moments(sums[layer], capture.values().at(name));
  }
}

/// Query and key of one head, its bias as the last column: (width, hidden + 1) float64.
struct Head {
  at::Tensor query;
  at::Tensor key;
};

at::Tensor with_bias(const AffineTensors& affine) {
  return at::cat({unwrap(affine.weight).to(at::kDouble), unwrap(affine.bias).to(at::kDouble).unsqueeze(1)}, 1);
}

AffineTensors without_bias(const at::Tensor& whole) {
  const int64_t in = whole.size(1) - 1;
  const auto plain = [](const at::Tensor& part) { return wrap(part.to(at::kFloat).contiguous()); };
  return {plain(whole.narrow(1, 0, in)), plain(whole.select(1, in))};
}

/// E[q q'] of a head; a little is added to its diagonal, so that a head with a dead direction has a Cholesky factor
/// too.
at::Tensor covariance(const at::Tensor& map, const at::Tensor& moment) {
  constexpr double kRidge = 1e-9;
  const at::Tensor c = at::linalg_multi_dot({map, moment, map.t()});
  const double scale = c.diagonal().mean().item<double>();
  return c + (kRidge * scale + 1e-30) * at::eye(c.size(0), at::kDouble);
}

/// The place of each direction, strongest first: row p of the head takes direction order[p].
at::Tensor slowest_first(int64_t width) {
  std::vector<int64_t> order(static_cast<size_t>(width));
  const int64_t pairs = width / 2;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int64_t rank = pairs - 1 - pair;  // the last pair is the slowest
    order[static_cast<size_t>(pair)] = 2 * rank;
    order[static_cast<size_t>(pair + pairs)] = 2 * rank + 1;
  }
  return at::tensor(order, at::kLong);
}

/// Share of the score's energy in the slower half of the pairs. With q and k independent, the part of the score that a
/// set of dimensions P gives has the second moment tr(Cq[P, P] Ck[P, P]).
double slow_share(const at::Tensor& query, const at::Tensor& key) {
  const int64_t pairs = query.size(0) / 2;
  std::vector<int64_t> fast;
  std::vector<int64_t> slow;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    auto& part = pair < pairs / 2 ? fast : slow;
    part.push_back(pair);
    part.push_back(pair + pairs);
  }
  const auto energy = [&](const std::vector<int64_t>& dimensions) {
    const at::Tensor index = at::tensor(dimensions, at::kLong);
    const at::Tensor q = query.index_select(0, index).index_select(1, index);
    const at::Tensor k = key.index_select(0, index).index_select(1, index);
    return (q * k).sum().item<double>();  // both symmetric
  };
  const double in_slow = energy(slow);
  return in_slow / (in_slow + energy(fast));
}

/// The aligned head; adds to `energy`.
Head align(const Head& head, const at::Tensor& moment, HeadEnergy& energy) {
  constexpr double kSmallest = 1e-7;  // of the strongest direction: keeps 1 / sqrt(S) finite where a direction is dead
  const at::Tensor cq = covariance(head.query, moment);
  const at::Tensor ck = covariance(head.key, moment);
  const at::Tensor lq = at::linalg_cholesky(cq);
  const at::Tensor lk = at::linalg_cholesky(ck);
  const auto [u, s, vt] = at::linalg_svd(at::mm(lq.t(), lk));
  const at::Tensor root = s.clamp_min(s[0].item<double>() * kSmallest).sqrt().unsqueeze(1);
  const at::Tensor identity = at::eye(lq.size(0), at::kDouble);
  const at::Tensor inverse = at::linalg_solve_triangular(lq, identity, /*upper=*/false);
  const at::Tensor order = slowest_first(lq.size(0));
  const at::Tensor to_query = (root * at::mm(u.t(), inverse)).index_select(0, order);  // P T
  const at::Tensor to_key = (at::mm(u.t(), lq.t()) / root).index_select(0, order);     // P T^-T
  const auto moved = [](const at::Tensor& map, const at::Tensor& c) { return at::linalg_multi_dot({map, c, map.t()}); };
  energy.slow_before += slow_share(cq, ck);
  energy.slow_after += slow_share(moved(to_query, cq), moved(to_key, ck));
  return {at::mm(to_query, head.query), at::mm(to_key, head.key)};
}

}  // namespace

InputMoments input_moments(const EncoderTensors& encoder, const ModelDirectory& directory,
                           const std::vector<std::string>& texts, int64_t max_tokens) {
  if (texts.empty()) {
    fail(ErrorKind::kInvalidInput, directory.path(), "no texts to align the heads with: expected some, about 400");
  }
  const auto backend = make_cpu_backend({.threads = available_processors()});
  const Model model = build_model(
      {directory, make_tensor_source(positionless_weights(encoder, directory), directory.path()), *backend});
  const Tokenizer tokenizer = Tokenizer::load(directory.file("tokenizer.json"));
  const int64_t width = model.card.dimensions + 1;
  InputMoments sums(encoder.layers.size());
  for (at::Tensor& sum : sums) sum = at::zeros({width, width}, at::kDouble);
  TokenBatch batch;
  int64_t tokens = 0;
  const int64_t longest = std::min(max_tokens, model.card.max_tokens);
  for (size_t i = 0; i < texts.size(); ++i) {
    const Encoding encoding = tokenizer.encode(texts[i], {.max_length = longest});
    batch.layout.append(static_cast<int64_t>(encoding.ids.size()));
    batch.ids.insert(batch.ids.end(), encoding.ids.begin(), encoding.ids.end());
    if (batch.layout.tokens() < kBatchTokens && i + 1 < texts.size()) continue;
    batch.adapters.by_row.assign(static_cast<size_t>(batch.layout.rows()), kNoAdapter);
    add_batch(*model.encoder, batch, sums);
    tokens += batch.layout.tokens();
    batch = {};
  }
  for (at::Tensor& sum : sums) sum.div_(static_cast<double>(tokens));
  return sums;
}

HeadEnergy align_heads(EncoderTensors& encoder, int64_t heads, const InputMoments& moments) {
  JINA_CHECK(moments.size() == encoder.layers.size());
  HeadEnergy energy;
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    EncoderLayerTensors& layer = encoder.layers[i];
    const at::Tensor query = with_bias(layer.query);
    const at::Tensor key = with_bias(layer.key);
    const int64_t width = query.size(0) / heads;
    std::vector<at::Tensor> queries;
    std::vector<at::Tensor> keys;
    for (int64_t head = 0; head < heads; ++head) {
      Head aligned =
          align({query.narrow(0, head * width, width), key.narrow(0, head * width, width)}, moments[i], energy);
      queries.push_back(std::move(aligned.query));
      keys.push_back(std::move(aligned.key));
    }
    layer.query = without_bias(at::cat(queries));
    layer.key = without_bias(at::cat(keys));
  }
  const auto count = static_cast<double>(encoder.layers.size()) * static_cast<double>(heads);
  return {energy.slow_before / count, energy.slow_after / count};
}

}  // namespace jina
