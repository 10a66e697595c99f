#include <memory>

#include "base/error.h"
#include "base/utf8.h"
#include "jina/embedder.h"
#include "jina/jina.h"

struct jina_embedder {
  jina::Embedder value;
};

struct jina_embeddings {
  std::vector<jina::Embedding> values;
};

namespace {

/// Per thread, because C has nowhere else to return a message; the one exception to "no thread_local".
thread_local std::string last_error;

jina_status to_status(jina::ErrorKind kind) {
  switch (kind) {
    case jina::ErrorKind::kInvalidArgument: return JINA_INVALID_ARGUMENT;
    case jina::ErrorKind::kInvalidInput: return JINA_INVALID_INPUT;
    case jina::ErrorKind::kModelFile: return JINA_MODEL_FILE;
    case jina::ErrorKind::kNotFound: return JINA_NOT_FOUND;
    case jina::ErrorKind::kIo: return JINA_IO;
    case jina::ErrorKind::kNetwork: return JINA_NETWORK;
    case jina::ErrorKind::kOverloaded: return JINA_OVERLOADED;
    case jina::ErrorKind::kCancelled: return JINA_CANCELLED;
    case jina::ErrorKind::kUnsupported: return JINA_UNSUPPORTED;
    case jina::ErrorKind::kInternal: return JINA_INTERNAL;
  }
  return JINA_INTERNAL;
}

/// Runs `body` and turns whatever it throws into a status and a message: one of the three places that catch.
template <typename Body>
jina_status guard(Body body) {
  try {
    last_error.clear();
    body();
    return JINA_OK;
  } catch (const jina::Error& error) {
    last_error = error.what();
    return to_status(error.kind());
  } catch (const std::exception& error) {
    last_error = error.what();
    return JINA_INTERNAL;
  }
}

void require(bool condition, const char* argument) {
  if (!condition) jina::fail(jina::ErrorKind::kInvalidArgument, argument, "expected a pointer, found NULL");
}

jina::OpenOptions read_options(const jina_open_options* options) {
  jina::OpenOptions open;
  if (options == nullptr) return open;
  switch (options->precision) {
    case JINA_PRECISION_AUTO: open.precision = jina::Precision::kAuto; break;
    case JINA_PRECISION_F32: open.precision = jina::Precision::kF32; break;
    case JINA_PRECISION_BF16: open.precision = jina::Precision::kBF16; break;
  }
  if (options->device != nullptr) open.device = options->device;
  open.threads = options->threads;
  if (options->token_budget > 0) open.token_budget = options->token_budget;
  return open;
}

}  // namespace

const char* jina_version(void) { return JINA_VERSION; }

const char* jina_last_error(void) { return last_error.c_str(); }

jina_status jina_open(const char* directory, const jina_open_options* options, jina_embedder** embedder) {
  return guard([&] {
    require(directory != nullptr, "directory");
    require(embedder != nullptr, "embedder");
    *embedder = nullptr;
    *embedder = std::make_unique<jina_embedder>(jina_embedder{jina::Embedder::open(directory, read_options(options))})
                    .release();
  });
}

void jina_embedder_free(jina_embedder* embedder) { const std::unique_ptr<jina_embedder> owner(embedder); }

int64_t jina_dimensions(const jina_embedder* embedder) {
  return embedder == nullptr ? 0 : embedder->value.info().dimensions;
}

int64_t jina_max_tokens(const jina_embedder* embedder) {
  return embedder == nullptr ? 0 : embedder->value.info().max_tokens;
}

jina_status jina_embed(const jina_embedder* embedder, const char* const* texts, size_t count,
                       const jina_embed_options* options, jina_embeddings** embeddings) {
  return guard([&] {
    require(embedder != nullptr, "embedder");
    require(texts != nullptr || count == 0, "texts");
    require(embeddings != nullptr, "embeddings");
    *embeddings = nullptr;
    const jina_embed_options chosen = options != nullptr ? *options : jina_embed_options{};
    std::vector<jina::EmbedInput> inputs(count);
    for (size_t i = 0; i < count; ++i) {
      require(texts[i] != nullptr, "texts[i]");
      inputs[i].text = texts[i];
      if (chosen.task != nullptr) inputs[i].task = chosen.task;
      inputs[i].use_prompt = chosen.no_prompt == 0;
    }
    jina::EmbedOptions embed;
    embed.dimensions = chosen.dimensions;
    embed.normalize = chosen.no_normalize == 0;
    embed.truncate = chosen.truncate != 0;
    *embeddings =
        std::make_unique<jina_embeddings>(jina_embeddings{embedder->value.embed(std::move(inputs), embed)}).release();
  });
}

void jina_embeddings_free(jina_embeddings* embeddings) { const std::unique_ptr<jina_embeddings> owner(embeddings); }

size_t jina_embeddings_count(const jina_embeddings* embeddings) {
  return embeddings == nullptr ? 0 : embeddings->values.size();
}

int64_t jina_embeddings_dimensions(const jina_embeddings* embeddings) {
  return jina_embeddings_count(embeddings) == 0 ? 0 : embeddings->values.front().dimensions;
}

const float* jina_embeddings_vector(const jina_embeddings* embeddings, size_t index) {
  return index < jina_embeddings_count(embeddings) ? embeddings->values[index].values.data() : nullptr;
}

int64_t jina_embeddings_tokens(const jina_embeddings* embeddings, size_t index) {
  return index < jina_embeddings_count(embeddings) ? embeddings->values[index].tokens : 0;
}
