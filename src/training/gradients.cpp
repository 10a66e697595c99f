#include "training/gradients.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "training/losses/masked_token.h"

namespace jina {

namespace {

/// Values of logits that exist at a time: a block of masked places times the vocabulary.
constexpr int64_t kLogitElements = 1 << 25;

/// What of the forward pass the losses look at.
struct Needs {
  Wanted wanted{.pooled = false, .states = false, .layers = false};
  bool has_words = false;
  bool has_token_vectors = false;
};

Needs needs_of(const std::vector<LossTerm>& terms, const GradientHooks& hooks) {
  Needs needs;
  needs.has_words = static_cast<bool>(hooks.word_logits);
  for (const LossTerm& term : terms) {
    const LossColumns columns = columns_of(*term.entry);
    for (const auto& list : {columns.needed, columns.optional}) {
      for (const std::string_view column : list) {
        needs.wanted.pooled |= column == "query";
        needs.wanted.layers |= column == "layers";
        needs.has_token_vectors |= column == "query_tokens";
      }
    }
  }
  needs.wanted.states = needs.has_words || needs.has_token_vectors;
  return needs;
}

/// The outputs of a chunk, or of all chunks one below the other. Absent ones are undefined.
struct Outputs {
  at::Tensor pooled;               // (texts, dimensions), texts in the order of the chunks
  at::Tensor picked;               // (places, dimensions)
  at::Tensor token_vectors;        // (tokens, width)
  std::vector<at::Tensor> layers;  // (tokens, dimensions)

  std::vector<at::Tensor> all() const {
    std::vector<at::Tensor> tensors;
    for (const at::Tensor& tensor : {pooled, picked, token_vectors}) {
      if (tensor.defined()) tensors.push_back(tensor);
    }
    tensors.insert(tensors.end(), layers.begin(), layers.end());
    return tensors;
  }

  /// The same members, each by `f`(member).
  template <typename F>
  Outputs each(const F& f) const {
    Outputs result;
    if (pooled.defined()) result.pooled = f(pooled);
    if (picked.defined()) result.picked = f(picked);
    if (token_vectors.defined()) result.token_vectors = f(token_vectors);
    for (const at::Tensor& layer : layers) result.layers.push_back(f(layer));
    return result;
  }
};

Outputs join(const std::vector<Outputs>& chunks) {
  Outputs joined;
  const auto cat = [&](auto member) {
    std::vector<at::Tensor> parts;
    for (const Outputs& chunk : chunks) parts.push_back(member(chunk));
    return parts.size() == 1 || !parts.front().defined() ? parts.front() : at::cat(parts);
  };
  joined.pooled = cat([](const Outputs& o) { return o.pooled; });
  joined.picked = cat([](const Outputs& o) { return o.picked; });
  joined.token_vectors = cat([](const Outputs& o) { return o.token_vectors; });
  for (size_t i = 0; i < chunks.front().layers.size(); ++i) {
    joined.layers.push_back(cat([i](const Outputs& o) { return o.layers[i]; }));
  }
  return joined;
}

/// A chunk of the step's texts.
struct Chunk {
  std::vector<int64_t> texts;   // indices into the step's texts
  std::vector<int64_t> places;  // of masked tokens, in the chunk's packed tokens
  std::vector<int64_t> words;   // indices into StepTargets::words, for each place
  uint64_t stream = 0;
};

/// Splits the step and finds each masked place in its chunk.
std::vector<Chunk> make_chunks(const StepTexts& texts, const StepTargets& targets, const GradientOptions& options) {
  std::vector<int64_t> begins{0};  // of each text in the step's packed tokens
  for (const auto& ids : texts.batch.ids) begins.push_back(begins.back() + static_cast<int64_t>(ids.size()));
  std::vector<std::vector<std::pair<int64_t, int64_t>>> masked(texts.batch.ids.size());  // place in text, index of word
  for (size_t i = 0; i < targets.places.size(); ++i) {
    const auto text = std::ranges::upper_bound(begins, targets.places[i]) - begins.begin() - 1;
    masked[static_cast<size_t>(text)].emplace_back(targets.places[i] - begins[static_cast<size_t>(text)], i);
  }
  std::vector<Chunk> chunks;
  for (std::vector<int64_t>& own : chunks_by_length(texts.batch, options.chunk_tokens)) {
    Chunk& chunk = chunks.emplace_back();
    int64_t begin = 0;
    for (const int64_t text : own) {
      for (const auto& [place, word] : masked[static_cast<size_t>(text)]) {
        chunk.places.push_back(begin + place);
        chunk.words.push_back(word);
      }
      begin += static_cast<int64_t>(texts.batch.ids[static_cast<size_t>(text)].size());
    }
    chunk.texts = std::move(own);
    chunk.stream = mix_bits(options.stream + chunks.size());
  }
  return chunks;
}

/// One step in work.
class Step {
 public:
  Step(Student& student, const StepTexts& texts, const StepTargets& targets, const std::vector<LossTerm>& terms,
       const GradientHooks& hooks, const GradientOptions& options, Communicator& ranks)
      : student_(student),
        texts_(texts),
        targets_(targets),
        terms_(terms),
        hooks_(hooks),
        options_(options),
        ranks_(ranks),
        needs_(needs_of(terms, hooks)),
        chunks_(make_chunks(texts, targets, options)) {
    for (const Chunk& chunk : chunks_) order_.insert(order_.end(), chunk.texts.begin(), chunk.texts.end());
  }

