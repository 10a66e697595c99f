#include <ATen/ATen.h>

#include <algorithm>

#include "nn/pooling.h"
#include "training/data/encode_text.h"
#include "training/data/masking.h"
#include "training/losses/masked_token.h"
#include "training/stage_run.h"

namespace jina {

namespace {

/// Tokens of one forward pass when texts are only embedded.
constexpr int64_t kEmbedTokens = 16384;
/// Words that are hidden when a model is judged by guessing them (BERT's share, whatever it was trained with).
constexpr double kEvaluationMaskRate = 0.15;

DataRecipe data_of(const EvaluationRecipe& evaluation, const Recipe& recipe) {
  if (!evaluation.data.empty()) return find_data(recipe, evaluation.data);
  DataRecipe file;
  file.name = evaluation.name;
  file.files = {evaluation.file};
  file.columns = evaluation.columns;
  file.is_filtered = false;
  return file;
}

EvaluationRows to_evaluation_rows(const DataRows& data) {
  EvaluationRows rows;
  for (const int32_t text : data.queries) rows.queries.emplace_back(data.texts[text]);
  for (const int32_t text : data.positives) rows.positives.emplace_back(data.texts[text]);
  for (const int32_t text : data.negatives) rows.negatives.emplace_back(data.texts[text]);
  rows.negative_offsets = data.negative_offsets;
  rows.scores.assign(data.scores.begin(), data.scores.end());
  return rows;
}

/// Unit vectors of texts under a task, cut to `dimensions` (0: all): (texts, dimensions).
std::vector<float> embed_texts(Student& student, const Tokenizer& tokenizer, const std::vector<std::string>& texts,
                               const TaskInfo& task, int64_t dimensions) {
  std::vector<std::vector<int32_t>> ids;
  for (const std::string& text : texts) {
    ids.push_back(tokenizer.encode(task.prompt + text, {.max_length = student.card().max_tokens}).ids);
  }
  TextBatch batch;
  for (const std::vector<int32_t>& text : ids) {
    batch.ids.emplace_back(text);
    batch.adapters.push_back(task.adapter);
  }
  const int64_t width = student.card().dimensions;
  const int64_t kept = dimensions == 0 ? width : std::min(dimensions, width);
  std::vector<float> result(texts.size() * static_cast<size_t>(kept));
  for (const std::vector<int64_t>& chunk : chunks_by_length(batch, kEmbedTokens)) {
    const at::Tensor pooled = student.encode(batch.part(chunk), {}).pooled.to(at::kCPU, at::kFloat).contiguous();
    const std::vector<float> unit =
        truncate_and_normalize({pooled.data_ptr<float>(), static_cast<size_t>(pooled.numel())}, width, kept, true);
    for (size_t i = 0; i < chunk.size(); ++i) {
      std::copy_n(unit.data() + static_cast<int64_t>(i) * kept, kept, result.data() + chunk[i] * kept);
    }
  }
  return result;
}

bool has_tasks_of(const ModelCard& card, const EvaluationRecipe& evaluation) {
  const auto is_there = [&](const std::string& task) {
    return task.empty() || std::ranges::find(card.tasks, task, &TaskInfo::name) != card.tasks.end();
  };
  return is_there(evaluation.query_task) && is_there(evaluation.positive_task);
}

/// Smaller is better for a loss, larger for a score.
bool is_better(const EvaluationRecipe& evaluation, double value, double best) {
  return evaluation.metric == "mlm_loss" ? value < best : value > best;
}

}  // namespace

/// Now, so that what is wrong with them ends the stage before its first step.
void StageRun::read_evaluations(DataSource& source) {
  if (context_.ranks.rank() != 0) return;
  for (const EvaluationRecipe& evaluation : context_.recipe.evaluations) {
    if (!has_tasks_of(student_->card(), evaluation)) continue;
    RowNotes notes;
    evaluation_rows_[evaluation.name] = to_evaluation_rows(source.rows(data_of(evaluation, context_.recipe), notes));
  }
}

/// Cross entropy of masked words of the texts, always the same ones masked.
double StageRun::masked_loss(const EvaluationRows& rows) {
  if (!word_head_) word_head_ = std::make_unique<WordHead>(store_, student_->card().vocabulary, context_.recipe.seed);
  const MaskVocabulary vocabulary = find_mask_vocabulary(tokenizer_);
  double sum = 0, places = 0;
  for (size_t i = 0; i < rows.queries.size(); ++i) {
    const Encoding encoding = encode_start(tokenizer_, rows.queries[i], {.max_length = student_->card().max_tokens});
    const MaskedText text = mask_words(encoding.ids, encoding.word_starts, vocabulary, kEvaluationMaskRate,
                                       {.seed = 0, .step = 0, .row = static_cast<int64_t>(i)});
    if (text.positions.empty()) continue;
    TextBatch batch{.ids = {text.ids}, .adapters = {kNoAdapter}};
    const at::Tensor states = student_->encode(batch, {.pooled = false, .states = true}).states;
    const at::Tensor picked = states.index_select(
        0, at::tensor(std::vector<int64_t>(text.positions.begin(), text.positions.end())).to(states.device()));
    const at::Tensor words =
        at::tensor(std::vector<int64_t>(text.targets.begin(), text.targets.end())).to(states.device());
    const auto count = static_cast<double>(text.positions.size());
    sum += masked_token_loss((*word_head_)(picked, student_->backend().compute_type()), words).item<double>() * count;
    places += count;
  }
  return places > 0 ? sum / places : 0;
}

void StageRun::evaluate(TrainingState& state) {
  const GradScope scope(false);
  student_->backend().set_training(false);
  for (const EvaluationRecipe& evaluation : context_.recipe.evaluations) {
    if (!has_tasks_of(student_->card(), evaluation)) continue;  // a later stage makes them
    double value = 0;
    if (context_.ranks.rank() == 0) {
      const auto embed = [&](const std::vector<std::string>& texts, const std::string& task) {
        return embed_texts(*student_, tokenizer_, texts, find_task(student_->card(), task), evaluation.dimensions);
      };
      const EvaluationRows& rows = evaluation_rows_.at(evaluation.name);
      value = evaluation.metric == "mlm_loss" ? masked_loss(rows) : context_.events.evaluate(evaluation, rows, embed);
      context_.tell(
          fmt::format("{} after step {}: {} {:.4f}", evaluation.name, state.overall, evaluation.metric, value));
    }
    if (context_.log != nullptr) {
      context_.log->write_evaluation({.name = evaluation.name,
                                      .metric = evaluation.metric,
                                      .stage = stage_.name,
                                      .overall = state.overall,
                                      .value = value});
    }
    if (!evaluation.keeps_best || context_.ranks.rank() != 0) continue;
    const auto [best, is_first] = state.best.try_emplace(evaluation.name, value);
    if (!is_first && !is_better(evaluation, value, best->second)) continue;
    best->second = value;
    write(fmt::format("{}/best-{}", context_.output, evaluation.name));
  }
  student_->backend().set_training(true);
  context_.ranks.barrier();
}

}  // namespace jina
