#include "training/stage_data.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "training/data/batches.h"
#include "training/data/masking.h"
#include "training/data/row_order.h"
#include "training/data/sampler.h"
#include "training/data/stage_schedule.h"
#include "training/data/token_cache.h"

namespace jina {

namespace {

/// Negatives of each row where classes make the tuples (jina-embeddings-v3, classification).
constexpr int64_t kClassNegatives = 7;

bool is_masked(const ObjectiveRecipe& objective) {
  return std::ranges::any_of(objective.losses, [](const LossRecipe& loss) { return loss.name == kMaskedLanguageLoss; });
}

bool has_loss(const ObjectiveRecipe& objective, std::string_view name) {
  return std::ranges::any_of(objective.losses, [&](const LossRecipe& loss) { return loss.name == name; });
}

/// The most negatives that every row has.
int64_t common_negatives(const TokenisedRows& rows) {
  int64_t fewest = std::numeric_limits<int64_t>::max();
  for (size_t row = 0; row + 1 < rows.negative_offsets.size(); ++row) {
    fewest = std::min(fewest, rows.negative_offsets[row + 1] - rows.negative_offsets[row]);
  }
  return rows.negatives.empty() ? 0 : std::max<int64_t>(fewest, 1);
}

SamplerOptions sampling_of(const ObjectiveRecipe& objective, const StageRecipe& stage, const TokenisedRows& rows) {
  SamplerOptions options;
  options.batch = objective.batch > 0 ? objective.batch : stage.batch;
  options.rows_per_label = objective.rows_per_label;
  const bool has_classes = !rows.labels.empty() && rows.positives.empty();
  if (has_classes && has_loss(objective, "separation")) {
    options.kind = BatchKind::kClassGroups;
  } else if (has_classes) {
    options.kind = BatchKind::kClassTuples;
    options.negatives = objective.negatives >= 0 ? objective.negatives : kClassNegatives;
  } else {
    options.negatives = objective.negatives >= 0 ? objective.negatives : common_negatives(rows);
  }
  return options;
}

template <typename T>
at::Tensor part_of(const std::vector<T>& values, const RankRows& own, int64_t width, at::ScalarType type) {
  if (values.empty()) return {};
  const auto begin = values.begin() + own.begin * width, end = values.begin() + own.end * width;
  const at::Tensor line = at::tensor(std::vector<T>(begin, end)).to(type);
  return width == 1 ? line : line.view({own.end - own.begin, width});
}

/// One data set as one objective sees it.
struct Source {
  size_t objective = 0;
  std::string name;
  TokenisedRows rows;
  Sampler sampler;
  int32_t query_adapter = kNoAdapter;
  int32_t positive_adapter = kNoAdapter;
  // Of a masked-language objective only:
  PackedTexts packed;
  uint64_t key = 0;  // of the order of its sequences
  int64_t batch = 0;
};

}  // namespace

struct StageData::Impl {
  const Recipe& recipe;
  const StageRecipe& stage;
  Surroundings surroundings;
  std::vector<std::unique_ptr<Source>> sources;
  StageSchedule schedule;
  std::vector<DataRecord> records;
  TemplateTokens around;
  std::optional<MaskVocabulary> vocabulary;

  Impl(const Recipe& r, const StageRecipe& s, const Surroundings& where, DataSource& rows)
      : recipe(r), stage(s), surroundings(where) {
    StageDraws draws{
        .seed = recipe.seed, .stage = stage.name, .objective_rates = {}, .rotates_languages = {}, .data = {}};
    for (size_t i = 0; i < stage.objectives.size(); ++i) {
      const ObjectiveRecipe& objective = stage.objectives[i];
      draws.objective_rates.push_back(objective.rate);
      draws.rotates_languages.push_back(is_masked(objective) ? 1 : 0);
      for (const std::string& name : objective.data) {
        const DataRecipe& data = find_data(recipe, name);
        const Source& source = add_source(i, data, rows);
        draws.data.push_back(
            {.objective = static_cast<int32_t>(i),
             .language = data.language,
             .rate = data.rate.value_or(default_rate(source.rows.rows(), stage.sampling_temperature))});
      }
    }
    schedule = schedule_stage(draws, stage.steps);
  }

