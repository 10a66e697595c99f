#pragma once

#include <cstddef>
#include <cstdint>

/// The generated tables behind unicode.h: two-stage arrays (block number of code point / 128, then the block's values).
namespace jina::unicode_tables {

struct Composition {
  char32_t first;
  char32_t second;
  char32_t composed;
};

extern const uint8_t flags_index_of_block[];
extern const uint16_t flags_blocks[];
extern const uint8_t combining_class_index_of_block[];
extern const uint8_t combining_class_blocks[];
extern const uint8_t lowercase_index_of_block[];
extern const uint16_t lowercase_blocks[];
extern const char32_t lowercase_pool[];
extern const uint8_t canonical_index_of_block[];
extern const uint16_t canonical_blocks[];
extern const char32_t canonical_pool[];
extern const uint8_t compatible_index_of_block[];
extern const uint16_t compatible_blocks[];
extern const char32_t compatible_pool[];
extern const Composition compositions[];  // sorted by first, second
extern const size_t composition_count;

}  // namespace jina::unicode_tables
