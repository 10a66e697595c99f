#include "training/data/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "support/expect_error.h"
#include "support/owned_rows.h"
#include "training/data/stage_schedule.h"

namespace jina {
namespace {

/// Pairs of texts that are all different; row r has r % 4 negatives.
test::OwnedRows make_triplets(int32_t rows) {
  test::OwnedRows owned;
  owned.add_texts(rows * 5);
  owned.content.negative_offsets = {0};
  for (int32_t row = 0; row < rows; ++row) {
    owned.content.queries.push_back(row * 5);
    owned.content.positives.push_back(row * 5 + 1);
    for (int32_t i = 0; i < row % 4; ++i) owned.content.negatives.push_back(row * 5 + 2 + i);
    owned.content.negative_offsets.push_back(static_cast<int64_t>(owned.content.negatives.size()));
  }
  return owned;
}

/// Labelled texts: label l has l + 1 rows.
test::OwnedRows make_labelled(int32_t labels) {
  test::OwnedRows owned;
  owned.add_texts(labels * (labels + 1) / 2);
  for (int32_t label = 0; label < labels; ++label) {
    for (int32_t i = 0; i <= label; ++i) {
      owned.content.queries.push_back(static_cast<int32_t>(owned.content.queries.size()));
      owned.content.labels.push_back(label);
    }
  }
  return owned;
}

Sampler prepare(const TokenisedRows& rows, const SamplerOptions& options, uint64_t seed = 1) {
  return prepare_sampler(rows, options, seed, "stage", "data");
}

bool is_equal(const SampledBatch& a, const SampledBatch& b) {
  return a.rows == b.rows && a.queries == b.queries && a.positives == b.positives && a.negatives == b.negatives &&
         a.scores == b.scores && a.labels == b.labels && a.negative_labels == b.negative_labels;
}

TEST(Sampler, BatchesAreFunctionsOfSeedNamesAndTurn) {
  const test::OwnedRows triplets = make_triplets(300);
  const test::OwnedRows labelled = make_labelled(20);
  for (const BatchKind kind : {BatchKind::kRows, BatchKind::kClassTuples, BatchKind::kClassGroups}) {
    const TokenisedRows rows = kind == BatchKind::kRows ? triplets.view() : labelled.view();
    const SamplerOptions options{.kind = kind, .batch = 16, .negatives = 3};
    const Sampler sampler = prepare(rows, options);
    std::vector<SampledBatch> batches;
    for (int64_t turn = 0; turn < 40; ++turn) batches.push_back(sample_batch(sampler, turn));
    const Sampler again = prepare(rows, options);
    for (int64_t turn = 39; turn >= 0; --turn) {  // resumed anywhere, in any order
      EXPECT_TRUE(is_equal(sample_batch(again, turn), batches[static_cast<size_t>(turn)])) << turn;
    }
    EXPECT_FALSE(is_equal(sample_batch(prepare(rows, options, 2), 0), batches[0])) << "another seed";
    EXPECT_FALSE(is_equal(sample_batch(prepare_sampler(rows, options, 1, "other", "data"), 0), batches[0]));
    EXPECT_FALSE(is_equal(sample_batch(prepare_sampler(rows, options, 1, "stage", "other"), 0), batches[0]));
  }
}

TEST(Sampler, RowsBringTheirColumns) {
  test::OwnedRows owned = make_triplets(50);
  for (int i = 0; i < 50; ++i) {
    owned.content.scores.push_back(static_cast<float>(i));
    owned.content.labels.push_back(i % 3);
  }
  const TokenisedRows rows = owned.view();
  const SampledBatch batch = sample_batch(prepare(rows, {.batch = 10}), 2);
  ASSERT_EQ(batch.rows.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    const auto row = static_cast<int32_t>(batch.rows[i]);
    EXPECT_EQ(batch.queries[i], row * 5);
    EXPECT_EQ(batch.positives[i], row * 5 + 1);
    EXPECT_EQ(batch.scores[i], static_cast<float>(row));
    EXPECT_EQ(batch.labels[i], row % 3);
  }
  EXPECT_TRUE(batch.negatives.empty()) << "none asked for";
}

TEST(Sampler, OwnNegativesComeFirstAndOthersFill) {
  const test::OwnedRows owned = make_triplets(400);
  const TokenisedRows rows = owned.view();
  const Sampler sampler = prepare(rows, {.batch = 32, .negatives = 2});
  std::map<int32_t, std::set<int32_t>> drawn_of;  // row → negatives that were drawn for it
  for (int64_t turn = 0; turn < 100; ++turn) {
    const SampledBatch batch = sample_batch(sampler, turn);
    ASSERT_EQ(batch.negatives.size(), 64u);
    const std::set<int32_t> positives(batch.positives.begin(), batch.positives.end());
    for (size_t i = 0; i < 32; ++i) {
      const auto row = static_cast<int32_t>(batch.rows[i]);
      const int32_t own = std::min(row % 4, 2);
      EXPECT_NE(batch.negatives[2 * i], batch.negatives[2 * i + 1]);
      for (int32_t j = 0; j < 2; ++j) {
        const int32_t text = batch.negatives[2 * i + static_cast<size_t>(j)];
        EXPECT_FALSE(positives.contains(text));
        EXPECT_EQ(text / 5 == row, j < own) << "own ones first";
        EXPECT_EQ(text % 5 == 1, j >= own) << "positives of other rows behind";
        if (j < own) drawn_of[row].insert(text);
      }
    }
  }
  size_t all_three = 0;
  for (const auto& [row, texts] : drawn_of) all_three += texts.size() == 3 ? 1 : 0;
  EXPECT_GT(all_three, 80u) << "of 100 rows with three, drawn anew each epoch";
}

TEST(Sampler, TuplesShareALabelWithTheirPositiveOnly) {
  const test::OwnedRows owned = make_labelled(30);
  const TokenisedRows rows = owned.view();
  const Sampler sampler = prepare(rows, {.kind = BatchKind::kClassTuples, .batch = 29, .negatives = 7});
  const auto label_of = [&](int32_t text) { return rows.labels[static_cast<size_t>(text)]; };  // row r has text r
  std::vector<int64_t> queries;
  std::set<std::pair<int32_t, int32_t>> pairs;
  for (int64_t turn = 0; turn < 16; ++turn) {  // 464 rows have a label with two texts: one epoch
    const SampledBatch batch = sample_batch(sampler, turn);
    ASSERT_EQ(batch.negatives.size(), 29u * 7);
    for (size_t i = 0; i < 29; ++i) {
      queries.push_back(batch.rows[i]);
      EXPECT_EQ(batch.labels[i], label_of(batch.queries[i]));
      EXPECT_EQ(label_of(batch.positives[i]), batch.labels[i]);
      EXPECT_NE(batch.positives[i], batch.queries[i]);
      pairs.emplace(batch.queries[i], batch.positives[i]);
      std::set<int32_t> negatives;
      for (size_t j = 7 * i; j < 7 * i + 7; ++j) {
        EXPECT_EQ(batch.negative_labels[j], label_of(batch.negatives[j]));
        EXPECT_NE(batch.negative_labels[j], batch.labels[i]);
        negatives.insert(batch.negatives[j]);
      }
      EXPECT_EQ(negatives.size(), 7u);
    }
  }
  std::sort(queries.begin(), queries.end());
  for (int64_t i = 0; i < 464; ++i) ASSERT_EQ(queries[static_cast<size_t>(i)], i + 1) << "row 0 is alone in its label";
  EXPECT_EQ(pairs.size(), 464u);
}

TEST(Sampler, TuplesOfEqualTextsTakeAnother) {
  test::OwnedRows owned;
  owned.add_texts(3);
  owned.content.queries = {0, 0, 0, 1, 2, 2};
  owned.content.labels = {5, 5, 5, 5, 1, 0};
  owned.content.queries.push_back(1);
  owned.content.labels.push_back(0);
  const TokenisedRows rows = owned.view();
  const Sampler sampler = prepare(rows, {.kind = BatchKind::kClassTuples, .batch = 6, .negatives = 2});
  for (int64_t turn = 0; turn < 10; ++turn) {
    const SampledBatch batch = sample_batch(sampler, turn);
    for (size_t i = 0; i < 6; ++i) EXPECT_NE(batch.queries[i], batch.positives[i]);
  }
}

TEST(Sampler, GroupsHaveSeveralRowsOfEachLabel) {
  const test::OwnedRows owned = make_labelled(25);
  const TokenisedRows rows = owned.view();
  const Sampler sampler = prepare(rows, {.kind = BatchKind::kClassGroups, .batch = 24, .rows_per_label = 4});
  std::map<int32_t, int> label_counts;
  std::map<int64_t, int> row_counts;
  for (int64_t turn = 0; turn < 400; ++turn) {
    const SampledBatch batch = sample_batch(sampler, turn);
    ASSERT_EQ(batch.rows.size(), 24u);
    for (size_t i = 0; i < 24; ++i) {
      EXPECT_EQ(batch.labels[i], batch.labels[i / 4 * 4]);
      EXPECT_EQ(batch.labels[i], rows.labels[static_cast<size_t>(batch.rows[i])]);
      if (i % 4 == 0) ++label_counts[batch.labels[i]];
      ++row_counts[batch.rows[i]];
    }
    for (size_t i = 0; i < 24; i += 4) {
      const std::set<int64_t> group(batch.rows.begin() + static_cast<int64_t>(i),
                                    batch.rows.begin() + static_cast<int64_t>(i) + 4);
      const bool is_first_round = turn < 4;  // no label begins a second epoch there
      EXPECT_TRUE(!is_first_round || batch.labels[i] < 3 || group.size() == 4u);
    }
  }
  EXPECT_EQ(label_counts.size(), 24u) << "all labels but the one with a single row";
  for (const auto& [label, count] : label_counts) EXPECT_EQ(count, 100) << label << ": labels take turns";
  for (const auto& [row, count] : row_counts) {
    const double expected = 400.0 / (rows.labels[static_cast<size_t>(row)] + 1);
    EXPECT_NEAR(count, expected, 1) << "so do the rows of a label";
  }
}

TEST(Sampler, ErrorsNameTheData) {
  const test::OwnedRows triplets = make_triplets(10);
  const TokenisedRows rows = triplets.view();
  const auto expect = [&](std::string_view message, const TokenisedRows& from, const SamplerOptions& options) {
    test::expect_error(ErrorKind::kInvalidInput, message, [&] { prepare(from, options); });
  };
  expect("data: batch: expected at least 1, found 0", rows, {});
  expect("data: a batch of 11 rows out of 10 would hold rows twice", rows, {.batch = 11});
  expect("data: expected a column label", rows, {.kind = BatchKind::kClassTuples, .batch = 4});
  const test::OwnedRows labelled = make_labelled(2);
  const TokenisedRows few = labelled.view();
  expect("two labels or more with two different texts each, found 1", few,
         {.kind = BatchKind::kClassTuples, .batch = 4});
  expect("expected a multiple of the 4 rows per label, found 6", few, {.kind = BatchKind::kClassGroups, .batch = 6});
  expect("expected a column positive", few, {.batch = 4, .negatives = 1});
  expect("data: expected rows", TokenisedRows(), {.batch = 4});
}

/// What the trainer does: any step can be drawn without those before it.
TEST(Sampler, StepKOfAStageIsTheSameHoweverItIsReached) {
  const test::OwnedRows first = make_triplets(100);
  const test::OwnedRows second = make_triplets(37);
  const std::vector<TokenisedRows> data{first.view(), second.view()};
  StageDraws draws;
  draws.seed = 3;
  draws.stage = "pairs";
  draws.objective_rates = {1};
  draws.rotates_languages = {0};
  for (const auto& rows : data) draws.data.push_back({0, "", default_rate(rows.rows(), 2)});
  const auto run = [&](size_t from, size_t to) {
    const StageSchedule schedule = schedule_stage(draws, static_cast<int64_t>(to));
    std::vector<Sampler> samplers;
    for (size_t i = 0; i < data.size(); ++i) {
      samplers.push_back(prepare_sampler(data[i], {.batch = 8}, 3, "pairs", "data" + std::to_string(i)));
    }
    std::vector<std::vector<int32_t>> queries;
    for (size_t step = from; step < to; ++step) {
      queries.push_back(sample_batch(samplers[static_cast<size_t>(schedule.data[step])], schedule.turns[step]).queries);
    }
    return queries;
  };
  const auto whole = run(0, 60);
  const auto resumed = run(41, 60);
  EXPECT_EQ(std::vector(whole.begin() + 41, whole.end()), resumed);
}

}  // namespace
}  // namespace jina
