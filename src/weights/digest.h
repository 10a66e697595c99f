#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace jina {

/// The files of a model directory that decide its vectors, relative to it and sorted: configuration, tokenizer, the
/// safetensors files that open_safetensors reads, adapters, pooling, prompts. Error as open_safetensors.
std::vector<std::string> vector_files(const std::string& directory);

/// SHA-256 over (name, SHA-256) of all vector_files, as 64 hexadecimal digits: two directories with the same digest
/// hold the same model. Digests of files are remembered in ".jina-digest.json" in the directory, or, when that cannot
/// be written, under `cache_directory` (empty: nowhere); one is used again only while size, inode and both times of the
/// file are as they were. A digest in jina-manifest.json, which a pull writes last, serves for files older than it.
/// Files that changed within `settled` before are not remembered: another write in the same tick of the file system's
/// clock (two seconds on the coarsest) would leave no trace.
std::string weights_digest(const std::string& directory, const std::string& cache_directory,
                           std::chrono::nanoseconds settled = std::chrono::seconds(2));

}  // namespace jina