  Source& add_source(size_t index, const DataRecipe& data, DataSource& rows) {
    const ObjectiveRecipe& objective = stage.objectives[index];
    auto source = std::make_unique<Source>();
    source->objective = index;
    source->name = data.name;
    const std::string& positive_task = objective.positive_task.empty() ? objective.query_task : objective.positive_task;
    const TaskInfo query = find_task(surroundings.card, objective.query_task);
    const TaskInfo positive = find_task(surroundings.card, positive_task);
    source->query_adapter = query.adapter;
    source->positive_adapter = positive.adapter;
    const bool has_instructions = objective.instructions.value_or(true);
    const int64_t asked = objective.max_tokens > 0 ? objective.max_tokens : stage.max_tokens;
    const TokenCacheRequest request{
        .directory = surroundings.cache,
        .tokenizer = surroundings.tokenizer_path,
        .query_prompt = !objective.query_prompt.empty() ? objective.query_prompt
                        : has_instructions              ? query.prompt
                                                        : "",
        .positive_prompt = !objective.positive_prompt.empty() ? objective.positive_prompt
                           : has_instructions                 ? positive.prompt
                                                              : "",
        .max_tokens = is_masked(objective) ? 0 : std::min(asked, surroundings.card.max_tokens),
        .has_special_tokens = !is_masked(objective)};
    const auto make_rows = [&](RowNotes& notes) { return rows.rows(data, notes); };
    source->rows = open_token_cache(request, token_cache_key(request, data, recipe), make_rows, surroundings.tokenizer,
                                    rows.pool());
    if (is_masked(objective)) {
      pack(objective, *source, std::min(asked, surroundings.card.max_tokens));
    } else {
      source->sampler = prepare_sampler(source->rows, sampling_of(objective, stage, source->rows), recipe.seed,
                                        stage.name, data.name);
    }
    add_record(*source);
    sources.push_back(std::move(source));
    return *sources.back();
  }

  void pack(const ObjectiveRecipe& objective, Source& source, int64_t max_tokens) {
    if (!vocabulary) vocabulary = find_mask_vocabulary(surroundings.tokenizer);
    if (around.size() == 0) around = find_template(surroundings.tokenizer);
    source.key = hash_text(stage.name + "/" + source.name, recipe.seed);
    source.packed = pack_texts(source.rows, max_tokens, around, source.key);
    source.batch = objective.batch > 0 ? objective.batch : stage.batch;
  }

  void add_record(const Source& source) {
    DataRecord record{.name = source.name};
    record.numbers["rows"] = static_cast<double>(source.rows.rows());
    record.numbers["texts"] = static_cast<double>(source.rows.texts());
    record.numbers["tokens"] = static_cast<double>(source.rows.ids.size());
    if (source.rows.texts() > 0) {
      record.numbers["tokens per text"] =
          static_cast<double>(source.rows.ids.size()) / static_cast<double>(source.rows.texts());
    }
    record.removed = source.rows.notes.removed;
    record.notes = source.rows.notes.lines;
    if (std::ranges::find(records, record) == records.end()) records.push_back(std::move(record));
  }

