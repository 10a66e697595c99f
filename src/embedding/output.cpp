#include "embedding/output.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/json.h"

namespace jina {

namespace {

struct EncodingRow {
  std::string_view name;
  VectorEncoding encoding;
};

constexpr EncodingRow kEncodings[] = {
    {"float", VectorEncoding::kFloat},     {"base64", VectorEncoding::kBase64}, {"binary", VectorEncoding::kBinary},
    {"ubinary", VectorEncoding::kUbinary}, {"int8", VectorEncoding::kInt8},
};

template <typename Numbers, typename Append>
void append_array(std::string& json, const Numbers& numbers, Append append) {
  json.push_back('[');
  bool is_first = true;
  for (const auto number : numbers) {
    if (!is_first) json.push_back(',');
    is_first = false;
    append(number);
  }
  json.push_back(']');
}

}  // namespace

VectorEncoding parse_vector_encoding(std::string_view name) {
  std::string known;
  for (const EncodingRow& row : kEncodings) {
    if (row.name == name) return row.encoding;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", row.name);
  }
  fail(ErrorKind::kInvalidArgument, "encoding", "unknown encoding '{}'; expected one of {}", name, known);
}

std::vector<uint8_t> pack_bits(std::span<const float> vector) {
  std::vector<uint8_t> bytes((vector.size() + 7) / 8, 0);
  for (size_t i = 0; i < vector.size(); ++i) {
    if (vector[i] > 0) bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | 0x80u >> (i % 8));
  }
  return bytes;
}

std::vector<int8_t> quantize_int8(std::span<const float> vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * value;
  const double factor = squares > 0 ? 127 / std::sqrt(squares) : 0;
  std::vector<int8_t> codes;
  codes.reserve(vector.size());
  for (const float value : vector) codes.push_back(static_cast<int8_t>(std::lround(value * factor)));
  return codes;
}

std::string base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? bytes[i + j] : 0u);
    for (size_t j = 0; j < 4; ++j) text.push_back(j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=');
  }
  return text;
}

void append_vector(std::string& json, std::span<const float> vector, VectorEncoding encoding) {
  static_assert(std::endian::native == std::endian::little);
  switch (encoding) {
    case VectorEncoding::kFloat:
      append_array(json, vector, [&](float value) { append_json_float(json, value); });
      return;
    case VectorEncoding::kBase64: {
      const auto* bytes = reinterpret_cast<const uint8_t*>(vector.data());
      append_json_string(json, base64({bytes, vector.size_bytes()}));
      return;
    }
    case VectorEncoding::kBinary:
      append_array(json, pack_bits(vector), [&](uint8_t byte) { json += std::to_string(int{byte} - 128); });
      return;
    case VectorEncoding::kUbinary:
      append_array(json, pack_bits(vector), [&](uint8_t byte) { json += std::to_string(byte); });
      return;
    case VectorEncoding::kInt8:
      append_array(json, quantize_int8(vector), [&](int8_t code) { json += std::to_string(code); });
      return;
  }
}

}  // namespace jina
