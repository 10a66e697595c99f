#include "text/bpe_merges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace jina {
namespace {

std::vector<ModelToken> symbols_of(const std::vector<int32_t>& ids) {
  std::vector<ModelToken> symbols;
  for (const int32_t id : ids) {
    const auto begin = static_cast<uint32_t>(symbols.size());
    symbols.push_back({id, begin, begin + 1});
  }
  return symbols;
}

std::vector<int32_t> ids_of(const std::vector<ModelToken>& symbols) {
  std::vector<int32_t> ids;
  for (const ModelToken& symbol : symbols) ids.push_back(symbol.id);
  return ids;
}

std::vector<int32_t> merged(const std::vector<MergeTable::Merge>& merges, const std::vector<int32_t>& ids) {
  std::vector<ModelToken> symbols = symbols_of(ids);
  MergeTable(merges).merge(symbols, 0);
  return ids_of(symbols);
}

TEST(MergeTable, LowestRankFirstThenLeftmost) {
  EXPECT_EQ(merged({{1, 2, 10}, {0, 1, 11}}, {0, 1, 2}), (std::vector<int32_t>{0, 10}));
  EXPECT_EQ(merged({{0, 1, 11}, {1, 2, 10}}, {0, 1, 2}), (std::vector<int32_t>{11, 2}));
  EXPECT_EQ(merged({{0, 0, 1}}, {0, 0, 0}), (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(merged({{0, 0, 1}, {1, 1, 2}, {2, 0, 3}}, {0, 0, 0, 0, 0}), (std::vector<int32_t>{3}));
  EXPECT_EQ(merged({}, {0, 1}), (std::vector<int32_t>{0, 1}));
}

TEST(MergeTable, OfEqualPairsTheLastRankCounts) {
  EXPECT_EQ(merged({{0, 1, 10}, {1, 2, 11}, {0, 1, 10}}, {0, 1, 2}), (std::vector<int32_t>{0, 11}));
}

TEST(MergeTable, RangesGrowAndEarlierSymbolsStay) {
  std::vector<ModelToken> symbols = {{0, 0, 5}, {0, 0, 3}, {1, 3, 4}, {5, 4, 9}};
  MergeTable(std::vector<MergeTable::Merge>{{0, 1, 7}, {0, 0, 8}}).merge(symbols, 1);
  ASSERT_EQ(symbols.size(), 3u);
  EXPECT_EQ(symbols[0].id, 0);
  EXPECT_EQ(symbols[1].id, 7);
  EXPECT_EQ(symbols[1].begin, 0u);
  EXPECT_EQ(symbols[1].end, 4u);
  EXPECT_EQ(symbols[2].begin, 4u);
}

TEST(MergeTable, LargestIds) {
  const int32_t top = MergeTable::kMaxId;
  EXPECT_EQ(merged({{top, top, 3}, {top - 1, top, 4}}, {top, top, top - 1, top, top}),
            (std::vector<int32_t>{3, top - 1, 3}));
  const MergeTable table(std::vector<MergeTable::Merge>{{top, 0, 5}});
  EXPECT_EQ(table.rank(top, 0), 0u);
  EXPECT_EQ(table.merged(0), 5);
  EXPECT_EQ(table.rank(0, top), MergeTable::kNoRank);
  EXPECT_EQ(table.rank(top, top), MergeTable::kNoRank);
}

/// The definition, step by step.
std::vector<int32_t> merged_naively(const std::vector<MergeTable::Merge>& merges, std::vector<int32_t> ids) {
  std::map<std::pair<int32_t, int32_t>, size_t> ranks;
  for (size_t rank = 0; rank < merges.size(); ++rank) ranks[{merges[rank].left, merges[rank].right}] = rank;
  while (true) {
    size_t best = merges.size();
    size_t at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto found = ranks.find({ids[i], ids[i + 1]});
      if (found != ranks.end() && found->second < best) {
        best = found->second;
        at = i;
      }
    }
    if (best == merges.size()) return ids;
    ids[at] = merges[best].merged;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
}

TEST(MergeTable, AnyLengthIsTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    std::vector<MergeTable::Merge> merges;
    for (int32_t id = 4; id < 60; ++id) {
      merges.push_back({static_cast<int32_t>(random() % id), static_cast<int32_t>(random() % id), id});
    }
    if (round % 2 == 0) std::shuffle(merges.begin(), merges.end(), random);
    for (const size_t size : {2, 3, 16, 17, 18, 60, 127, 128, 129, 130, 400}) {
      std::vector<int32_t> ids;
      for (size_t i = 0; i < size; ++i) ids.push_back(static_cast<int32_t>(random() % 4));
      ASSERT_EQ(merged(merges, ids), merged_naively(merges, ids)) << "round " << round << ", " << size << " symbols";
    }
  }
}

}  // namespace
}  // namespace jina
