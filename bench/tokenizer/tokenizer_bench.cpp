// How fast one thread tokenizes the lines of a file: tokenizer_bench TOKENIZER.json TEXT [SECONDS], one JSON line. All
// times are processor time.

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "base/file.h"
#include "text/tokenizer.h"

namespace {

/// Seconds of processor time of this process so far: other work on the machine disturbs it less than the wall clock.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

int64_t resident_kb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

int run(const std::string& model, const std::string& path, double seconds) {
  const std::string text = jina::read_file(path);
  const std::vector<std::string_view> lines = split_lines(text);
  const int64_t resident_before = resident_kb();
  double load = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = cpu_seconds();
    const jina::Tokenizer tokenizer = jina::Tokenizer::load(model);
    load = std::min(load, cpu_seconds() - start);
  }
  const jina::Tokenizer tokenizer = jina::Tokenizer::load(model);
  const int64_t resident_loaded = resident_kb();
  size_t tokens = 0;
  double best = 1e9;
  const double begin = cpu_seconds();
  while (cpu_seconds() - begin < seconds || best > 1e8) {
    const double start = cpu_seconds();
    tokens = 0;
    for (const std::string_view line : lines) tokens += tokenizer.encode(line).ids.size();
    best = std::min(best, cpu_seconds() - start);
  }
  std::printf(
      "{\"engine\":\"jina\",\"mb_per_s\":%.2f,\"tokens_per_s\":%.0f,\"tokens\":%zu,\"lines\":%zu,\"bytes\":%zu,"
      "\"load_ms\":%.2f,\"load_peak_mb\":%.1f}\n",
      static_cast<double>(text.size()) / best / 1e6, static_cast<double>(tokens) / best, tokens, lines.size(),
      text.size(), load * 1e3, static_cast<double>(resident_loaded - resident_before) / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: tokenizer_bench TOKENIZER.json TEXT [SECONDS]\n");
    return 2;
  }
  try {
    return run(argv[1], argv[2], argc > 3 ? std::atof(argv[3]) : 2.0);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tokenizer_bench: %s\n", error.what());
    return 1;
  }
}
