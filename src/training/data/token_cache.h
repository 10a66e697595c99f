#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "text/tokenizer.h"
#include "training/data/rows.h"
#include "training/data/tokenised_rows.h"
#include "training/recipe.h"

namespace jina {

/// How the texts of a data set become tokens, and where these are kept.
struct TokenCacheRequest {
  std::string directory;  ///< made when it is absent
  std::string tokenizer;  ///< path of tokenizer.json
  std::string query_prompt;
  std::string positive_prompt;     ///< of positives and negatives
  int64_t max_tokens = 0;          ///< longer texts are cut, template tokens counted; 0: never
  bool has_special_tokens = true;  ///< of the template; false for documents that are packed later
};

/// 64 hexadecimal digits that change with everything the tokens depend on: tokenizer file (its content), prompts, cut,
/// columns, row limit, filter settings, and path, size and modification time of the data files and, when the data set
/// is filtered, of the evaluation files; for rows that are made also their kind, the seed, and all of these of the data
/// that they are made from. Error kNotFound for a file that is absent.
std::string token_cache_key(const TokenCacheRequest& request, const DataRecipe& data, const Recipe& recipe);

/// Makes the rows of a data set; adds what there is to say of them to `notes`, which the cache keeps.
using MakeRows = std::function<DataRows(RowNotes& notes)>;

/// The rows of the cache file "<directory>/<key>.tokens"; when that is absent, cut off, broken or of another version,
/// `make_rows` is called, its texts are tokenised with all threads, and the file is written anew under a name of its
/// own and renamed, so that no reader ever sees a part of it. Processes that do this at the same time do the work
/// twice. Errors: those of make_rows; kIo when the file cannot be written.
TokenisedRows open_token_cache(const TokenCacheRequest& request, const std::string& key, const MakeRows& make_rows,
                               const Tokenizer& tokenizer, ThreadPool& pool);

}  // namespace jina