  StepLoss run() {
    const bool is_whole = chunks_.size() == 1;
    std::vector<Outputs> encoded;
    for (const Chunk& chunk : chunks_) {
      const GradScope scope(is_whole);
      encoded.push_back(encode(chunk));
    }
    const Outputs leaves = join(encoded).each([](const at::Tensor& x) { return x.detach().set_requires_grad(true); });
    const StepLoss loss = backward_from_losses(leaves);
    const auto tell_last = [this] {
      if (hooks_.last_backward) hooks_.last_backward();
    };
    if (is_whole) {
      tell_last();
      go_back(encoded.front(), leaves, encoded);
      return loss;
    }
    for (Outputs& chunk : encoded) chunk = chunk.each([](const at::Tensor& x) { return at::empty({x.size(0), 0}); });
    for (size_t i = 0; i < chunks_.size(); ++i) {
      const Outputs chunk = encode(chunks_[i]);
      if (i + 1 == chunks_.size()) tell_last();
      go_back(chunk, leaves, encoded, i);
    }
    return loss;
  }

 private:
  Outputs encode(const Chunk& chunk) {
    student_.backend().begin_pass({.seed = options_.seed, .stream = chunk.stream});
    Encoded result = student_.encode(texts_.batch.part(chunk.texts), needs_.wanted);
    Outputs outputs{.pooled = result.pooled, .picked = {}, .token_vectors = {}, .layers = std::move(result.layers)};
    if (needs_.has_words) {
      outputs.picked = result.states.index_select(0, at::tensor(chunk.places, at::kLong).to(result.states.device()));
    }
    if (needs_.has_token_vectors) outputs.token_vectors = hooks_.token_vectors(result.states);
    return outputs;
  }

  /// Takes the gradients of the leaves through the graph of chunk `index`; `sizes` tells the rows of every chunk.
  static void go_back(const Outputs& chunk, const Outputs& leaves, const std::vector<Outputs>& sizes,
                      size_t index = 0) {
    const std::vector<at::Tensor> outputs = chunk.all(), all = leaves.all();
    torch::autograd::variable_list roots, grads;
    for (size_t slot = 0; slot < outputs.size(); ++slot) {
      if (!outputs[slot].requires_grad() || !all[slot].grad().defined()) continue;
      int64_t begin = 0;
      for (size_t i = 0; i < index; ++i) begin += sizes[i].all()[slot].size(0);
      roots.push_back(outputs[slot]);
      grads.push_back(all[slot].grad().narrow(0, begin, outputs[slot].size(0)));
    }
    if (!roots.empty()) torch::autograd::backward(roots, grads);
  }

  StepLoss backward_from_losses(const Outputs& leaves) {
    StepLoss result;
    if (needs_.has_words) add_masked_words(leaves.picked, result);
    if (terms_.empty()) return result;
    const LossBatch batch = joined_batch(leaves);
    at::Tensor total;
    for (const LossTerm& term : terms_) {
      const at::Tensor value = matryoshka(*term.entry, batch, term.recipe, term.matryoshka) * term.recipe.weight;
      result.terms[term.recipe.name] += value.item<double>();
      total = total.defined() ? total + value : value;
    }
    result.total += total.item<double>();
    if (total.requires_grad()) torch::autograd::backward({total}, {});
    return result;
  }

  /// Cross entropy at the masked places, as a mean over those of all ranks, in blocks: logits are wide.
  void add_masked_words(const at::Tensor& states, StepLoss& result) {
    const double all_places = ranks_.sum(static_cast<double>(states.size(0)));
    std::vector<int64_t> order;
    for (const Chunk& chunk : chunks_) order.insert(order.end(), chunk.words.begin(), chunk.words.end());
    const at::Tensor words = targets_.words.index_select(0, at::tensor(order, at::kLong).to(targets_.words.device()));
    double sum = 0;
    for (int64_t begin = 0, count = 0; begin < states.size(0); begin += count) {
      count = std::min(places_at_a_time(), states.size(0) - begin);
      const at::Tensor logits = hooks_.word_logits(states.narrow(0, begin, count));
      const at::Tensor loss =
          masked_token_loss(logits, words.narrow(0, begin, count)) * (static_cast<double>(count) / all_places);
      sum += loss.item<double>();
      torch::autograd::backward({loss}, {});
    }
    const double value = ranks_.sum(sum);
    result.terms["mlm"] = value;
    result.total += value;
  }

  int64_t places_at_a_time() const { return std::max<int64_t>(1, kLogitElements / student_.card().vocabulary); }

