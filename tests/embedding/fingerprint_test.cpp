#include "embedding/fingerprint.h"

#include <gtest/gtest.h>

#include <set>

namespace jina {
namespace {

TEST(Fingerprint, ChangesWithEverythingThatChangesAVector) {
  ModelCard card;
  card.dimensions = 64;
  card.pooling = "mean";
  const std::string base = make_fingerprint("digest", card, {}, {});
  EXPECT_EQ(base.size(), 16u);
  EXPECT_EQ(base, make_fingerprint("digest", card, {}, {}));
  EXPECT_EQ(base, make_fingerprint("digest", card, {}, {.dimensions = 64}));  // the full width, said or not

  ModelCard cls = card;
  cls.pooling = "cls";
  const std::set<std::string> others = {
      base,
      make_fingerprint("other", card, {}, {}),
      make_fingerprint("digest", cls, {}, {}),
      make_fingerprint("digest", card, {.prompt = "query: "}, {}),
      make_fingerprint("digest", card, {.prompt = {}, .adapter = 0}, {}),
      make_fingerprint("digest", card, {.prompt = {}, .adapter = 1}, {}),
      make_fingerprint("digest", card, {}, {.dimensions = 32}),
      make_fingerprint("digest", card, {}, {.normalize = false}),
      make_fingerprint("digest", card, {}, {.kind = VectorKind::kTokens}),
  };
  EXPECT_EQ(others.size(), 9u);
}

TEST(Fingerprint, TruncationOfTheInputIsNoPartOfIt) {
  ModelCard card;
  card.dimensions = 8;
  EXPECT_EQ(make_fingerprint("d", card, {}, {.truncate = true}), make_fingerprint("d", card, {}, {}));
}

}  // namespace
}  // namespace jina
