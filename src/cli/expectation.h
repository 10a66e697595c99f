#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "models/card.h"

namespace jina::cli {

/// Which result of a text a list of published numbers is about.
enum class Quantity : uint8_t {
  kHidden,  ///< rows of the last hidden states
  kPooled,  ///< the pooled vector before normalisation
  kUnit,    ///< the pooled vector at unit length
};

/// Published numbers of one text: columns [first_column, first_column + values.size() / rows) of one result.
struct ExpectedValues {
  Quantity quantity = Quantity::kUnit;
  std::vector<int64_t> rows{0};  ///< kHidden: token positions; else one row
  int64_t first_column = 0;
  std::vector<float> values{};  ///< (rows, columns)
  double tolerance = 0;         ///< absolute
};

struct ExpectedText {
  std::string text{};
  std::vector<int32_t> ids{};  ///< with the run's instruction in front; empty when not published
  std::vector<ExpectedValues> values{};
};

/// Texts that one task (or none) has read.
struct ExpectedRun {
  std::string task{};  ///< "" is the base model
  bool has_instruction = false;
  std::string source{};
  std::vector<ExpectedText> texts{};
};

/// What a tensor holds, whatever type it is stored in.
struct TensorDigest {
  std::string name{};
  std::string digest{};  ///< first 16 hexadecimal digits of SHA-256 over the values as little-endian float32
  double sum = 0;        ///< of the values, in float64
};

struct ExpectedTask {
  std::string name{};
  std::string instruction{};
};

/// What is known of a checkpoint: facts of its files, and vectors that others computed with it.
struct Expectation {
  std::string id{};
  std::optional<std::string> pooling{};
  std::optional<int64_t> max_tokens{};
  std::vector<std::pair<std::string, double>> config{};  ///< numbers of config.json; one that is absent there is fine
  std::optional<std::vector<ExpectedTask>> tasks{};      ///< in the order of their adapters
  std::vector<ExpectedRun> runs{};
  std::vector<TensorDigest> tensors{};

  /// "" for no task and for a task without one.
  std::string instruction(std::string_view task) const;
};

/// By what a checkpoint is recognised.
struct ExpectationMatch {
  std::string family{};
  int64_t dimensions = 0;
  int64_t layers = 0;
  int64_t vocabulary = 0;  ///< 0: any
  std::string name{};      ///< part of the model's name, case ignored
  bool by_shape = false;   ///< the shape is that of one published checkpoint only: the name need not agree
};

bool has_shape(const ExpectationMatch& match, const ModelCard& card);
bool has_name(const ExpectationMatch& match, const ModelCard& card);

/// The texts of data/expectations/*.json, put into the program when it is built.
std::span<const std::string_view> known_expectations();

/// Reads one of them. Error kModelFile.
Expectation parse_expectation(const Json& root);
ExpectationMatch parse_match(const Json& root);

/// Reads a directory that holds expected.json and expected.safetensors, and tensors.json where there is one, in the
/// form of docs/verify.md. Errors: kNotFound, kModelFile.
Expectation read_reference_directory(const std::string& directory);

}  // namespace jina::cli
