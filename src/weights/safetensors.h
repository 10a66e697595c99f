#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weights/weights.h"

namespace jina {

/// Opens "model.safetensors", or the shards named by "model.safetensors.index.json", of a directory; memory-mapped.
/// Errors: kNotFound, kModelFile naming file, tensor and what is wrong with header, types, ranges or overlaps.
std::shared_ptr<WeightSource> open_safetensors(const std::string& directory);
/// The names of the files that open_safetensors reads in a directory, the index included. Errors as there.
std::vector<std::string> weight_files(const std::string& directory);
/// One safetensors file.
std::shared_ptr<WeightSource> open_safetensors_file(const std::string& path);

/// Writes a safetensors file (header padded to 8 bytes, tensors in name order). Error kIo.
void write_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace jina
