#include "training/data/token_cache.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "training/data/encode_text.h"
#include "training/data/token_file.h"

namespace jina {

namespace {

constexpr int64_t kTileTexts = 64;

/// Lines that are told apart from each other by their lengths, for a digest.
class KeyText {
 public:
  void add(std::string_view name, std::string_view value) {
    text_ += fmt::format("{} {}\n{}\n", name, value.size(), value);
  }
  void add(std::string_view name, int64_t value) { add(name, std::to_string(value)); }
  void add_file(const std::string& path) {
    const auto state = find_file_state(path);
    if (!state) fail(ErrorKind::kNotFound, path, "cannot open: no such file");
    add("file", path);
    add("size", state->size);
    add("modified", state->modified_ns);
  }
  std::string digest() const {
    Sha256 sha;
    sha.update(text_);
    return sha.hex();
  }

 private:
  std::string text_;
};

/// Each distinct (prompt, text) of a data set once, in order of first use by the rows.
class TextNumbers {
 public:
  TextNumbers(const DataRows& rows, bool has_one_prompt)
      : numbers_(static_cast<size_t>(rows.texts.size()) * 2, -1), has_one_prompt_(has_one_prompt) {}

  int32_t add(int32_t text, bool is_query) {
    int32_t& number = numbers_[static_cast<size_t>(text) * 2 + (is_query || has_one_prompt_ ? 0 : 1)];
    if (number < 0) {
      number = static_cast<int32_t>(originals.size());
      originals.push_back(text);
      are_queries.push_back(is_query);
    }
    return number;
  }

  std::vector<int32_t> originals;
  std::vector<bool> are_queries;

 private:
  std::vector<int32_t> numbers_;  // (texts, 2) by role; −1: not used yet
  bool has_one_prompt_;
};

/// The tokens of a run of texts.
struct TokenTile {
  std::vector<int32_t> ids;
  std::vector<int64_t> lengths;  // (texts)
  std::vector<uint8_t> word_starts;
};

class RowTokeniser {
 public:
  RowTokeniser(const DataRows& rows, const TokenCacheRequest& request, const Tokenizer& tokenizer)
      : rows_(rows),
        request_(request),
        tokenizer_(tokenizer),
        texts_(rows, request.query_prompt == request.positive_prompt) {}

  TokenFileContent run(ThreadPool& pool) {
    number_texts();
    const auto count = static_cast<int64_t>(texts_.originals.size());
    std::vector<TokenTile> tiles(static_cast<size_t>((count + kTileTexts - 1) / kTileTexts));
    pool.parallel_for(static_cast<int64_t>(tiles.size()), [&](int64_t tile, int) {
      tiles[static_cast<size_t>(tile)] = encode_tile(tile * kTileTexts, std::min(count, (tile + 1) * kTileTexts));
    });
    join(tiles);
    content_.scores = rows_.scores;
    content_.labels = rows_.labels;
    content_.label_names = rows_.label_names;
    content_.negative_offsets = rows_.negative_offsets;
    content_.originals = texts_.originals;
    return std::move(content_);
  }

 private:
  void number_texts() {
    for (size_t row = 0; row < rows_.queries.size(); ++row) {
      content_.queries.push_back(texts_.add(rows_.queries[row], true));
      if (!rows_.positives.empty()) content_.positives.push_back(texts_.add(rows_.positives[row], false));
      if (rows_.negative_offsets.empty()) continue;
      for (int64_t i = rows_.negative_offsets[row]; i < rows_.negative_offsets[row + 1]; ++i) {
        content_.negatives.push_back(texts_.add(rows_.negatives[static_cast<size_t>(i)], false));
      }
    }
  }

  TokenTile encode_tile(int64_t begin, int64_t end) const {
    TokenTile tile;
    const EncodeOptions options{.add_special_tokens = request_.has_special_tokens, .max_length = request_.max_tokens};
    for (auto text = static_cast<size_t>(begin); text < static_cast<size_t>(end); ++text) {
      std::string prompted = texts_.are_queries[text] ? request_.query_prompt : request_.positive_prompt;
      prompted += rows_.texts[texts_.originals[text]];
      const Encoding encoding = encode_start(tokenizer_, prompted, options);
      tile.ids.insert(tile.ids.end(), encoding.ids.begin(), encoding.ids.end());
      tile.word_starts.insert(tile.word_starts.end(), encoding.word_starts.begin(), encoding.word_starts.end());
      tile.lengths.push_back(static_cast<int64_t>(encoding.ids.size()));
    }
    return tile;
  }

