#include "weights/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace jina {

namespace {

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference's MAX_HEADER_SIZE

struct FormatType {
  std::string_view name;
  uint64_t bits;
  std::optional<DType> dtype;
};

/// Every type of the format (tensor.rs, enum Dtype); those without a DType can lie in a file but not be asked for.
constexpr std::array kFormatTypes{
    FormatType{"F32", 32, DType::kF32},
    FormatType{"F16", 16, DType::kF16},
    FormatType{"BF16", 16, DType::kBF16},
    FormatType{"I32", 32, DType::kI32},
    FormatType{"I64", 64, DType::kI64},
    FormatType{"I8", 8, DType::kI8},
    FormatType{"U8", 8, DType::kU8},
    FormatType{"BOOL", 8, DType::kBool},
    FormatType{"F64", 64, std::nullopt},
    FormatType{"C64", 64, std::nullopt},
    FormatType{"U64", 64, std::nullopt},
    FormatType{"U32", 32, std::nullopt},
    FormatType{"I16", 16, std::nullopt},
    FormatType{"U16", 16, std::nullopt},
    FormatType{"F8_E4M3", 8, std::nullopt},
    FormatType{"F8_E5M2", 8, std::nullopt},
    FormatType{"F8_E8M0", 8, std::nullopt},
    FormatType{"F8_E4M3FNUZ", 8, std::nullopt},
    FormatType{"F8_E5M2FNUZ", 8, std::nullopt},
    FormatType{"F6_E2M3", 6, std::nullopt},
    FormatType{"F6_E3M2", 6, std::nullopt},
    FormatType{"F4", 4, std::nullopt},
};

const FormatType* find_format_type(std::string_view name) {
  const auto* found = std::ranges::find(kFormatTypes, name, &FormatType::name);
  return found == kFormatTypes.end() ? nullptr : found;
}

/// One tensor's entry while the header is checked; offsets count from the end of the header, as written.
struct Entry {
  std::string name;
  StoredTensor tensor;
  uint64_t bits = 0;
};

class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> file, const std::string& where) : file_(file), where_(where) {}

  SafetensorsHeader read() {
    const JsonDocument document = JsonDocument::parse(header_text(), where_ + " (header)", ErrorKind::kModelFile);
    if (!document.root().is_object()) document.root().reject("an object");
    for (const auto [name, value] : document.root().as_object()) {
      if (name == "__metadata__") {
        read_metadata(Json(document, value, name));
      } else {
        entries_.push_back(read_entry(name, Json(document, value, name)));
      }
    }
    check_cover();
    for (Entry& entry : entries_) {
      entry.tensor.begin += data_start_;
      entry.tensor.end += data_start_;
      const auto [place, is_new] = header_.tensors.emplace(std::move(entry.name), std::move(entry.tensor));
      if (!is_new) fail(ErrorKind::kModelFile, where_, "tensor {} is in the header twice", quoted_name(place->first));
    }
    return std::move(header_);
  }

 private:
  std::string_view header_text() {
    if (file_.size() < kLengthBytes) {
      fail(ErrorKind::kModelFile, where_, "not a safetensors file: expected 8 bytes of header length, found {} bytes",
           file_.size());
    }
    uint64_t length = 0;
    for (size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<uint64_t>(file_[i]) << (8 * i);
    if (length > kMaxHeaderBytes) {
      fail(ErrorKind::kModelFile, where_, "not a safetensors file: header length {}, expected at most {}", length,
           kMaxHeaderBytes);
    }
    if (length > file_.size() - kLengthBytes) {
      fail(ErrorKind::kModelFile, where_, "truncated: header length {}, but only {} bytes follow", length,
           file_.size() - kLengthBytes);
    }
    data_start_ = kLengthBytes + static_cast<size_t>(length);
    const auto bytes = file_.subspan(kLengthBytes, static_cast<size_t>(length));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!text.starts_with('{'))
      fail(ErrorKind::kModelFile, where_, "not a safetensors file: header must begin with '{{'");
    return text;
  }

  void read_metadata(const Json& metadata) {
    for (const auto [key, value] : metadata.as_object()) {
      header_.metadata.emplace(key, Json(metadata.document(), value, key).as_string());
    }
  }

  Entry read_entry(std::string_view name, const Json& value) {
    Entry entry;
    entry.name = name;
    if (!value.is_object()) reject(entry, "expected an object with dtype, shape and data_offsets");
    const auto dtype = value.find("dtype");
    if (!dtype || !dtype->is_string()) reject(entry, "'dtype' must be a string");
    entry.tensor.dtype = dtype->as_string();
    const FormatType* type = find_format_type(entry.tensor.dtype);
    if (type == nullptr) reject(entry, fmt::format("unknown dtype {}", quoted_name(entry.tensor.dtype)));
    entry.bits = type->bits;
    for (const uint64_t size : read_sizes(entry, value, "shape")) {
      entry.tensor.shape.push_back(static_cast<int64_t>(size));
    }
    const std::vector<uint64_t> offsets = read_sizes(entry, value, "data_offsets");
    if (offsets.size() != 2) reject(entry, fmt::format("'data_offsets' must be two numbers, found {}", offsets.size()));
    entry.tensor.begin = offsets[0];
    entry.tensor.end = offsets[1];
    check_size(entry);
    return entry;
  }

  std::vector<uint64_t> read_sizes(const Entry& entry, const Json& value, std::string_view key) const {
    const auto list = value.find(key);
    if (!list || !list->is_array()) reject(entry, fmt::format("'{}' must be an array", key));
    std::vector<uint64_t> sizes;
    for (const Json& item : list->as_array()) {
      int64_t size = 0;
      if (item.raw().get(size) != simdjson::SUCCESS || size < 0) {
        reject(entry, fmt::format("'{}' must hold whole numbers in [0, 2^63), found {}", key, item.dump()));
      }
      sizes.push_back(static_cast<uint64_t>(size));
    }
    return sizes;
  }

  void check_size(const Entry& entry) const {
    const auto& [dtype, shape, begin, end] = entry.tensor;
    const size_t data_bytes = file_.size() - data_start_;
    if (begin > end || end > data_bytes) {
      reject(entry, fmt::format("data_offsets [{}, {}) are outside the {} bytes of data", begin, end, data_bytes));
    }
    uint64_t bits = entry.bits;
    for (const int64_t size : shape) {
      if (__builtin_mul_overflow(bits, static_cast<uint64_t>(size), &bits)) reject(entry, "its shape overflows");
    }
    if (bits % 8 != 0 || bits / 8 != end - begin) {
      reject(entry, fmt::format("shape [{}] of {} needs {} bytes, data_offsets give {}", fmt::join(shape, ", "), dtype,
                                (bits + 7) / 8, end - begin));
    }
  }

  /// The tensors in order of their offsets must follow each other from the first byte of data to the last.
  void check_cover() {
    std::ranges::sort(entries_, {}, [](const Entry& entry) {
      return std::tuple(entry.tensor.begin, entry.tensor.end, std::string_view(entry.name));
    });
    size_t covered = 0;
    const Entry* previous = nullptr;
    for (const Entry& entry : entries_) {
      if (entry.tensor.begin < covered) {
        reject(entry, fmt::format("data_offsets [{}, {}) overlap those of {}", entry.tensor.begin, entry.tensor.end,
                                  quoted_name(previous->name)));
      }
      if (entry.tensor.begin > covered) {
        reject(entry, fmt::format("data_offsets [{}, {}) leave bytes from {} unused", entry.tensor.begin,
                                  entry.tensor.end, covered));
      }
      covered = entry.tensor.end;
      previous = &entry;
    }
    if (covered != file_.size() - data_start_) {
      fail(ErrorKind::kModelFile, where_, "the tensors end at byte {} of the data, but {} bytes follow the header",
           covered, file_.size() - data_start_);
    }
  }

  [[noreturn]] void reject(const Entry& entry, const std::string& reason) const {
    fail(ErrorKind::kModelFile, where_, "tensor {}: {}", quoted_name(entry.name), reason);
  }

  std::span<const std::byte> file_;
  const std::string& where_;
  size_t data_start_ = 0;
  std::vector<Entry> entries_;
  SafetensorsHeader header_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& where) {
  return HeaderReader(file, where).read();
}

std::optional<DType> dtype_of_safetensors(std::string_view name) {
  const FormatType* type = find_format_type(name);
  return type == nullptr ? std::nullopt : type->dtype;
}

std::string_view safetensors_name(DType dtype) {
  const auto* found = std::ranges::find(kFormatTypes, std::optional(dtype), &FormatType::dtype);
  JINA_CHECK(found != kFormatTypes.end());
  return found->name;
}

std::string quoted_name(std::string_view name) {
  constexpr size_t kMaxShown = 200;
  std::string shown = repair_utf8(name.substr(0, kMaxShown));
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return fmt::format("'{}{}'", shown, name.size() > kMaxShown ? "…" : "");
}

}  // namespace jina