  /// This rank's rows among those of all ranks; only they lead back to the student.
  at::Tensor joined(const at::Tensor& own) {
    if (!own.defined() || ranks_.size() == 1) return own;
    const at::Tensor all = ranks_.all_gather(own.detach());
    const at::Tensor sizes = ranks_.all_gather(at::tensor({own.size(0)}, at::kLong));
    const int64_t begin = sizes.narrow(0, 0, ranks_.rank()).sum().item<int64_t>(), end = begin + own.size(0);
    return at::cat({all.narrow(0, 0, begin), own, all.narrow(0, end, all.size(0) - end)});
  }

  LossBatch joined_batch(const Outputs& leaves) {
    LossBatch batch;
    batch.scores = joined(targets_.scores);
    batch.labels = joined(targets_.labels);
    batch.negative_labels = joined(targets_.negative_labels);
    if (leaves.pooled.defined()) {
      set_vectors(in_order_of_texts(leaves.pooled), batch.queries, batch.positives, &batch.negatives);
    }
    if (targets_.teacher_vectors.defined()) {
      set_vectors(targets_.teacher_vectors, batch.teacher_queries, batch.teacher_positives, nullptr);
    }
    for (const at::Tensor& layer : leaves.layers) batch.layers.push_back(joined(layer));
    if (!leaves.layers.empty()) {
      for (const at::Tensor& layer : teacher_layers()) batch.teacher_layers.push_back(joined(layer));
    }
    if (leaves.token_vectors.defined()) set_token_vectors(leaves.token_vectors, batch);
    return batch;
  }

  /// Hidden states of the teacher for all chunks, layer by layer.
  std::vector<at::Tensor> teacher_layers() {
    const GradScope scope(false);
    std::vector<Outputs> parts;
    for (const Chunk& chunk : chunks_) {
      parts.push_back({{}, {}, {}, hooks_.teacher_layers(texts_.batch.part(chunk.texts))});
    }
    return join(parts).layers;
  }

  at::Tensor in_order_of_texts(const at::Tensor& chunked) const {
    std::vector<int64_t> place(order_.size());
    for (size_t i = 0; i < order_.size(); ++i) place[static_cast<size_t>(order_[i])] = static_cast<int64_t>(i);
    return chunked.index_select(0, at::tensor(place, at::kLong).to(chunked.device()));
  }

  void set_vectors(const at::Tensor& texts, at::Tensor& queries, at::Tensor& positives, at::Tensor* negatives) {
    queries = joined(texts.narrow(0, 0, texts_.rows));
    if (texts_.positives > 0) positives = joined(texts.narrow(0, texts_.rows, texts_.positives));
    if (texts_.negatives == 0 || negatives == nullptr) return;
    const int64_t begin = texts_.rows + texts_.positives;
    *negatives = joined(
        texts.narrow(0, begin, texts_.rows * texts_.negatives).view({texts_.rows, texts_.negatives, texts.size(1)}));
  }

  /// Token vectors of queries and positives, packed in the order of the texts.
  void set_token_vectors(const at::Tensor& chunked, LossBatch& batch) {
    std::vector<int64_t> begins(order_.size());
    int64_t begin = 0;
    for (const int64_t text : order_) {
      begins[static_cast<size_t>(text)] = begin;
      begin += static_cast<int64_t>(texts_.batch.ids[static_cast<size_t>(text)].size());
    }
    const auto packed = [&](int64_t first, int64_t count) {
      std::vector<int64_t> tokens, lengths;
      for (int64_t text = first; text < first + count; ++text) {
        const auto length = static_cast<int64_t>(texts_.batch.ids[static_cast<size_t>(text)].size());
        for (int64_t i = 0; i < length; ++i) tokens.push_back(begins[static_cast<size_t>(text)] + i);
        lengths.push_back(length);
      }
      TokenVectors result{joined(chunked.index_select(0, at::tensor(tokens, at::kLong).to(chunked.device()))), {0}};
      const at::Tensor all = joined(at::tensor(lengths, at::kLong));
      for (int64_t i = 0; i < all.size(0); ++i) {
        result.offsets.push_back(result.offsets.back() + all[i].item<int64_t>());
      }
      return result;
    };
    batch.query_tokens = packed(0, texts_.rows);
    if (texts_.positives > 0) batch.positive_tokens = packed(texts_.rows, texts_.positives);
  }

  Student& student_;
  const StepTexts& texts_;
  const StepTargets& targets_;
  const std::vector<LossTerm>& terms_;
  const GradientHooks& hooks_;
  const GradientOptions& options_;
  Communicator& ranks_;
  Needs needs_;
  std::vector<Chunk> chunks_;
  std::vector<int64_t> order_;  // of the texts, chunk by chunk
};

}  // namespace

StepLoss add_gradients(Student& student, const StepTexts& texts, const StepTargets& targets,
                       const std::vector<LossTerm>& terms, const GradientHooks& hooks, const GradientOptions& options,
                       Communicator& ranks) {
  return Step(student, texts, targets, terms, hooks, options, ranks).run();
}

}  // namespace jina
