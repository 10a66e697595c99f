#include <jina/embedder.h>

#include <iostream>

int main(int argc, char** argv) {
  const auto embedder = jina::Embedder::open(argc > 1 ? argv[1] : ".");  // a model directory
  const auto vectors = embedder.embed({{.text = "A cat sleeps."}, {.text = "A kitten naps."}});
  float cosine = 0;
  for (size_t i = 0; i < vectors[0].values.size(); ++i) cosine += vectors[0].values[i] * vectors[1].values[i];
  std::cout << "dimensions " << vectors[0].dimensions << ", cosine " << cosine << "\n";
}
