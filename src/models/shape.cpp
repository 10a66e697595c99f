#include "models/shape.h"

namespace jina {

namespace {

int64_t read_size(const Json& config, std::string_view field) {
  constexpr int64_t kMostSize = int64_t{1} << 31;  // of anything that is counted in such a file
  const Json value = config.at(field);
  const int64_t size = value.as_int();
  if (size < 1 || size > kMostSize) {
    fail(ErrorKind::kModelFile, config.document().where(), "'{}': expected 1 to {}, found {}", field, kMostSize, size);
  }
  return size;
}

}  // namespace

EncoderShape read_shape(const Json& config) {
  const EncoderShape shape{
      .vocabulary = read_size(config, "vocab_size"),
      .hidden = read_size(config, "hidden_size"),
      .layers = read_size(config, "num_hidden_layers"),
      .heads = read_size(config, "num_attention_heads"),
      .inner = read_size(config, "intermediate_size"),
      .positions = read_size(config, "max_position_embeddings"),
  };
  if (shape.hidden % shape.heads != 0) {
    fail(ErrorKind::kModelFile, config.document().where(),
         "'num_attention_heads': expected a divisor of hidden_size {}, found {}", shape.hidden, shape.heads);
  }
  return shape;
}

}  // namespace jina
