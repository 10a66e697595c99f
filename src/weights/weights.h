#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace jina {

/// Where named tensors come from: safetensors files, or (for benchmarks and training) an initialiser.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// The tensor as stored; nothing when there is none of that name. `shape` is what the caller expects (an initialiser
  /// makes that shape; a file ignores it).
  virtual std::optional<Tensor> find(const std::string& name, const Shape& shape) = 0;
  /// All names of the source, sorted; empty for an initialiser.
  virtual std::vector<std::string> names() const = 0;
  /// Path of the file (or files) for messages.
  virtual const std::string& where() const = 0;
  /// Tells that the pages of this tensor are not needed now (it has been packed).
  virtual void release(const Tensor& tensor) = 0;
};

/// Whole-string match of a pattern in which `*` stands for any characters.
bool name_matches(std::string_view pattern, std::string_view name);

/// A scoped view of named tensors that keeps account: every request is recorded, and `finish` fails with the list of
/// tensors that nobody asked for. Copies share the account.
///
///     Weights weights(source);
///     Tensor table = weights.get("embeddings.word_embeddings.weight", {vocabulary, hidden});
///     Weights layer = weights / "encoder" / "layer" / 3;
///     weights.ignore("pooler.*");
///     weights.finish();
class Weights {
 public:
  explicit Weights(std::shared_ptr<WeightSource> source);

  Weights operator/(std::string_view name) const;
  Weights operator/(int64_t index) const;

  /// The tensor "scope.name" (or the scope itself when name is empty); floating point, of exactly this shape. A missing
  /// or mis-shaped tensor is noted and reported by finish() together with all others; meanwhile zeros of that shape are
  /// returned.
  Tensor get(std::string_view name, const Shape& shape) const;
  /// As get, but absence is fine.
  std::optional<Tensor> find(std::string_view name, const Shape& shape) const;
  bool has(std::string_view name) const;

  /// Names (full, `*` matches anything) that the model knowingly does not use.
  void ignore(std::string_view pattern) const;
  /// Error kModelFile naming every missing, mis-shaped and unused tensor; silence when all is well. Releases what was
  /// taken.
  void finish() const;
  /// Number of values in all tensors that were taken.
  int64_t parameters() const;
  /// Gives back the file pages of all tensors taken so far; those still in use are read again when touched. Called
  /// after each layer, so that no model is in memory twice while it is packed.
  void release_taken() const;
  /// Full name of the scope, for messages.
  const std::string& scope() const { return scope_; }

 private:
  struct Account;
  std::shared_ptr<Account> account_;
  std::string scope_;
};

}  // namespace jina
