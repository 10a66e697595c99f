#pragma once

#include <future>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "jina/error.h"
#include "jina/types.h"

namespace jina {

/// A model in memory that turns texts into vectors. Thread-safe: calls from any thread share passes.
///
///     jina::Embedder embedder = jina::Embedder::open("models/all-MiniLM-L6-v2");
///     std::vector<jina::Embedding> result = embedder.embed({{.text = "hello world"}});
///     float first = result[0].values[0];
class __attribute__((visibility("default"))) Embedder {
 public:
  /// Reads a Hugging Face model directory. Errors: kNotFound, kModelFile naming the tensor or field, kUnsupported.
  static Embedder open(const std::string& directory, const OpenOptions& options = {});
  Embedder(Embedder&&) noexcept;
  Embedder& operator=(Embedder&&) noexcept;
  ~Embedder();

  const ModelInfo& info() const;
  /// "f32" or "bf16", after kAuto was resolved.
  std::string precision() const;

  /// One Embedding per input, in order. Errors: kInvalidArgument (unknown task, dimensions), kInvalidInput (a text is
  /// too long; `where` is "input N").
  std::vector<Embedding> embed(std::vector<EmbedInput> inputs, const EmbedOptions& options = {}) const;
  /// As embed, without waiting. When `stop` is requested, rows not yet computed are dropped and the future throws
  /// kCancelled. A full queue throws kOverloaded at once.
  std::future<std::vector<Embedding>> submit(std::vector<EmbedInput> inputs, const EmbedOptions& options = {},
                                             std::stop_token stop = {}) const;
  /// Throws what embed() would throw for this input; does nothing when all is well.
  void check(const EmbedInput& input, const EmbedOptions& options = {}) const;
  /// Tokens that this input would put into the model, prompt and special tokens included, before any truncation.
  int64_t count_tokens(const EmbedInput& input, const EmbedOptions& options = {}) const;
  /// The instruction that is put in front of this input; empty when none.
  std::string prompt_of(const EmbedInput& input, const EmbedOptions& options = {}) const;

  /// 16 hexadecimal digits over everything that decides a vector: weights, adapter, prompt, pooling, dimensions,
  /// normalisation, preprocessing. Vectors of equal fingerprints are comparable; f32 and bf16 share it.
  std::string fingerprint(const std::optional<std::string>& task, const EmbedOptions& options = {}) const;

 private:
  struct Impl;
  explicit Embedder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace jina
