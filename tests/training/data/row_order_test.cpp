#include "training/data/row_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/rng.h"
#include "support/owned_rows.h"

namespace jina {
namespace {

/// Pairs; the texts of each are drawn from `texts` texts, so equal ones are many when that is small.
test::OwnedRows make_pairs(int64_t rows, int32_t texts, uint64_t seed) {
  const CounterRng rng(seed, "pairs");
  test::OwnedRows owned;
  owned.add_texts(texts);
  for (uint64_t row = 0; row < static_cast<uint64_t>(rows); ++row) {
    owned.content.queries.push_back(static_cast<int32_t>(rng.bits(2 * row) % static_cast<uint64_t>(texts)));
    owned.content.positives.push_back(static_cast<int32_t>(rng.bits(2 * row + 1) % static_cast<uint64_t>(texts)));
  }
  return owned;
}

std::vector<int64_t> batch_of(const TokenisedRows& rows, int64_t batch, int64_t turn, uint64_t key = 5) {
  return batch_rows(rows, find_shared_rows(rows), key, batch, turn);
}

int count_equal_texts(const TokenisedRows& rows, const std::vector<int64_t>& batch) {
  std::set<int32_t> seen;
  int equal = 0;
  for (const int64_t row : batch) {
    const auto r = static_cast<size_t>(row);
    const int32_t query = rows.originals[static_cast<size_t>(rows.queries[r])];
    const int32_t positive = rows.originals[static_cast<size_t>(rows.positives[r])];
    if (seen.contains(query) || seen.contains(positive)) ++equal;
    seen.insert({query, positive});
  }
  return equal;
}

TEST(StreamRow, EachEpochIsAPermutationOfItsOwn) {
  constexpr int64_t kRows = 1000;
  std::vector<std::vector<int64_t>> epochs(3);
  for (int64_t t = 0; t < 3 * kRows; ++t) epochs[static_cast<size_t>(t / kRows)].push_back(stream_row(9, kRows, t));
  for (auto epoch : epochs) {
    std::sort(epoch.begin(), epoch.end());
    for (int64_t i = 0; i < kRows; ++i) ASSERT_EQ(epoch[static_cast<size_t>(i)], i);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
}

TEST(BatchRows, WithoutEqualTextsTheyAreTheStream) {
  test::OwnedRows owned;
  owned.add_texts(2000);
  for (int32_t row = 0; row < 1000; ++row) {
    owned.content.queries.push_back(row);
    owned.content.positives.push_back(1000 + row);
  }
  const TokenisedRows rows = owned.view();
  for (const int64_t turn : {0, 1, 17, 31, 32, 100}) {  // 31 and 32 are in different epochs, in one window
    const auto batch = batch_of(rows, 32, turn);
    std::vector<int64_t> expected;
    for (int64_t i = 0; i < 32; ++i) expected.push_back(stream_row(5, 1000, turn * 32 + i));
    EXPECT_EQ(batch, expected) << turn;
  }
}

TEST(BatchRows, EqualTextsAreKeptApart) {
  const test::OwnedRows owned = make_pairs(4096, 3000, 1);
  const TokenisedRows rows = owned.view();
  int unarranged = 0;
  for (int64_t turn = 0; turn < 64; ++turn) {
    std::vector<int64_t> plain;
    for (int64_t i = 0; i < 64; ++i) plain.push_back(stream_row(5, 4096, turn * 64 + i));
    unarranged += count_equal_texts(rows, plain);
    EXPECT_EQ(count_equal_texts(rows, batch_of(rows, 64, turn)), 0) << turn;
  }
  EXPECT_GT(unarranged, 100) << "there was something to do";
}

TEST(BatchRows, EveryRowOncePerEpochWhateverIsArranged) {
  for (const int32_t texts : {3, 100, 3000}) {
    const test::OwnedRows owned = make_pairs(2048, texts, 2);
    const TokenisedRows rows = owned.view();
    for (int64_t epoch = 0; epoch < 2; ++epoch) {
      std::vector<int64_t> seen;
      for (int64_t turn = epoch * 64; turn < (epoch + 1) * 64; ++turn) {
        const auto batch = batch_of(rows, 32, turn);
        ASSERT_EQ(batch.size(), 32u);
        seen.insert(seen.end(), batch.begin(), batch.end());
      }
      std::sort(seen.begin(), seen.end());
      for (int64_t row = 0; row < 2048; ++row) ASSERT_EQ(seen[static_cast<size_t>(row)], row) << texts;
    }
  }
}

TEST(BatchRows, WindowsAcrossEpochsHoldTheirPartOfTheStream) {
  const test::OwnedRows owned = make_pairs(100, 60, 3);  // a window of 16 x 8 rows is longer than an epoch
  const TokenisedRows rows = owned.view();
  for (int64_t window = 0; window < 5; ++window) {
    std::vector<int64_t> expected;
    std::vector<int64_t> found;
    for (int64_t turn = window * 16; turn < (window + 1) * 16; ++turn) {
      for (int64_t i = 0; i < 8; ++i) expected.push_back(stream_row(5, 100, turn * 8 + i));
      const auto batch = batch_of(rows, 8, turn);
      EXPECT_EQ(std::set<int64_t>(batch.begin(), batch.end()).size(), 8u) << "no row meets itself";
      found.insert(found.end(), batch.begin(), batch.end());
    }
    std::sort(expected.begin(), expected.end());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected);
  }
}

TEST(BatchRows, NegativesMeetNoPositives) {
  test::OwnedRows owned;
  owned.add_texts(2100);
  owned.content.negative_offsets = {0};
  for (int32_t row = 0; row < 1024; ++row) {
    owned.content.queries.push_back(row);
    owned.content.positives.push_back(1024 + row);
    owned.content.negatives.push_back(1024 + (row * 7 + 1) % 1024);  // the positive of another row
    owned.content.negative_offsets.push_back(row + 1);
  }
  const TokenisedRows rows = owned.view();
  for (int64_t turn = 0; turn < 16; ++turn) {
    const auto batch = batch_of(rows, 64, turn);
    std::set<int32_t> positives;
    for (const int64_t row : batch) positives.insert(rows.positives[static_cast<size_t>(row)]);
    for (const int64_t row : batch) EXPECT_FALSE(positives.contains(rows.negatives[static_cast<size_t>(row)]));
  }
}

TEST(BatchRows, PromptsDoNotHideEqualTexts) {
  test::OwnedRows owned;
  owned.add_texts(64);
  for (int32_t text = 32; text < 64; ++text) owned.content.originals[static_cast<size_t>(text)] = text - 32;
  for (int32_t row = 0; row < 32; ++row) {
    owned.content.queries.push_back(row);
    owned.content.positives.push_back(32 + (row + 1) % 32);  // the text of the next row's query
  }
  const TokenisedRows rows = owned.view();
  for (int64_t turn = 0; turn < 16; ++turn) EXPECT_EQ(count_equal_texts(rows, batch_of(rows, 2, turn)), 0);
}

TEST(FindSharedRows, RowsWithATextOfAnother) {
  test::OwnedRows owned;
  owned.add_texts(6);
  owned.content.queries = {0, 1, 2, 3};
  owned.content.positives = {0, 4, 5, 4};
  EXPECT_EQ(find_shared_rows(owned.view()), std::vector<uint64_t>{0b1010}) << "a row may have a text twice";
}

}  // namespace
}  // namespace jina