  void join(const std::vector<TokenTile>& tiles) {
    content_.offsets.push_back(0);
    for (const TokenTile& tile : tiles) {
      for (size_t i = 0; i < tile.ids.size(); ++i) {
        const size_t token = content_.ids.size() + i;
        if (token % 64 == 0) content_.word_starts.push_back(0);
        content_.word_starts.back() |= uint64_t{tile.word_starts[i]} << token % 64;
      }
      content_.ids.insert(content_.ids.end(), tile.ids.begin(), tile.ids.end());
      for (const int64_t length : tile.lengths) content_.offsets.push_back(content_.offsets.back() + length);
    }
  }

  const DataRows& rows_;
  const TokenCacheRequest& request_;
  const Tokenizer& tokenizer_;
  TextNumbers texts_;
  TokenFileContent content_;
};

/// Writes beside the final name under one that no other process takes, then renames.
void store(const std::string& path, const std::string& key, const TokenFileContent& content) {
  std::random_device random;
  const std::string own = fmt::format("{}.{:08x}{:08x}", path, random(), random());
  AtomicFile file(own);
  write_token_file(file, key, content);
  file.commit();
  std::error_code code;
  std::filesystem::rename(own, path, code);
  if (code) fail(ErrorKind::kIo, path, "cannot rename into place: {}", code.message());
}

/// What the rows of a data set depend on.
void add_data(const DataRecipe& data, const Recipe& recipe, KeyText& key) {
  for (const auto& [column, field] : data.columns) key.add(std::to_string(static_cast<int>(column)), field);
  key.add("most rows", data.most_rows);
  for (const std::string& path : data.files) key.add_file(path);
  if (data.failures) {
    key.add("failures", static_cast<int64_t>(data.failures->kind));
    key.add("held out", data.failures->is_held_out ? 1 : 0);
    key.add("seed", static_cast<int64_t>(recipe.seed));
    for (const std::string& name : data.failures->from) add_data(find_data(recipe, name), recipe, key);
  }
  key.add("filtered", data.is_filtered ? 1 : 0);
  if (!data.is_filtered) return;
  const FilterRecipe& filter = recipe.filter;
  key.add("substring", fmt::format("{}", filter.substring));
  key.add("substring words", filter.substring_words);
  key.add("exact duplicates", filter.exact_duplicates ? 1 : 0);
  key.add("near-duplicates", filter.near_duplicates ? 1 : 0);
  for (const std::string& path : filter.decontaminate) key.add_file(path);
}

}  // namespace

std::string token_cache_key(const TokenCacheRequest& request, const DataRecipe& data, const Recipe& recipe) {
  KeyText key;
  key.add("version", kTokenFileVersion);
  key.add("tokenizer", sha256_of_file(request.tokenizer));
  key.add("query prompt", request.query_prompt);
  key.add("positive prompt", request.positive_prompt);
  key.add("most tokens", request.max_tokens);
  key.add("special tokens", request.has_special_tokens ? 1 : 0);
  add_data(data, recipe, key);
  return key.digest();
}

TokenisedRows open_token_cache(const TokenCacheRequest& request, const std::string& key, const MakeRows& make_rows,
                               const Tokenizer& tokenizer, ThreadPool& pool) {
  const std::string path = request.directory + "/" + key + ".tokens";
  if (find_file_state(path)) {
    if (auto rows = read_token_file(path, key)) return *std::move(rows);
  }
  RowNotes notes;
  {
    const DataRows rows = make_rows(notes);
    TokenFileContent content = RowTokeniser(rows, request, tokenizer).run(pool);
    content.notes = std::move(notes);
    std::error_code code;
    std::filesystem::create_directories(request.directory, code);  // a failure shows when the file is made
    store(path, key, content);
  }
  auto rows = read_token_file(path, key);
  if (!rows) fail(ErrorKind::kIo, path, "what was just written reads back differently");
  return *std::move(rows);
}

}  // namespace jina
