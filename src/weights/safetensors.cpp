#include "weights/safetensors.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "weights/safetensors_header.h"

namespace jina {

namespace {

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";

bool file_exists(const std::string& path) { return find_file_state(path).has_value(); }

/// Which of the two files describes the weights of a directory; transformers prefers the single one too.
std::string_view find_weights(const std::string& directory) {
  for (const std::string_view name : {kSingleFile, kIndexFile}) {
    if (file_exists(directory + "/" + std::string(name))) return name;
  }
  const bool has_pickle = file_exists(directory + "/pytorch_model.bin");
  fail(ErrorKind::kNotFound, directory, "no weights: expected {} or {}{}", kSingleFile, kIndexFile,
       has_pickle ? " (pytorch_model.bin is a pickle, which is not read)" : "");
}

/// A value of the index's weight_map: an untrusted name that must not lead out of the directory.
std::string shard_name(const Json& value) {
  const std::string name(value.as_string());
  const bool is_plain = !name.empty() && name != "." && name != ".." &&
                        name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (!is_plain) {
    fail(ErrorKind::kModelFile, value.document().where(),
         "shard {}: expected the plain name of a file beside the index", quoted_name(name));
  }
  return name;
}

/// The bytes of the file that a tensor spans, gaps between rows included.
std::span<const std::byte> extent(const Tensor& tensor) {
  if (tensor.bytes() == 0) return {};
  const int64_t elements = (tensor.rows() - 1) * tensor.row_stride() + tensor.width();
  return {tensor.raw(), static_cast<size_t>(elements * size_of(tensor.dtype()))};
}

bool contains(std::span<const std::byte> outer, std::span<const std::byte> inner) {
  return !inner.empty() && inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size();
}

class SafetensorsFile final : public WeightSource {
 public:
  explicit SafetensorsFile(const std::string& path)
      : mapping_(MappedFile::open(path)), header_(parse_safetensors_header(mapping_->bytes(), path)) {}

  std::optional<Tensor> find(const std::string& name, const Shape& /*shape*/) override {
    const auto found = header_.tensors.find(name);
    if (found == header_.tensors.end()) return std::nullopt;
    const StoredTensor& stored = found->second;
    const auto dtype = dtype_of_safetensors(stored.dtype);
    if (!dtype) {
      fail(ErrorKind::kModelFile, where(), "tensor {}: dtype {} is not supported here", quoted_name(name),
           stored.dtype);
    }
    if (stored.shape.size() > Shape::kMaxRank) {
      fail(ErrorKind::kModelFile, where(), "tensor {}: shape [{}] has {} dimensions, expected at most {}",
           quoted_name(name), fmt::join(stored.shape, ", "), stored.shape.size(), Shape::kMaxRank);
    }
    return view(stored, *dtype);
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const auto& [name, stored] : header_.tensors) all.push_back(name);
    return all;
  }

  const std::string& where() const override { return mapping_->path(); }

  void release(const Tensor& tensor) override {
    if (contains(mapping_->bytes(), extent(tensor))) mapping_->release(extent(tensor));
  }

  bool has(const std::string& name) const { return header_.tensors.contains(name); }

 private:
  Tensor view(const StoredTensor& stored, DType dtype) const {
    const Shape shape{std::span(stored.shape)};
    const auto bytes = mapping_->bytes().subspan(stored.begin, stored.end - stored.begin);
    if (stored.begin % static_cast<size_t>(size_of(dtype)) != 0) {
      // A header that is not padded to the element size is allowed by the format; such tensors are copied into place.
      Tensor copy = make_tensor(dtype, shape);
      std::ranges::copy(bytes, copy.raw());
      return copy;
    }
    return Tensor(Storage{const_cast<std::byte*>(bytes.data()), bytes.size(), mapping_}, dtype, shape);
  }

