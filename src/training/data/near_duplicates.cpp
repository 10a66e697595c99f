#include "training/data/near_duplicates.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "base/rng.h"

namespace jina {

namespace {

constexpr double kNear = 0.8;
constexpr size_t kPieceBytes = 5;
constexpr size_t kBins = 64;
constexpr size_t kBands = 16;
constexpr size_t kBandBins = kBins / kBands;
constexpr int kMostCandidates = 32;
// Candidates among long texts are many, and reading one again is dear: of two with at least so many pieces, so many
// bins must be equal (at 0.8 51 of 64 are expected with a deviation of 3.2). Shorter ones leave bins empty and are
// compared.
constexpr size_t kLongPieces = 512;
constexpr int kEqualBins = 40;
constexpr int64_t kTileRows = 256;

struct Signature {
  std::array<uint64_t, kBands> bands{};
  std::array<uint16_t, kBins> bins{};  // the lower bits of each bin
  bool is_long = false;
};

/// Hashes of all pieces of a text, in order and with repetitions.
void hash_pieces(const std::string& text, uint64_t seed, std::vector<uint64_t>& hashes) {
  std::string padded(text.size() + 2, ' ');
  std::copy(text.begin(), text.end(), padded.begin() + 1);
  const size_t last = padded.size() > kPieceBytes ? padded.size() - kPieceBytes : 0;
  for (size_t begin = 0; begin <= last; ++begin) {
    uint64_t piece = 0;
    std::memcpy(&piece, padded.data() + begin, std::min(kPieceBytes, padded.size()));
    hashes.push_back(mix_bits(piece ^ seed));
  }
}

std::vector<uint64_t> piece_set(const std::string& text) {
  std::vector<uint64_t> hashes;
  hash_pieces(text, 0, hashes);
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  return hashes;
}

double similarity(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  size_t common = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i] == b[j]) ++common;
    const bool is_a = a[i] <= b[j];
    const bool is_b = b[j] <= a[i];
    i += is_a ? 1 : 0;
    j += is_b ? 1 : 0;
  }
  return static_cast<double>(common) / static_cast<double>(a.size() + b.size() - common);
}

Signature sign(const RowTexts& row) {
  std::vector<uint64_t> hashes;
  for (size_t side = 0; side < row.sides.size(); ++side) {
    hash_pieces(row.sides[side], mix_bits(row.group * 2 + side + 1), hashes);
  }
  std::array<uint64_t, kBins> least;
  least.fill(UINT64_MAX);
  for (const uint64_t hash : hashes) {
    uint64_t& bin = least[hash >> 58];  // the upper 6 bits choose the bin
    bin = std::min(bin, hash);
  }
  Signature signature;
  signature.is_long = hashes.size() >= kLongPieces;
  for (size_t bin = 0; bin < kBins; ++bin) {
    size_t from = bin;  // an empty bin borrows from one that its number leads to, so that equal sets borrow alike
    for (uint64_t turn = 1; least[from] == UINT64_MAX; ++turn) from = mix_bits(bin << 32 | turn) % kBins;
    signature.bins[bin] = static_cast<uint16_t>(least[from]);
    uint64_t& band = signature.bands[bin / kBandBins];
    band = mix_bits(band ^ least[from]) + bin;
  }
  return signature;
}

/// Whether two rows are worth a full comparison.
bool may_be_near(const Signature& a, const Signature& b) {
  if (!a.is_long || !b.is_long) return true;
  int equal = 0;
  for (size_t bin = 0; bin < kBins; ++bin) equal += a.bins[bin] == b.bins[bin] ? 1 : 0;
  return equal >= kEqualBins;
}

/// A row with the sets of pieces of its sides.
struct Pieces {
  explicit Pieces(const RowTexts& row) : group(row.group) {
    for (const std::string& side : row.sides) sets.push_back(piece_set(side));
  }
  uint64_t group;
  std::vector<std::vector<uint64_t>> sets;
};

bool is_near(const Pieces& row, const RowTexts& other) {
  if (row.group != other.group) return false;
  for (size_t side = 0; side < row.sets.size(); ++side) {
    if (similarity(row.sets[side], piece_set(other.sides[side])) < kNear) return false;
  }
  return true;
}

/// Rows kept so far, by their bands.
class Index {
 public:
  Index(const std::function<RowTexts(int64_t)>& texts, const std::vector<Signature>& signatures)
      : texts_(texts), signatures_(signatures) {}

  /// The kept row that `row` is near to; −1 when there is none.
  int64_t find(int64_t row) const {
    const std::vector<int64_t> candidates = find_candidates(signatures_[static_cast<size_t>(row)]);
    if (candidates.empty()) return -1;
    const Pieces pieces(texts_(row));
    for (const int64_t other : candidates) {
      if (is_near(pieces, texts_(other))) return other;
    }
    return -1;
  }

  void add(int64_t row) {
    for (const uint64_t band : signatures_[static_cast<size_t>(row)].bands) {
      const auto place = newest_.emplace(band, -1).first;
      entries_.push_back({row, place->second});
      place->second = static_cast<int64_t>(entries_.size()) - 1;
    }
  }

 private:
  struct Entry {
    int64_t row;
    int64_t before;  // the entry of the same band made before this one; −1: none
  };

  /// Rows that share a band, each once, the newest of each band first.
  std::vector<int64_t> find_candidates(const Signature& signature) const {
    std::vector<int64_t> rows;
    for (const uint64_t band : signature.bands) {
      const auto place = newest_.find(band);
      int64_t entry = place == newest_.end() ? -1 : place->second;
      for (int turn = 0; entry >= 0 && turn < kMostCandidates; ++turn) {
        const auto& [row, before] = entries_[static_cast<size_t>(entry)];
        if (std::find(rows.begin(), rows.end(), row) == rows.end() &&
            may_be_near(signature, signatures_[static_cast<size_t>(row)])) {
          rows.push_back(row);
        }
        if (static_cast<int>(rows.size()) == kMostCandidates) return rows;
        entry = before;
      }
    }
    return rows;
  }

  const std::function<RowTexts(int64_t)>& texts_;
  const std::vector<Signature>& signatures_;
  std::unordered_map<uint64_t, int64_t> newest_;  // band → its newest entry
  std::vector<Entry> entries_;
};

}  // namespace

double piece_similarity(const std::string& a, const std::string& b) { return similarity(piece_set(a), piece_set(b)); }

std::vector<int64_t> find_near_duplicates(int64_t count, const std::function<RowTexts(int64_t)>& texts,
                                          ThreadPool& pool) {
  std::vector<Signature> signatures(static_cast<size_t>(count));
  pool.parallel_for((count + kTileRows - 1) / kTileRows, [&](int64_t tile, int) {
    for (int64_t row = tile * kTileRows; row < std::min(count, (tile + 1) * kTileRows); ++row) {
      signatures[static_cast<size_t>(row)] = sign(texts(row));
    }
  });
  std::vector<int64_t> near(static_cast<size_t>(count), -1);
  Index index(texts, signatures);
  for (int64_t row = 0; row < count; ++row) {
    const auto r = static_cast<size_t>(row);
    near[r] = index.find(row);
    if (near[r] < 0) index.add(row);
  }
  return near;
}

}  // namespace jina
