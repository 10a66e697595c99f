#include "training/losses/max_sim.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "base/error.h"

namespace jina {

namespace {

using Offsets = std::vector<int64_t>;  // (texts + 1)

struct Range {
  int64_t begin;
  int64_t count;
};

/// How the (query tokens, document tokens) matrix is cut.
struct Blocks {
  std::vector<Range> query_tokens;
  std::vector<Range> documents;
};

int64_t longest_text(const Offsets& offsets) {
  int64_t longest = 0;
  for (size_t i = 1; i < offsets.size(); ++i) longest = std::max(longest, offsets[i] - offsets[i - 1]);
  return longest;
}

Blocks make_blocks(const Offsets& queries, const Offsets& documents, int64_t elements) {
  const int64_t tokens = queries.back(), longest = longest_text(documents);
  const int64_t tile = std::clamp(elements / longest, int64_t{1}, tokens);  // query tokens of a block
  const int64_t width = std::max(longest, elements / tile);                 // document tokens of a block
  Blocks blocks;
  for (int64_t begin = 0; begin < tokens; begin += tile) {
    blocks.query_tokens.push_back({begin, std::min(tile, tokens - begin)});
  }
  const auto count = static_cast<int64_t>(documents.size()) - 1;
  for (int64_t begin = 0, end = 0; begin < count; begin = end) {
    const auto first = documents.begin() + begin;
    end = std::upper_bound(first, documents.end(), *first + width) - documents.begin() - 1;
    blocks.documents.push_back({begin, end - begin});
  }
  return blocks;
}

Range tokens_of(const Offsets& offsets, Range texts) {
  const auto begin = static_cast<size_t>(texts.begin), end = static_cast<size_t>(texts.begin + texts.count);
  return {offsets[begin], offsets[end] - offsets[begin]};
}

at::Tensor rows_of(const at::Tensor& tensor, Range range) { return tensor.narrow(0, range.begin, range.count); }

/// The best token of each document of a block for each query token of a tile.
struct Winners {
  at::Tensor values;  // (query tokens, documents)
  at::Tensor tokens;  // (query tokens, documents) row in the packed document tokens
};

Winners find_winners(const at::Tensor& scores, const Offsets& offsets, Range block) {
  std::vector<at::Tensor> values, tokens;  // (query tokens) each
  const int64_t first = tokens_of(offsets, block).begin;
  for (int64_t document = block.begin; document < block.begin + block.count; ++document) {
    const Range range = tokens_of(offsets, {document, 1});
    const auto [best, place] = scores.narrow(1, range.begin - first, range.count).max(1);
    values.push_back(best);
    tokens.push_back(place + range.begin);
  }
  return {at::stack(values, 1), at::stack(tokens, 1)};
}

Winners find_winners(const at::Tensor& queries, const at::Tensor& documents, const Offsets& offsets,
                     const Blocks& blocks) {
  std::vector<at::Tensor> values, tokens;  // (query tokens of the tile, documents)
  for (const Range tile : blocks.query_tokens) {
    std::vector<at::Tensor> tile_values, tile_tokens;  // (query tokens of the tile, documents of the block)
    for (const Range block : blocks.documents) {
      const at::Tensor block_tokens = rows_of(documents, tokens_of(offsets, block));
      const Winners winners = find_winners(at::matmul(rows_of(queries, tile), block_tokens.t()), offsets, block);
      tile_values.push_back(winners.values);
      tile_tokens.push_back(winners.tokens);
    }
    values.push_back(at::cat(tile_values, 1));
    tokens.push_back(at::cat(tile_tokens, 1));
  }
  return {at::cat(values), at::cat(tokens)};
}

/// Number of tokens of each text. (texts)
std::vector<int64_t> lengths_of(const Offsets& offsets) {
  std::vector<int64_t> lengths;
  for (size_t i = 1; i < offsets.size(); ++i) lengths.push_back(offsets[i] - offsets[i - 1]);
  return lengths;
}

/// d loss / d (inner product of a query token with its winner). (query tokens, documents)
at::Tensor spread_over_tokens(const at::Tensor& gradient, const Offsets& queries) {
  const at::Tensor lengths = at::tensor(lengths_of(queries), at::kLong).to(gradient.device());  // (queries)
  return (gradient / lengths.unsqueeze(1)).repeat_interleave(lengths, 0, queries.back());
}

struct TokenGradients {
  at::Tensor queries;    // (query tokens, dimensions)
  at::Tensor documents;  // (document tokens, dimensions)
};

/// A block's gradient with respect to all its inner products is zero but for one winner per query token and document;
/// made dense for the block, it gives both sides by a product each, without atomic additions.
TokenGradients spread_to_winners(const at::Tensor& queries, const at::Tensor& documents, const Winners& gradient,
                                 const Offsets& offsets, const Blocks& blocks) {
  std::vector<at::Tensor> query_gradients;                              // per tile (query tokens, dimensions)
  std::vector<at::Tensor> document_gradients(blocks.documents.size());  // per block (document tokens, dimensions)
  for (const Range tile : blocks.query_tokens) {
    at::Tensor sum = at::zeros_like(rows_of(queries, tile));  // (query tokens, dimensions)
    for (size_t i = 0; i < blocks.documents.size(); ++i) {
      const Range block = blocks.documents[i], tokens = tokens_of(offsets, block);
      const auto part = [&](const at::Tensor& of) { return rows_of(of, tile).narrow(1, block.begin, block.count); };
      const at::Tensor dense = at::zeros({tile.count, tokens.count}, queries.options())
                                   .scatter(1, part(gradient.tokens) - tokens.begin, part(gradient.values));
      sum = sum + at::matmul(dense, rows_of(documents, tokens));
      const at::Tensor back = at::matmul(dense.t(), rows_of(queries, tile));  // (document tokens, dimensions)
      document_gradients[i] = document_gradients[i].defined() ? document_gradients[i] + back : back;
    }
    query_gradients.push_back(sum);
  }
  return {at::cat(query_gradients), at::cat(document_gradients)};
}

class MaxSim : public torch::autograd::Function<MaxSim> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& queries,
                            const at::Tensor& documents, const Offsets& query_offsets, const Offsets& document_offsets,
                            int64_t elements) {
    const Blocks blocks = make_blocks(query_offsets, document_offsets, elements);
    const Winners winners = find_winners(queries, documents, document_offsets, blocks);
    context->save_for_backward({queries, documents, winners.tokens});
    context->saved_data["query_offsets"] = query_offsets;
    context->saved_data["document_offsets"] = document_offsets;
    context->saved_data["elements"] = elements;
    std::vector<at::Tensor> scores;  // (documents) each
    for (const at::Tensor& tokens : winners.values.split_with_sizes(lengths_of(query_offsets))) {
      scores.push_back(tokens.mean(0));
    }
    return at::stack(scores);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const Offsets query_offsets = context->saved_data["query_offsets"].toIntVector();
    const Offsets document_offsets = context->saved_data["document_offsets"].toIntVector();
    const Blocks blocks = make_blocks(query_offsets, document_offsets, context->saved_data["elements"].toInt());
    const Winners gradient{spread_over_tokens(gradients[0], query_offsets), saved[2]};
    const TokenGradients result = spread_to_winners(saved[0], saved[1], gradient, document_offsets, blocks);
    return {result.queries, result.documents, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

void check_tokens(std::string_view name, std::string_view column, const TokenVectors& tokens) {
  const Offsets& offsets = tokens.offsets;
  if (offsets.size() < 2 || offsets.front() != 0 || tokens.vectors.dim() != 2 ||
      offsets.back() != tokens.vectors.size(0)) {
    fail(ErrorKind::kInvalidInput, {}, "loss '{}', column {}: offsets must begin with 0 and end with the tokens", name,
         column);
  }
  for (size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] > offsets[i - 1]) continue;
    fail(ErrorKind::kInvalidInput, {}, "loss '{}', column {}: text {} has no tokens", name, column, i - 1);
  }
}

}  // namespace

at::Tensor max_sim(const TokenVectors& queries, const TokenVectors& documents, std::string_view name,
                   int64_t block_elements) {
  check_tokens(name, "query_tokens", queries);
  check_tokens(name, "positive_tokens", documents);
  if (queries.vectors.size(1) != documents.vectors.size(1)) {
    fail(ErrorKind::kInvalidInput, {}, "loss '{}': token vectors of queries have width {}, those of positives {}", name,
         queries.vectors.size(1), documents.vectors.size(1));
  }
  return MaxSim::apply(queries.vectors, documents.vectors, queries.offsets, documents.offsets, block_elements);
}

}  // namespace jina
