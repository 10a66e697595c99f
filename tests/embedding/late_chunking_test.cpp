#include "embedding/late_chunking.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace jina {
namespace {

/// [CLS] Ab cd. ef [SEP] on the text "Ab cd. ef", with the prompt "p: " in front when `prompt` is 3.
Encoding encoding(uint32_t prompt) {
  Encoding result;
  const auto add = [&](int32_t id, uint32_t begin, uint32_t end, uint8_t special) {
    result.ids.push_back(id);
    result.offsets.push_back({begin, end});
    result.special.push_back(special);
  };
  add(1, 0, 0, 1);
  if (prompt > 0) add(9, 0, 2, 0);
  add(2, prompt, prompt + 2, 0);
  add(3, prompt + 2, prompt + 5, 0);  // " cd": the blank belongs to the word
  add(4, prompt + 5, prompt + 6, 0);
  add(5, prompt + 6, prompt + 9, 0);
  add(6, 0, 0, 1);
  return result;
}

void expect_spans(const std::vector<TokenSpan>& spans, std::vector<std::pair<int64_t, int64_t>> expected) {
  ASSERT_EQ(spans.size(), expected.size());
  for (size_t i = 0; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].begin, expected[i].first) << i;
    EXPECT_EQ(spans[i].end, expected[i].second) << i;
  }
}

TEST(LateChunking, SpecialTokensGoToTheFirstAndLastChunk) {
  const Encoding e = encoding(0);
  expect_spans(chunk_token_spans({e, 0}, std::vector<TextSpan>{{0, 6}, {6, 9}}, 9), {{0, 4}, {4, 6}});
}

TEST(LateChunking, ThePromptGoesToTheFirstChunk) {
  const Encoding e = encoding(3);
  expect_spans(chunk_token_spans({e, 3}, std::vector<TextSpan>{{0, 6}, {6, 9}}, 9), {{0, 5}, {5, 7}});
}

TEST(LateChunking, ABlankInFrontOfAWordDoesNotCutItOff) {
  const Encoding e = encoding(0);
  expect_spans(chunk_token_spans({e, 0}, std::vector<TextSpan>{{0, 2}, {3, 6}, {7, 9}}, 9), {{0, 2}, {2, 4}, {4, 6}});
}

TEST(LateChunking, ChunksMayOverlapAndStandInAnyOrder) {
  const Encoding e = encoding(0);
  expect_spans(chunk_token_spans({e, 0}, std::vector<TextSpan>{{3, 9}, {0, 6}}, 9), {{2, 6}, {0, 4}});
}

TEST(LateChunking, BadSpansAreNamed) {
  const Encoding e = encoding(0);
  for (const TextSpan span : {TextSpan{4, 4}, TextSpan{5, 3}, TextSpan{0, 10}, TextSpan{6, 7}}) {
    try {
      chunk_token_spans({e, 0}, std::vector<TextSpan>{{0, 6}, span}, 9);
      ADD_FAILURE() << span.begin << " " << span.end;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_EQ(error.where(), "span 1");
    }
  }
}

TEST(LateChunking, ChunksOfTokensPartitionTheText) {
  const Encoding e = encoding(3);
  EXPECT_EQ(chunks_of_tokens({e, 3}, 2, 9), (std::vector<TextSpan>{{0, 5}, {5, 9}}));
  EXPECT_EQ(chunks_of_tokens({e, 3}, 100, 9), (std::vector<TextSpan>{{0, 9}}));
}

TEST(LateChunking, ChunksOfSentencesPartitionTheText) {
  EXPECT_EQ(chunks_of_sentences("A b. C d! E f", 2), (std::vector<TextSpan>{{0, 9}, {9, 13}}));
}

TEST(Windows, KeepEveryTokenOnce) {
  for (const int64_t tokens : {1, 10, 11, 16, 17, 23, 100}) {
    int64_t next = 0;
    for (const Window& window : plan_windows(tokens, 10, 4)) {
      EXPECT_EQ(window.keep_from, next);
      EXPECT_LE(window.tokens.end - window.tokens.begin, 10);
      EXPECT_LT(window.keep_from, window.tokens.end);
      EXPECT_TRUE(window.tokens.begin == 0 || window.keep_from - window.tokens.begin == 4);
      next = window.tokens.end;
    }
    EXPECT_EQ(next, tokens);
  }
}

}  // namespace
}  // namespace jina
