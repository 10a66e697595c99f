#include <jina/jina.h>
#include <stdio.h>

int main(int argc, char** argv) {
  const char* texts[] = {"A cat sleeps.", "A kitten naps."};
  jina_embedder* embedder = NULL;
  jina_embeddings* vectors = NULL;
  if (jina_open(argc > 1 ? argv[1] : ".", NULL, &embedder) != JINA_OK ||
      jina_embed(embedder, texts, 2, NULL, &vectors) != JINA_OK) {
    fprintf(stderr, "%s\n", jina_last_error());
    return 1;
  }
  float cosine = 0;
  const int64_t dimensions = jina_embeddings_dimensions(vectors);
  for (int64_t i = 0; i < dimensions; ++i) {
    cosine += jina_embeddings_vector(vectors, 0)[i] * jina_embeddings_vector(vectors, 1)[i];
  }
  printf("dimensions %ld, cosine %.4f\n", (long)dimensions, (double)cosine);
  jina_embeddings_free(vectors);
  jina_embedder_free(embedder);
  return 0;
}
