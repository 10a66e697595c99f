#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jina {

/// How numbers are computed. kAuto is bf16 where the processor multiplies it in hardware, else f32; both give
/// interchangeable vectors (cosine at least 0.9999).
enum class Precision : uint8_t { kAuto, kF32, kBF16 };

/// What an embedding consists of.
enum class VectorKind : uint8_t {
  kPooled,      ///< one vector per text
  kLateChunks,  ///< one vector per chunk of a text that was encoded whole (Günther et al. 2024, arXiv 2409.04701)
  kTokens,      ///< the last hidden states, one per token, never normalised
};

/// Half-open range of UTF-8 bytes of a text.
struct TextSpan {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const TextSpan&) const = default;
};

/// One text to embed.
struct EmbedInput {
  std::string text{};                 ///< valid UTF-8
  std::optional<std::string> task{};  ///< absent: the model's default task; "": none; else one of ModelInfo::tasks
  bool use_prompt = true;             ///< put the task's instruction in front
  std::vector<TextSpan> spans{};      ///< kLateChunks: the chunks; empty: cut by EmbedOptions
};

/// What to make of the texts of one call.
struct EmbedOptions {
  VectorKind kind = VectorKind::kPooled;
  int64_t dimensions = 0;               ///< cut to this many, then normalise; 0: the model's own
  bool normalize = true;                ///< to unit length
  bool truncate = false;                ///< cut a text that is too long instead of refusing it
  std::optional<std::string> prompt{};  ///< in front of every text, instead of the task's instruction
  int64_t chunk_tokens = 0;             ///< kLateChunks without spans: chunks of this many tokens
  int64_t chunk_sentences = 0;          ///< kLateChunks without spans: chunks of this many sentences
};

/// The vectors of one text.
struct Embedding {
  std::vector<float> values{};  ///< (vectors, dimensions), row-major
  int64_t vectors = 0;          ///< 1 for kPooled
  int64_t dimensions = 0;
  std::vector<TextSpan> spans{};  ///< kLateChunks: the chunk of each vector
  int64_t tokens = 0;             ///< what entered the model, prompt and special tokens included
  bool is_truncated = false;
};

/// How to open a model.
struct OpenOptions {
  Precision precision = Precision::kAuto;
  std::string device = "cpu";      ///< cpu, or cuda or cuda:N (libjina_torch.so of this version beside the program)
  int threads = 0;                 ///< 0: all processors this process may use
  int64_t token_budget = 4096;     ///< most tokens of one pass; memory grows with it (docs/performance.md)
  int64_t queue_tokens = 1 << 22;  ///< most tokens that may wait; a call beyond it is refused
  std::string
      digest_cache{};        ///< where digests of weights are kept when the model's directory is read-only; "": nowhere
  bool map_weights = false;  ///< leave weights in the file instead of packing them once
};

/// A task that a model knows: an instruction, an adapter, or both.
struct TaskInfo {
  std::string name{};
  std::string prompt{};
  int32_t adapter = -1;  ///< index of its LoRA adapter; -1: the base weights
};

/// What a model is, read from its files.
struct ModelInfo {
  std::string name{};    ///< from the manifest, else the directory's name
  std::string family{};  ///< e.g. "jina_v3"
  std::string directory{};
  std::string pooling{};  ///< "mean", "cls" or "last"
  std::string license{};  ///< empty when the files do not say
  std::vector<TaskInfo> tasks{};
  std::optional<std::string> default_task{};
  std::optional<std::string> query_task;    ///< the task for what is searched with, if the model tells them apart
  std::optional<std::string> passage_task;  ///< the task for what is searched in
  std::vector<int64_t> matryoshka{};        ///< sizes the model was trained to be cut to; empty: none
  int64_t dimensions = 0;
  int64_t max_tokens = 0;
  int64_t layers = 0;
  int64_t parameters = 0;  ///< values in all tensors that the model uses, adapters included
};

}  // namespace jina
