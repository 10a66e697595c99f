#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace jina {

/// One tensor as the header of its file states it, checked: the bytes [begin, end) of the file hold exactly this shape.
struct StoredTensor {
  std::string dtype;           ///< as written: "F32", "BF16", "F8_E4M3", …
  std::vector<int64_t> shape;  ///< of any rank; sizes are not negative
  size_t begin = 0;            ///< from the start of the file
  size_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;  ///< "__metadata__"
};

/// Reads and checks the header of a safetensors file given as bytes, by the rules of the reference implementation
/// (huggingface/safetensors, tensor.rs, Metadata::validate): the tensors cover everything after the header, without
/// overlaps and holes. Duplicate names are refused too. Error kModelFile at `where`.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& where);

/// The type that the format calls "F32", "BF16", …; nothing for a type that tensors here do not have.
std::optional<DType> dtype_of_safetensors(std::string_view name);
/// The format's name of a type.
std::string_view safetensors_name(DType dtype);

/// A name out of an untrusted file, fit for a message: in quotes, control characters replaced, long ones cut.
std::string quoted_name(std::string_view name);

}  // namespace jina
