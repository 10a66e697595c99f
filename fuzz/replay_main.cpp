// Stands in for libFuzzer where the compiler has none: every file of the corpus, then a fixed number of mutations of
// them, the same on each run.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Generator = std::mt19937_64;

void run(const std::string& bytes) {
  // A copy of exact size on the heap, so that the address sanitizer sees a read one past the end.
  const std::vector<uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

size_t below(Generator& random, size_t limit) { return limit == 0 ? 0 : static_cast<size_t>(random() % limit); }

/// One to eight small changes: a bit, a byte, a piece removed, repeated, or taken from another seed.
std::string mutate(std::string bytes, const std::vector<std::string>& corpus, Generator& random) {
  constexpr uint8_t kTelling[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '"', '{',  '}',
                                  '[',  ']',  ',',  ':',  '-',  '9', '\\', '\n'};
  for (size_t change = 1 + below(random, 8); change > 0; --change) {
    const size_t at = below(random, bytes.size() + 1);
    const size_t length = below(random, std::min<size_t>(bytes.size() - at, 32) + 1);
    switch (below(random, 6)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(random, 8)));
        break;
      case 1: bytes.insert(at, 1, static_cast<char>(kTelling[below(random, std::size(kTelling))])); break;
      case 2:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random());
        break;
      case 3: bytes.erase(at, length); break;
      case 4: bytes.insert(at, bytes.substr(at, length)); break;
      case 5: {
        const std::string& other = corpus[below(random, corpus.size())];
        bytes.insert(at, other.substr(below(random, other.size() + 1), 64));
        break;
      }
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s RUNS CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  const std::vector<std::string> corpus = read_corpus(argv[2]);
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no seeds\n", argv[2]);
    return 2;
  }
  for (const std::string& seed : corpus) run(seed);
  Generator random(20240607);
  const long runs = std::strtol(argv[1], nullptr, 10);
  for (long i = 0; i < runs; ++i) run(mutate(corpus[below(random, corpus.size())], corpus, random));
  std::printf("%zu seeds and %ld mutations\n", corpus.size(), runs);
  return 0;
}
