#include "training/losses/max_sim.h"

#include "support/expect_error.h"
#include "training/losses/loss_cases.h"

namespace jina::test {
namespace {

double naive_score(const TokenVectors& queries, const TokenVectors& documents, size_t q, size_t d) {
  double sum = 0;
  for (int64_t i = queries.offsets[q]; i < queries.offsets[q + 1]; ++i) {
    double best = -INFINITY;
    for (int64_t j = documents.offsets[d]; j < documents.offsets[d + 1]; ++j) {
      best = std::max(best, at::dot(queries.vectors[i], documents.vectors[j]).item<double>());
    }
    sum += best;
  }
  return sum / static_cast<double>(queries.offsets[q + 1] - queries.offsets[q]);
}

/// A weighted sum of all scores, so that every score has its own gradient.
LossOf weighted(int64_t block_elements) {
  return [block_elements](const LossBatch& batch) {
    const at::Tensor scores = max_sim(batch.query_tokens, batch.positive_tokens, "test", block_elements);
    return (scores * random_tensor(77, scores.sizes())).sum();
  };
}

LossBatch token_batch() {
  const LossBatch full = full_batch(false);
  LossBatch batch;
  batch.query_tokens = full.query_tokens;
  batch.positive_tokens = full.positive_tokens;
  return batch;
}

TEST(MaxSim, EqualsTheDefinitionOnTextsOfAnyLength) {
  const LossBatch batch = token_batch();
  const at::Tensor scores = max_sim(batch.query_tokens, batch.positive_tokens, "test");
  for (size_t q = 0; q < 5; ++q) {
    for (size_t d = 0; d < 5; ++d) {
      EXPECT_NEAR(element(scores, static_cast<int64_t>(q), static_cast<int64_t>(d)),
                  naive_score(batch.query_tokens, batch.positive_tokens, q, d), 1e-12);
    }
  }
}

TEST(MaxSim, BlocksOfAnySizeGiveTheSame) {
  const OneThread one_thread;
  const LossBatch batch = token_batch();
  const double whole = weighted(1 << 20)(batch).item<double>();
  const auto gradients = gradients_of(weighted(1 << 20), batch);
  for (const int64_t elements : {1, 4, 5, 9, 12, 13, 40, 125}) {
    EXPECT_NEAR(weighted(elements)(batch).item<double>(), whole, 1e-12);
    const auto blocked = gradients_of(weighted(elements), batch);
    for (size_t i = 0; i < gradients.size(); ++i) EXPECT_LE(max_difference(blocked[i], gradients[i]), 1e-12);
  }
}

TEST(MaxSim, GradientGoesToTheWinners) {
  gradient_check(weighted(1 << 20), token_batch());
  gradient_check(weighted(6), token_batch());
}

TEST(MaxSim, OnlyTheQuerySideMayTrain) {
  LossBatch batch = token_batch();
  batch.query_tokens.vectors.set_requires_grad(true);
  weighted(40)(batch).backward();
  EXPECT_TRUE(batch.query_tokens.vectors.grad().defined());
  EXPECT_FALSE(batch.positive_tokens.vectors.grad().defined());
}

TEST(MaxSim, CountsOfQueriesAndDocumentsMayDiffer) {
  LossBatch batch = token_batch();
  batch.query_tokens = {batch.query_tokens.vectors.narrow(0, 0, 3), {0, 1, 3}};
  EXPECT_EQ(max_sim(batch.query_tokens, batch.positive_tokens, "test").sizes(), (std::vector<int64_t>{2, 5}));
  gradient_check(weighted(7), batch);
}

TEST(MaxSim, RejectsWhatIsNotPackedTexts) {
  const LossBatch batch = token_batch();
  const auto reject = [&](TokenVectors queries, std::string_view part) {
    expect_error(ErrorKind::kInvalidInput, part, [&] { max_sim(queries, batch.positive_tokens, "x"); });
  };
  const at::Tensor& vectors = batch.query_tokens.vectors;
  reject({vectors, {0, 1, 1, 9}}, "loss 'x', column query_tokens: text 1 has no tokens");
  reject({vectors, {0, 4}}, "offsets must begin with 0 and end with the tokens");
  reject({vectors, {0}}, "offsets must begin with 0");
  reject({vectors.narrow(1, 0, 3), {0, 9}}, "queries have width 3, those of positives 4");
}

}  // namespace
}  // namespace jina::test