  /// Step `k` of the stage, the `turn`th of this source: sequences in an order that is new in every epoch.
  StepData masked_step(const Source& source, int64_t k, int64_t turn) const {
    StepData step;
    step.objective = source.objective;
    step.data = source.name;
    std::vector<int64_t> words;
    int64_t tokens = 0;
    const RankRows own = rows_of_rank(source.batch, surroundings.rank, surroundings.ranks);
    for (int64_t i = own.begin; i < own.end; ++i) {
      const auto sequence =
          static_cast<size_t>(stream_row(source.key, source.packed.sequences(), turn * source.batch + i));
      const int64_t first = source.packed.offsets[sequence], last = source.packed.offsets[sequence + 1];
      for (int64_t piece = first; piece < last; ++piece) {
        const PieceTokens text = piece_tokens(source.rows, source.packed.pieces[static_cast<size_t>(piece)], around);
        MaskedText masked = mask_words(text.ids, text.word_starts, *vocabulary, stage.mask_rate,
                                       {.seed = recipe.seed, .step = k, .row = (i << 16) + piece - first});
        for (const int32_t position : masked.positions) step.targets.places.push_back(tokens + position);
        words.insert(words.end(), masked.targets.begin(), masked.targets.end());
        tokens += static_cast<int64_t>(masked.ids.size());
        step.owned.push_back(std::move(masked.ids));
      }
    }
    for (const std::vector<int32_t>& ids : step.owned) {
      step.texts.batch.ids.emplace_back(ids);
      step.texts.batch.adapters.push_back(kNoAdapter);
    }
    step.texts.rows = step.texts.batch.texts();
    step.targets.words = at::tensor(words, at::kLong);
    return step;
  }

  StepData vectors_step(const Source& source, int64_t turn) const {
    const SampledBatch batch = sample_batch(source.sampler, turn);
    const auto rows = static_cast<int64_t>(batch.queries.size());
    const RankRows own = rows_of_rank(rows, surroundings.rank, surroundings.ranks);
    const int64_t negatives = static_cast<int64_t>(batch.negatives.size()) / std::max<int64_t>(1, rows);
    StepData step;
    step.objective = source.objective;
    step.data = source.name;
    step.first_row = batch.rows.front();
    step.texts.rows = own.end - own.begin;
    step.texts.positives = batch.positives.empty() ? 0 : step.texts.rows;
    step.texts.negatives = negatives;
    const auto add = [&](const std::vector<int32_t>& texts, int64_t width, int32_t adapter) {
      for (int64_t i = own.begin * width; i < own.end * width && !texts.empty(); ++i) {
        step.texts.batch.ids.push_back(source.rows.tokens(texts[static_cast<size_t>(i)]));
        step.texts.batch.adapters.push_back(adapter);
      }
    };
    add(batch.queries, 1, source.query_adapter);
    add(batch.positives, 1, source.positive_adapter);
    add(batch.negatives, negatives, source.positive_adapter);
    step.targets.scores = part_of(batch.scores, own, 1, at::kFloat);
    step.targets.labels = part_of(batch.labels, own, 1, at::kLong);
    step.targets.negative_labels = part_of(batch.negative_labels, own, negatives, at::kLong);
    return step;
  }
};

StageData::StageData(const Recipe& recipe, const StageRecipe& stage, const Surroundings& surroundings,
                     DataSource& source)
    : impl_(std::make_unique<Impl>(recipe, stage, surroundings, source)) {}

StageData::~StageData() = default;

const std::vector<DataRecord>& StageData::records() const { return impl_->records; }

StepData StageData::step(int64_t k) const {
  const auto place = static_cast<size_t>(k);
  const Source& source = *impl_->sources[static_cast<size_t>(impl_->schedule.data[place])];
  const int64_t turn = impl_->schedule.turns[place];
  if (is_masked(impl_->stage.objectives[source.objective])) return impl_->masked_step(source, k, turn);
  return impl_->vectors_step(source, turn);
}

TaskInfo find_task(const ModelCard& card, const std::string& name) {
  if (name.empty()) return {};
  const auto task = std::ranges::find(card.tasks, name, &TaskInfo::name);
  if (task != card.tasks.end()) return *task;
  std::string known;
  for (const TaskInfo& other : card.tasks) known += (known.empty() ? "" : ", ") + other.name;
  fail(ErrorKind::kInvalidInput, "task", "the model has no task '{}'; it has: {}", name,
       known.empty() ? "none" : known);
}

}  // namespace jina
