#include "training/data/failure_corpus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace jina {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

FailureCorpus mine(const std::vector<std::string_view>& texts) { return mine_failure_corpus(texts); }

TEST(FailureCorpus, NamesAreCapitalisedInsideSentences) {
  const FailureCorpus corpus = mine({
      "They met Ada Lovelace there. Then Ada Lovelace left, and later Ada Lovelace came back.",
      "Yesterday was fine. Yesterday it rained. Yesterday ended.",                        // first words only
      "He saw Paris twice. She saw Paris once.",                                          // too seldom
      "The March of time. A march, the march, one march, to march. See March. O March!",  // more often small
      "In all of Ada\u2019s books, in Ada\u2019s own hand, with Ada\u2019s name",
      "Now I say I am what I am, I think.",
      "They know Émile well. Ask Émile now. Is it Émile who came?",
  });
  EXPECT_THAT(corpus.names, ElementsAre("Ada Lovelace", "Émile"));
}

TEST(FailureCorpus, ASignEndsAName) {
  const FailureCorpus corpus = mine({"in Rome, Paris and on", "in Rome, Paris and on", "in Rome, Paris and on"});
  EXPECT_THAT(corpus.names, ElementsAre("Rome", "Paris"));
}

TEST(FailureCorpus, ThingsStandBetweenAnArticleAndTheEndOfAGroup) {
  const FailureCorpus corpus = mine({
      "It is on the table of the old house. He took a table, and the table was gone.",
      "The size of the same of the same. A size is the size.",
      "the quick fox the quick fox the quick fox",  // nothing tells where the group ends
      "the waves of the waves of the waves of",
      "an axe an axe of. the axe is",  // too short
      "the Engine is, the Engine was, the Engine of",
  });
  EXPECT_THAT(corpus.things, ElementsAre("table"));
}

TEST(FailureCorpus, SentencesHaveOneNameOnce) {
  const FailureCorpus corpus = mine({
      "At noon the train to Berlin left the platform. We like Berlin, but Berlin is not for all of us.",
      "Go to Berlin!",
      "  The road that leads from Berlin to Hamburg is a long one.",
      "Hamburg: they go to Hamburg or to Hamburg.",
  });
  ASSERT_EQ(corpus.sentences.size(), 1u);
  const NamedSentence& sentence = corpus.sentences[0];
  EXPECT_EQ(sentence.text, "At noon the train to Berlin left the platform.");
  EXPECT_EQ(sentence.text.substr(sentence.begin, sentence.end - sentence.begin), "Berlin");
}

TEST(FailureCorpus, NothingComesOfNothing) {
  const FailureCorpus corpus = mine({"", " ", "no"});
  EXPECT_THAT(corpus.names, IsEmpty());
  EXPECT_THAT(corpus.things, IsEmpty());
}

}  // namespace
}  // namespace jina
