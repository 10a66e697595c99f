#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace jina {

/// The file that holds "max_seq_length" under all names that sentence-transformers has used, in its order of search.
constexpr std::array<std::string_view, 7> kSentenceConfigs{
    "sentence_bert_config.json",      "sentence_roberta_config.json", "sentence_distilbert_config.json",
    "sentence_camembert_config.json", "sentence_albert_config.json",  "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
};

/// "mean", "cls" or "last" of a pooling module's config.json, in the older form (one flag per mode) or the newer one
/// ("pooling_mode"). Error when it asks for another mode, for several, or for pooling without the prompt's tokens.
std::string pooling_of(const Json& config);

/// What modules.json says beyond the transformer itself.
struct SentenceModules {
  std::optional<std::string> pooling_folder;  ///< relative to the model directory, and inside it
  bool has_normalize = false;
};

/// Error when a module is listed that changes vectors and is not built (Dense, …).
SentenceModules modules_of(const Json& list);

/// The prompts of config_sentence_transformers.json and the one for texts without a task.
struct SentencePrompts {
  std::vector<std::pair<std::string, std::string>> prompts;  ///< (name, text) in file order
  std::optional<std::string> chosen;                         ///< name of one of them
};

SentencePrompts prompts_of(const Json& config);

/// "max_seq_length" of sentence_bert_config.json, if given. Error kModelFile when the file asks for "do_lower_case", a
/// lower-casing of its own before the tokenizer.
std::optional<int64_t> max_sequence_length_of(const Json& config);
/// "model_max_length" of tokenizer_config.json when it is a sensible number (below 1e9).
std::optional<int64_t> tokenizer_max_length_of(const Json& config);

}  // namespace jina
