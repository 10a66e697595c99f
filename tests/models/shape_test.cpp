#include "models/shape.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"

namespace jina {
namespace {

std::string config(std::string_view field, std::string_view value) {
  std::string text = "{";
  for (const auto& [name, normal] : {std::pair{"vocab_size", "100"},
                                     {"hidden_size", "64"},
                                     {"num_hidden_layers", "2"},
                                     {"num_attention_heads", "4"},
                                     {"intermediate_size", "96"},
                                     {"max_position_embeddings", "512"}}) {
    text += fmt::format("{}\"{}\": {}", text.size() > 1 ? ", " : "", name, name == field ? value : normal);
  }
  return text + "}";
}

EncoderShape read(std::string_view field, std::string_view value) {
  const auto document = JsonDocument::parse(config(field, value), "config.json", ErrorKind::kModelFile);
  return read_shape(document.root());
}

TEST(Shape, ReadsEverySize) {
  const EncoderShape shape = read("", "");
  EXPECT_EQ(shape.vocabulary, 100);
  EXPECT_EQ(shape.hidden, 64);
  EXPECT_EQ(shape.layers, 2);
  EXPECT_EQ(shape.heads, 4);
  EXPECT_EQ(shape.inner, 96);
  EXPECT_EQ(shape.positions, 512);
}

TEST(Shape, SizesThatCannotBeAreNamed) {
  using test::expect_error;
  expect_error(ErrorKind::kModelFile, "'num_attention_heads': expected 1 to", [] { read("num_attention_heads", "0"); });
  expect_error(ErrorKind::kModelFile, "'hidden_size': expected 1 to", [] { read("hidden_size", "-64"); });
  expect_error(ErrorKind::kModelFile, "'num_hidden_layers'", [] { read("num_hidden_layers", "99999999999"); });
  expect_error(ErrorKind::kModelFile, "a divisor of hidden_size 64, found 5", [] { read("num_attention_heads", "5"); });
  expect_error(ErrorKind::kModelFile, "expected an integer", [] { read("vocab_size", "\"many\""); });
}

}  // namespace
}  // namespace jina