  std::shared_ptr<MappedFile> mapping_;
  SafetensorsHeader header_;
};

/// Several files under one index; every tensor lies in exactly one of them.
class SafetensorsShards final : public WeightSource {
 public:
  explicit SafetensorsShards(const std::string& directory)
      : directory_(directory), index_path_(directory + "/" + std::string(kIndexFile)) {
    const JsonDocument index = JsonDocument::parse_file(index_path_);
    const Json weight_map = index.root().at("weight_map");
    for (const auto [name, value] : weight_map.as_object()) {
      open_shard(shard_name(Json(index, value, name)));
    }
    for (const auto [name, value] : weight_map.as_object()) {
      check_listed(std::string(name), shard_name(Json(index, value, name)));
    }
  }

  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    const auto found = shard_of_.find(name);
    return found == shard_of_.end() ? std::nullopt : found->second->find(name, shape);
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const auto& [name, shard] : shard_of_) all.push_back(name);
    return all;
  }

  const std::string& where() const override { return index_path_; }

  void release(const Tensor& tensor) override {
    for (const auto& [file_name, shard] : shards_) shard->release(tensor);
  }

 private:
  void open_shard(const std::string& file_name) {
    if (shards_.contains(file_name)) return;
    const std::string path = directory_ + "/" + file_name;
    if (!file_exists(path)) {
      fail(ErrorKind::kNotFound, index_path_, "shard {} is listed but not in the directory", quoted_name(file_name));
    }
    auto shard = std::make_shared<SafetensorsFile>(path);
    for (std::string& name : shard->names()) {
      const auto [place, is_new] = shard_of_.emplace(std::move(name), shard);
      if (!is_new) {
        fail(ErrorKind::kModelFile, index_path_, "tensor {} is in two shards: {} and {}", quoted_name(place->first),
             place->second->where(), path);
      }
    }
    shards_.emplace(file_name, std::move(shard));
  }

  void check_listed(const std::string& name, const std::string& file_name) const {
    if (shards_.at(file_name)->has(name)) return;
    const auto elsewhere = shard_of_.find(name);
    if (elsewhere == shard_of_.end()) {
      fail(ErrorKind::kModelFile, index_path_, "tensor {} is listed in shard {}, which does not have it",
           quoted_name(name), quoted_name(file_name));
    }
    fail(ErrorKind::kModelFile, index_path_, "tensor {} is listed in shard {}, but lies in {}", quoted_name(name),
         quoted_name(file_name), elsewhere->second->where());
  }

  std::string directory_;
  std::string index_path_;
  std::map<std::string, std::shared_ptr<SafetensorsFile>> shards_;    // by file name
  std::map<std::string, std::shared_ptr<SafetensorsFile>> shard_of_;  // by tensor name
};

}  // namespace

std::shared_ptr<WeightSource> open_safetensors(const std::string& directory) {
  if (find_weights(directory) == kIndexFile) return std::make_shared<SafetensorsShards>(directory);
  return open_safetensors_file(directory + "/" + std::string(kSingleFile));
}

std::vector<std::string> weight_files(const std::string& directory) {
  if (find_weights(directory) == kSingleFile) return {std::string(kSingleFile)};
  const JsonDocument index = JsonDocument::parse_file(directory + "/" + std::string(kIndexFile));
  std::set<std::string> names{std::string(kIndexFile)};
  for (const auto [tensor, shard] : index.root().at("weight_map").as_object()) {
    names.insert(shard_name(Json(index, shard, tensor)));
  }
  return {names.begin(), names.end()};
}

std::shared_ptr<WeightSource> open_safetensors_file(const std::string& path) {
  return std::make_shared<SafetensorsFile>(path);
}

void write_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  const auto begin_member = [&](std::string_view name) {
    if (header.size() > 1) header += ",";
    append_json_string(header, name);
    header += ":";
  };
  if (!metadata.empty()) {
    begin_member("__metadata__");
    std::string_view separator = "{";
    for (const auto& [key, value] : metadata) {
      header += separator;
      append_json_string(header, key);
      header += ":";
      append_json_string(header, value);
      separator = ",";
    }
    header += "}";
  }
  size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    begin_member(name);
    std::vector<int64_t> sizes;
    for (int i = 0; i < tensor.shape().rank(); ++i) sizes.push_back(tensor.size(i));
    header += fmt::format(R"({{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", safetensors_name(tensor.dtype()),
                          fmt::join(sizes, ","), offset, offset + tensor.bytes());
    offset += tensor.bytes();
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');

  AtomicFile file(path);
  std::string length(8, '\0');
  for (size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  file.write(length);
  file.write(header);
  for (const auto& [name, tensor] : tensors) {
    const auto row_bytes = static_cast<size_t>(tensor.width() * size_of(tensor.dtype()));
    if (tensor.is_contiguous()) {
      file.write({reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()});
      continue;
    }
    for (int64_t r = 0; r < tensor.rows(); ++r) {
      const auto* row = tensor.raw() + r * tensor.row_stride() * size_of(tensor.dtype());
      file.write({reinterpret_cast<const char*>(row), row_bytes});
    }
  }
  file.commit();
}

}  // namespace jina
