#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace jina {

/// How the numbers of a vector are written (docs/formats.md): Jina's and OpenAI's encodings.
enum class VectorEncoding : uint8_t {
  kFloat,    ///< decimal numbers that read back as the same float32
  kBase64,   ///< little-endian float32 bytes in base64
  kBinary,   ///< one bit a value (value > 0), most significant first; each byte minus 128
  kUbinary,  ///< the same bytes unsigned
  kInt8,     ///< round(127 x) of the unit vector
};

/// Error kInvalidArgument naming the known ones.
VectorEncoding parse_vector_encoding(std::string_view name);

/// Bits (value > 0) of a vector, most significant first; the last byte is filled with zeros.
std::vector<uint8_t> pack_bits(std::span<const float> vector);
/// round(127 x) of the vector scaled to unit length.
std::vector<int8_t> quantize_int8(std::span<const float> vector);
std::string base64(std::span<const uint8_t> bytes);

/// Appends the vector as a JSON value: an array of numbers, or a string for kBase64.
void append_vector(std::string& json, std::span<const float> vector, VectorEncoding encoding);

}  // namespace jina
