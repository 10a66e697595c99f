#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "training/data/tokenised_rows.h"

namespace jina {

// The file of the token cache: a header of fixed size with magic, version, sizes, key and the sha256 of all that
// follows; a table of sections; the sections, each on a multiple of 64 bytes, numbers little-endian as the machine has
// them.

/// Raised whenever the format, or what tokens, filters or failure cases make of the same input, changes.
constexpr int64_t kTokenFileVersion = 2;

/// What is written; members as in TokenisedRows.
struct TokenFileContent {
  std::vector<int32_t> queries;
  std::vector<int32_t> positives;
  std::vector<int64_t> negative_offsets;
  std::vector<int32_t> negatives;
  std::vector<float> scores;
  std::vector<int32_t> labels;
  std::vector<int32_t> originals;
  std::vector<int64_t> offsets;
  std::vector<int32_t> ids;
  std::vector<uint64_t> word_starts;
  std::vector<std::string> label_names;
  RowNotes notes;
};

/// `key`: 64 characters that tell what the content was made from.
void write_token_file(AtomicFile& file, const std::string& key, const TokenFileContent& content);

/// Maps a file and checks it in full; nothing when it is cut off, broken, of another version or of another key.
std::optional<TokenisedRows> read_token_file(const std::string& path, const std::string& key);

}  // namespace jina
