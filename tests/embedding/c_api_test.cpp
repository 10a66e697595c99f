#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "jina/jina.h"

namespace {

const std::string kModel = std::string(JINA_SOURCE_DIR) + "/tests/golden/models/v3-tiny/model";

TEST(CApi, EmbedsWithTaskAndDimensions) {
  jina_embedder* embedder = nullptr;
  ASSERT_EQ(jina_open(kModel.c_str(), nullptr, &embedder), JINA_OK) << jina_last_error();
  EXPECT_EQ(jina_dimensions(embedder), 64);
  EXPECT_EQ(jina_max_tokens(embedder), 8192);
  const char* texts[] = {"hello world", ""};
  jina_embed_options options{};
  options.task = "retrieval.query";
  options.dimensions = 32;
  jina_embeddings* embeddings = nullptr;
  ASSERT_EQ(jina_embed(embedder, texts, 2, &options, &embeddings), JINA_OK) << jina_last_error();
  EXPECT_EQ(jina_embeddings_count(embeddings), 2u);
  EXPECT_EQ(jina_embeddings_dimensions(embeddings), 32);
  EXPECT_GT(jina_embeddings_tokens(embeddings, 0), jina_embeddings_tokens(embeddings, 1));
  float squares = 0;
  for (int i = 0; i < 32; ++i) squares += std::pow(jina_embeddings_vector(embeddings, 1)[i], 2.0F);
  EXPECT_NEAR(squares, 1.0F, 1e-5F);
  EXPECT_EQ(jina_embeddings_vector(embeddings, 2), nullptr);
  jina_embeddings_free(embeddings);
  jina_embedder_free(embedder);
}

TEST(CApi, ErrorsAreCodesWithAMessage) {
  jina_embedder* embedder = nullptr;
  EXPECT_EQ(jina_open("/nowhere", nullptr, &embedder), JINA_NOT_FOUND);
  EXPECT_NE(std::string(jina_last_error()).find("/nowhere"), std::string::npos);
  EXPECT_EQ(embedder, nullptr);
  EXPECT_EQ(jina_open(nullptr, nullptr, &embedder), JINA_INVALID_ARGUMENT);

  ASSERT_EQ(jina_open(kModel.c_str(), nullptr, &embedder), JINA_OK);
  const char* texts[] = {"a"};
  jina_embed_options options{};
  options.task = "no-such-task";
  jina_embeddings* embeddings = nullptr;
  EXPECT_EQ(jina_embed(embedder, texts, 1, &options, &embeddings), JINA_INVALID_ARGUMENT);
  EXPECT_NE(std::string(jina_last_error()).find("text-matching"), std::string::npos);
  EXPECT_EQ(jina_embed(embedder, nullptr, 0, nullptr, &embeddings), JINA_OK);
  EXPECT_EQ(jina_embeddings_count(embeddings), 0u);
  jina_embeddings_free(embeddings);
  jina_embedder_free(embedder);
  jina_embedder_free(nullptr);
}

}  // namespace
