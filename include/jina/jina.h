/* The C face of the library: opaque handles, plain numbers, errors as codes with a message. Stable across releases of
   one major version. Every function is thread-safe for different handles; jina_embed also for one embedder. */
#ifndef JINA_JINA_H
#define JINA_JINA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JINA_API __attribute__((visibility("default")))

typedef struct jina_embedder jina_embedder;
typedef struct jina_embeddings jina_embeddings;

/* What went wrong. JINA_OK is 0; the others follow ErrorKind of jina/error.h. */
typedef enum jina_status {
  JINA_OK = 0,
  JINA_INVALID_ARGUMENT,
  JINA_INVALID_INPUT,
  JINA_MODEL_FILE,
  JINA_NOT_FOUND,
  JINA_IO,
  JINA_NETWORK,
  JINA_OVERLOADED,
  JINA_CANCELLED,
  JINA_UNSUPPORTED,
  JINA_INTERNAL
} jina_status;

typedef enum jina_precision { JINA_PRECISION_AUTO = 0, JINA_PRECISION_F32, JINA_PRECISION_BF16 } jina_precision;

/* How to open a model; zero-initialise for the defaults. */
typedef struct jina_open_options {
  jina_precision precision;
  int32_t threads;      /* 0: all processors */
  int64_t token_budget; /* most tokens of one pass; 0: the default */
  const char* device;   /* "cpu", "cuda" or "cuda:N"; NULL: cpu */
} jina_open_options;

/* What to make of the texts; zero-initialise for the defaults. */
typedef struct jina_embed_options {
  const char* task;     /* NULL: the model's default; "": none */
  int64_t dimensions;   /* 0: the model's own */
  int32_t no_normalize; /* 1: leave vectors as pooled */
  int32_t no_prompt;    /* 1: leave out the task's instruction */
  int32_t truncate;     /* 1: cut texts that are too long instead of refusing them */
} jina_embed_options;

/* "0.1.0" */
JINA_API const char* jina_version(void);

/* Message of the last failed call on this thread, "" when none failed; valid until the next call on this thread. */
JINA_API const char* jina_last_error(void);

/* Opens a Hugging Face model directory. `options` may be NULL. On success *embedder is to be freed. */
JINA_API jina_status jina_open(const char* directory, const jina_open_options* options, jina_embedder** embedder);
JINA_API void jina_embedder_free(jina_embedder* embedder);
JINA_API int64_t jina_dimensions(const jina_embedder* embedder);
JINA_API int64_t jina_max_tokens(const jina_embedder* embedder);

/* Embeds `count` zero-terminated UTF-8 texts. `options` may be NULL. On success *embeddings is to be freed. */
JINA_API jina_status jina_embed(const jina_embedder* embedder, const char* const* texts, size_t count,
                                const jina_embed_options* options, jina_embeddings** embeddings);
JINA_API void jina_embeddings_free(jina_embeddings* embeddings);
JINA_API size_t jina_embeddings_count(const jina_embeddings* embeddings);
JINA_API int64_t jina_embeddings_dimensions(const jina_embeddings* embeddings);
/* The vector of text `index`, jina_embeddings_dimensions() values; valid until the handle is freed. NULL when out of
 * range. */
JINA_API const float* jina_embeddings_vector(const jina_embeddings* embeddings, size_t index);
/* Tokens that text `index` put into the model; 0 when out of range. */
JINA_API int64_t jina_embeddings_tokens(const jina_embeddings* embeddings, size_t index);

#ifdef __cplusplus
}
#endif

#endif
