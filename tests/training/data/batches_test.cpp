#include "training/data/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/rng.h"
#include "support/expect_error.h"
#include "support/owned_rows.h"
#include "support/tiny_tokenizer.h"

namespace jina {
namespace {

using Numbers = std::vector<int64_t>;

/// Documents of the given lengths; tokens are numbered through, every third starts a word.
test::OwnedRows make_documents(const Numbers& lengths) {
  test::OwnedRows owned;
  owned.content.offsets = {0};
  for (const int64_t length : lengths) {
    owned.content.queries.push_back(static_cast<int32_t>(owned.content.originals.size()));
    owned.content.originals.push_back(static_cast<int32_t>(owned.content.originals.size()));
    owned.content.offsets.push_back(owned.content.offsets.back() + length);
  }
  const auto tokens = static_cast<size_t>(owned.content.offsets.back());
  owned.content.ids.resize(tokens);
  std::iota(owned.content.ids.begin(), owned.content.ids.end(), 1000);
  owned.content.word_starts.assign(tokens / 64 + 1, 0);
  for (size_t token = 0; token < tokens; token += 3) owned.content.word_starts[token / 64] |= uint64_t{1} << token % 64;
  return owned;
}

Numbers random_lengths(size_t count, int64_t most) {
  const CounterRng rng(1, "lengths");
  Numbers lengths;
  for (size_t i = 0; i < count; ++i) {
    lengths.push_back(1 + static_cast<int64_t>(rng.bits(i) % static_cast<uint64_t>(most)));
  }
  return lengths;
}

TEST(Chunks, ByHand) {
  const Chunks chunks = split_into_chunks(Numbers{3, 9, 3, 1, 20}, 10);
  EXPECT_EQ(chunks.order, (Numbers{4, 1, 0, 2, 3}));
  EXPECT_EQ(chunks.offsets, (Numbers{0, 1, 2, 5}));
  EXPECT_EQ(inverse_order(chunks.order), (Numbers{2, 1, 3, 4, 0}));
  EXPECT_EQ(split_into_chunks(Numbers{3, 9}, 0).offsets, (Numbers{0, 2}));
  EXPECT_EQ(split_into_chunks({}, 5).offsets, Numbers{0});
}

TEST(Chunks, EveryTextOnceWithinTheBound) {
  const Numbers lengths = random_lengths(500, 120);
  const Chunks chunks = split_into_chunks(lengths, 512);
  std::set<int64_t> seen;
  for (size_t chunk = 0; chunk + 1 < chunks.offsets.size(); ++chunk) {
    int64_t tokens = 0;
    for (int64_t i = chunks.offsets[chunk]; i < chunks.offsets[chunk + 1]; ++i) {
      const int64_t text = chunks.order[static_cast<size_t>(i)];
      tokens += lengths[static_cast<size_t>(text)];
      EXPECT_TRUE(seen.insert(text).second);
    }
    EXPECT_GT(tokens, 0);
    EXPECT_LE(tokens, 512);
  }
  EXPECT_EQ(seen.size(), lengths.size());
  const Numbers inverse = inverse_order(chunks.order);
  for (size_t i = 0; i < inverse.size(); ++i) {
    EXPECT_EQ(chunks.order[static_cast<size_t>(inverse[i])], static_cast<int64_t>(i));
  }
}

TEST(FindTemplate, OfEachKind) {
  for (const char* name : {"bert-tiny-mean", "v3-tiny", "v2-code-6h"}) {
    const Tokenizer tokenizer = test::tiny_tokenizer(name);
    const TemplateTokens around = find_template(tokenizer);
    EXPECT_EQ(around.size(), tokenizer.special_tokens());
    std::vector<int32_t> ids = around.before;
    const auto inner = tokenizer.encode("some text", {.add_special_tokens = false}).ids;
    ids.insert(ids.end(), inner.begin(), inner.end());
    ids.insert(ids.end(), around.after.begin(), around.after.end());
    EXPECT_EQ(ids, tokenizer.encode("some text").ids) << name;
  }
}

const TemplateTokens kAround{{1}, {2}};

TEST(PackTexts, EveryTokenOnceAndSequencesNearlyFull) {
  const test::OwnedRows owned = make_documents(random_lengths(1000, 400));
  const TokenisedRows rows = owned.view();
  constexpr int64_t kMostTokens = 256;
  const PackedTexts packed = pack_texts(rows, kMostTokens, kAround, 3);
  std::vector<int> seen(rows.ids.size());
  int64_t used = 0;
  for (int64_t s = 0; s < packed.sequences(); ++s) {
    int64_t tokens = 0;
    for (int64_t p = packed.offsets[static_cast<size_t>(s)]; p < packed.offsets[static_cast<size_t>(s) + 1]; ++p) {
      const Piece& piece = packed.pieces[static_cast<size_t>(p)];
      tokens += piece.end - piece.begin + 2;
      for (const int32_t id : piece_tokens(rows, piece, {}).ids) ++seen[static_cast<size_t>(id) - 1000];
    }
    EXPECT_LE(tokens, kMostTokens);
    used += tokens;
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<int64_t>(seen.size()));
  EXPECT_GT(static_cast<double>(used), 0.95 * static_cast<double>(packed.sequences() * kMostTokens));
}

TEST(PackTexts, LongDocumentsAreCutInFrontOfWords) {
  const test::OwnedRows owned = make_documents({1003, 5});
  const TokenisedRows rows = owned.view();
  const PackedTexts packed = pack_texts(rows, 102, kAround, 3);
  Numbers lengths;
  for (const Piece& piece : packed.pieces) {
    if (piece.row != 0) continue;
    EXPECT_TRUE(rows.starts_word(0, piece.begin));
    lengths.push_back(piece.end - piece.begin);
  }
  EXPECT_EQ(std::accumulate(lengths.begin(), lengths.end(), int64_t{0}), 1003);
  EXPECT_LE(*std::max_element(lengths.begin(), lengths.end()), 100);
  EXPECT_GE(*std::min_element(lengths.begin(), lengths.end()), 25) << "no crumbs";
  EXPECT_GE(std::count_if(lengths.begin(), lengths.end(), [](int64_t length) { return length > 97; }), 8);
}

TEST(PackTexts, WithoutWordStartsAPieceEndsAnywhere) {
  test::OwnedRows owned = make_documents({1000});
  std::fill(owned.content.word_starts.begin(), owned.content.word_starts.end(), 0);
  const PackedTexts packed = pack_texts(owned.view(), 102, kAround, 3);
  EXPECT_EQ(packed.sequences(), 10);
}

TEST(PackTexts, TheKeyChoosesTheCompany) {
  const test::OwnedRows owned = make_documents(random_lengths(100, 100));
  const TokenisedRows rows = owned.view();
  EXPECT_EQ(pack_texts(rows, 128, kAround, 3).pieces, pack_texts(rows, 128, kAround, 3).pieces);
  EXPECT_NE(pack_texts(rows, 128, kAround, 3).pieces, pack_texts(rows, 128, kAround, 4).pieces);
  test::expect_error(ErrorKind::kInvalidArgument, "the template alone takes 2",
                     [&] { pack_texts(rows, 2, kAround, 3); });
}

TEST(PieceTokens, StandInTheTemplateWithTheirWords) {
  const test::OwnedRows owned = make_documents({4, 10});
  const PieceTokens tokens = piece_tokens(owned.view(), {1, 1, 7}, kAround);
  EXPECT_EQ(tokens.ids, (std::vector<int32_t>{1, 1005, 1006, 1007, 1008, 1009, 1010, 2}));
  EXPECT_EQ(tokens.word_starts, (std::vector<uint8_t>{1, 1, 1, 0, 0, 1, 0, 1})) << "the first token starts a word";
}

}  // namespace
}  // namespace jina
