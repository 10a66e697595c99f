#include "training/vector_cache.h"

#include <array>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/rng.h"

namespace jina {

namespace {

constexpr std::array<char, 8> kMagic{'j', 'i', 'n', 'a', 'v', 'e', 'c', '1'};

struct Header {
  std::array<char, 8> magic;
  int64_t width;
};

}  // namespace

VectorCache::VectorCache(std::string path, int64_t width) : path_(std::move(path)), width_(width) { read_keys(); }

VectorCache::Key VectorCache::key_of(std::span<const int32_t> ids) {
  Key key{ids.size(), ~ids.size()};
  for (const int32_t id : ids) {
    key.first = mix_bits(key.first + static_cast<uint32_t>(id));
    key.second = mix_bits(key.second ^ (static_cast<uint64_t>(static_cast<uint32_t>(id)) << 20));
  }
  return key;
}

void VectorCache::read_keys() {
  const auto mode = std::ios::in | std::ios::out | std::ios::binary;
  file_.open(path_, mode);
  Header header{};
  const bool is_known = file_.is_open() && file_.read(reinterpret_cast<char*>(&header), sizeof(header)) &&
                        header.magic == kMagic && header.width == width_;
  if (!is_known) {
    file_.close();
    file_.open(path_, mode | std::ios::trunc);
    header = {kMagic, width_};
    file_.write(reinterpret_cast<const char*>(&header), sizeof(header));
    file_.flush();
    if (!file_) fail(ErrorKind::kIo, path_, "cannot write the cache of teacher vectors");
  }
  const uint64_t record = sizeof(Key) + static_cast<uint64_t>(width_) * sizeof(float);
  const uint64_t records = (std::filesystem::file_size(path_) - sizeof(header)) / record;
  for (uint64_t i = 0; i < records; ++i) {
    Key key{};
    file_.seekg(static_cast<std::streamoff>(sizeof(header) + i * record));
    file_.read(reinterpret_cast<char*>(&key), sizeof(key));
    places_.emplace(key, sizeof(header) + i * record + sizeof(key));
  }
  end_ = sizeof(header) + records * record;
  file_.clear();
}

std::optional<std::vector<float>> VectorCache::find(std::span<const int32_t> ids) {
  const auto place = places_.find(key_of(ids));
  if (place == places_.end()) return std::nullopt;
  std::vector<float> values(static_cast<size_t>(width_));
  file_.seekg(static_cast<std::streamoff>(place->second));
  file_.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  if (!file_) fail(ErrorKind::kIo, path_, "cannot read the cache of teacher vectors");
  return values;
}

void VectorCache::add(std::span<const int32_t> ids, std::span<const float> values) {
  JINA_CHECK(static_cast<int64_t>(values.size()) == width_);
  const Key key = key_of(ids);
  if (!places_.emplace(key, end_ + sizeof(key)).second) return;
  file_.seekp(static_cast<std::streamoff>(end_));
  file_.write(reinterpret_cast<const char*>(&key), sizeof(key));
  file_.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size_bytes()));
  file_.flush();
  if (!file_) fail(ErrorKind::kIo, path_, "cannot write the cache of teacher vectors (disk full?)");
  end_ += sizeof(key) + values.size_bytes();
}

}  // namespace jina
