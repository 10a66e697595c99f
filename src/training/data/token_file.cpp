#include "training/data/token_file.h"

#include <array>
#include <cstring>

#include "base/error.h"
#include "base/sha256.h"

namespace jina {

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kSections = 14;
constexpr std::array<char, 8> kMagic{'j', 'i', 'n', 'a', 't', 'o', 'k', '\n'};

struct Section {
  uint64_t offset = 0;  // from the start of the file
  uint64_t bytes = 0;
};

struct Header {
  std::array<char, 8> magic = kMagic;
  uint32_t version = static_cast<uint32_t>(kTokenFileVersion);
  uint32_t sections = kSections;
  uint64_t bytes = 0;  // of the whole file
  std::array<char, 64> key{};
  std::array<char, 64> digest{};  // sha256 of all behind the header
};
static_assert(sizeof(Header) == 152 && sizeof(Section) == 16);

using Table = std::array<Section, kSections>;
using Bytes = std::span<const std::byte>;

size_t round_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Strings one behind the other, each with its length in front.
std::string pack_strings(const std::vector<std::string>& strings) {
  std::string packed;
  for (const std::string& string : strings) {
    const uint64_t size = string.size();
    packed.append(reinterpret_cast<const char*>(&size), sizeof size);
    packed += string;
  }
  return packed;
}

bool unpack_strings(Bytes bytes, std::vector<std::string>& strings) {
  while (!bytes.empty()) {
    uint64_t size = 0;
    if (bytes.size() < sizeof size) return false;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes = bytes.subspan(sizeof size);
    if (bytes.size() < size) return false;
    strings.emplace_back(reinterpret_cast<const char*>(bytes.data()), size);
    bytes = bytes.subspan(size);
  }
  return true;
}

std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <typename Value>  // a number
bool view(Bytes bytes, std::span<const Value>& values) {
  if (bytes.size() % sizeof(Value) != 0) return false;
  values = {reinterpret_cast<const Value*>(bytes.data()), bytes.size() / sizeof(Value)};
  return true;
}

/// The header when the file is whole and what is asked for.
bool check_header(Bytes file, const std::string& key, Header& header) {
  if (file.size() < sizeof(Header) + sizeof(Table)) return false;
  std::memcpy(&header, file.data(), sizeof header);
  if (header.magic != kMagic || header.version != kTokenFileVersion || header.sections != kSections) return false;
  if (header.bytes != file.size() || std::string_view(header.key.data(), header.key.size()) != key) return false;
  Sha256 sha;
  sha.update(file.subspan(sizeof(Header)));
  return sha.hex() == std::string_view(header.digest.data(), header.digest.size());
}

bool read_sections(Bytes file, std::array<Bytes, kSections>& sections) {
  Table table;
  std::memcpy(table.data(), file.data() + sizeof(Header), sizeof table);
  for (size_t i = 0; i < kSections; ++i) {
    const auto [offset, bytes] = table[i];
    if (offset % kAlignment != 0 || offset > file.size() || bytes > file.size() - offset) return false;
    sections[i] = file.subspan(offset, bytes);
  }
  return true;
}

bool fill_notes(const std::array<Bytes, kSections>& from, RowNotes& notes) {
  std::vector<std::string> filters;
  std::span<const int64_t> counts;
  const bool is_good = unpack_strings(from[11], notes.lines) && unpack_strings(from[12], filters) &&
                       view(from[13], counts) && counts.size() == filters.size();
  for (size_t i = 0; is_good && i < filters.size(); ++i) notes.removed[filters[i]] = counts[i];
  return is_good;
}

bool fill(const std::array<Bytes, kSections>& from, TokenisedRows& rows) {
  const bool is_good = view(from[0], rows.queries) && view(from[1], rows.positives) &&
                       view(from[2], rows.negative_offsets) && view(from[3], rows.negatives) &&
                       view(from[4], rows.scores) && view(from[5], rows.labels) && view(from[6], rows.originals) &&
                       view(from[7], rows.offsets) && view(from[8], rows.ids) && view(from[9], rows.word_starts);
  return is_good && unpack_strings(from[10], rows.label_names) && fill_notes(from, rows.notes);
}

}  // namespace

void write_token_file(AtomicFile& file, const std::string& key, const TokenFileContent& content) {
  Header header;
  JINA_CHECK(key.size() == header.key.size());
  std::copy(key.begin(), key.end(), header.key.begin());
  const std::string labels = pack_strings(content.label_names);
  const std::string lines = pack_strings(content.notes.lines);
  std::vector<std::string> filters;
  std::vector<int64_t> counts;
  for (const auto& [filter, count] : content.notes.removed) {
    filters.push_back(filter);
    counts.push_back(count);
  }
  const std::string filter_names = pack_strings(filters);
  const auto bytes = [](const auto& values) { return std::as_bytes(std::span(values)); };
  const std::array<Bytes, kSections> sections{bytes(content.queries),
                                              bytes(content.positives),
                                              bytes(content.negative_offsets),
                                              bytes(content.negatives),
                                              bytes(content.scores),
                                              bytes(content.labels),
                                              bytes(content.originals),
                                              bytes(content.offsets),
                                              bytes(content.ids),
                                              bytes(content.word_starts),
                                              bytes(labels),
                                              bytes(lines),
                                              bytes(filter_names),
                                              bytes(counts)};
  Table table;
  size_t end = round_up(sizeof(Header) + sizeof(Table));
  const std::string table_padding(end - sizeof(Header) - sizeof(Table), '\0');
  for (size_t i = 0; i < kSections; ++i) {
    table[i] = {end, sections[i].size()};
    end += round_up(sections[i].size());
  }
  header.bytes = end;
  std::vector<std::string_view> parts{as_text(bytes(table)), table_padding};
  const std::string padding(kAlignment, '\0');
  for (const Bytes section : sections) {
    parts.push_back(as_text(section));
    parts.push_back(std::string_view(padding).substr(0, round_up(section.size()) - section.size()));
  }
  Sha256 sha;
  for (const std::string_view part : parts) sha.update(part);
  const std::string digest = sha.hex();
  std::copy(digest.begin(), digest.end(), header.digest.begin());
  file.write(as_text(std::as_bytes(std::span(&header, 1))));
  for (const std::string_view part : parts) file.write(part);
}

std::optional<TokenisedRows> read_token_file(const std::string& path, const std::string& key) {
  TokenisedRows rows;
  rows.file = MappedFile::open(path);
  const Bytes file = rows.file->bytes();
  Header header;
  std::array<Bytes, kSections> sections;
  if (!check_header(file, key, header) || !read_sections(file, sections) || !fill(sections, rows)) return std::nullopt;
  return rows;
}

}  // namespace jina
