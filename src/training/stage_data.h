#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/card.h"
#include "text/tokenizer.h"
#include "training/data/data_source.h"
#include "training/gradients.h"
#include "training/log.h"
#include "training/recipe.h"

namespace jina {

/// The rows of one step, of this rank.
struct StepData {
  size_t objective = 0;  ///< of the stage
  std::string data;      ///< name of the data set
  StepTexts texts;
  StepTargets targets;
  std::vector<std::vector<int32_t>> owned{};  ///< ids that are not in the cache (masked ones)
  int64_t first_row = 0;                      ///< for messages: of the data set, by its order in the files
};

/// The data of one stage, read, filtered and tokenised; what step k sees is a function of (seed, stage, k) alone.
class StageData {
 public:
  struct Surroundings {
    const Tokenizer& tokenizer;
    std::string tokenizer_path;
    const ModelCard& card;
    std::string cache;  ///< folder for tokenised data
    int rank = 0;
    int ranks = 1;
  };

  /// `source` is asked for rows that are not in the cache, here only. Errors: those of DataSource; kInvalidInput for
  /// unknown tasks; kIo.
  StageData(const Recipe& recipe, const StageRecipe& stage, const Surroundings& surroundings, DataSource& source);
  ~StageData();

  StepData step(int64_t k) const;
  /// Rows, tokens and what the filters removed, by data set; once where several objectives see the same.
  const std::vector<DataRecord>& records() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The task of a model by name: its instruction and adapter; the base model for "". Error kInvalidInput naming the
/// known.
TaskInfo find_task(const ModelCard& card, const std::string& name);

}  // namespace jina
