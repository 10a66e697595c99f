#include "training/stage_run.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "base/pages.h"
#include "base/rng.h"
#include "training/schedule.h"

namespace jina {

namespace {

/// Width of token vectors (ColBERT, jina-embeddings-v4).
constexpr int64_t kTokenVectorWidth = 128;

/// Folders of adapters that train, by the names of their tasks.
std::vector<std::string> trained_patterns(const StageRecipe& stage) {
  std::vector<std::string> patterns = stage.train;
  for (std::string task : stage.tasks) {
    std::ranges::replace_if(
        task, [](char c) { return c == '.' || c == '-'; }, '_');
    patterns.push_back(task + "/*");
  }
  if (patterns.empty()) patterns.emplace_back("*");
  return patterns;
}

bool uses_loss(const StageRecipe& stage, const std::function<bool(const LossRecipe&)>& is_wanted) {
  for (const ObjectiveRecipe& objective : stage.objectives) {
    if (std::ranges::any_of(objective.losses, is_wanted)) return true;
  }
  return false;
}

bool is_masked_words(const LossRecipe& loss) { return loss.name == kMaskedLanguageLoss; }

/// Whether a loss has `column` among those it needs or uses.
bool has_column(const LossRecipe& loss, std::string_view column) {
  if (is_masked_words(loss)) return false;
  const LossColumns columns = columns_of(find_loss(loss.name));
  return std::ranges::count(columns.needed, column) + std::ranges::count(columns.optional, column) > 0;
}

}  // namespace

StageRun::StageRun(RunContext& context, const StageRecipe& stage, std::string directory, const std::string& weights)
    : context_(context),
      stage_(stage),
      directory_(std::move(directory)),
      store_(context.torch.device),
      tokenizer_(Tokenizer::load(directory_ + "/tokenizer.json")) {
  TorchOptions options = context.torch;
  options.is_training = true;
  options.dropout = stage.dropout;
  options.is_checkpointing = stage.checkpointing;
  const ModelCard card = Student(weights, store_, options).card();  // and fills the store
  if (uses_loss(stage, is_masked_words)) {
    word_head_ = std::make_unique<WordHead>(store_, card.vocabulary, context.recipe.seed);
  }
  if (uses_loss(stage, [](const LossRecipe& loss) { return has_column(loss, "query_tokens"); })) {
    token_head_ = std::make_unique<TokenHead>(store_, card.dimensions, kTokenVectorWidth, context.recipe.seed);
  }
  store_.train(trained_patterns(stage), stage.freeze);
  student_ = std::make_unique<Student>(directory_, store_, options);
  optimiser_ = std::make_unique<AdamW>(store_.trained(), stage.optimiser);
  if (context.ranks.size() > 1) {
    std::vector<at::Tensor> leaves;
    for (const Parameter& parameter : optimiser_->parameters()) leaves.push_back(parameter.value);
    sums_ = std::make_unique<GradientSums>(leaves, context.ranks);
  }
  if (!stage.teacher.empty()) {
    teacher_ = std::make_unique<Teacher>(
        stage.teacher,
        Teacher::Options{.torch = context.torch,
                         .most_tokens = stage.teacher_tokens,
                         .cache = fmt::format("{}/cache/rank-{}", context.output, context.ranks.rank())});
  }
  DataSource source(context.recipe, at::get_num_threads());
  data_ = std::make_unique<StageData>(context.recipe, stage,
                                      StageData::Surroundings{.tokenizer = tokenizer_,
                                                              .tokenizer_path = directory_ + "/tokenizer.json",
                                                              .card = student_->card(),
                                                              .cache = context.output + "/cache",
                                                              .rank = context.ranks.rank(),
                                                              .ranks = context.ranks.size()},
                                      source);
  read_evaluations(source);
}

StageRun::~StageRun() = default;

void StageRun::restore(const Checkpoint& checkpoint) {
  take_heads(checkpoint.heads);
  optimiser_->restore(checkpoint.moments, checkpoint.optimiser_steps);
}

void StageRun::take_heads(const std::map<std::string, at::Tensor>& heads) {
  const GradScope scope(false);
  for (const auto& [name, parameter] : store_.all()) {
    const auto found = heads.find(parameter.name);
    if (parameter.folder == kHeadFolder && found != heads.end()) parameter.value.copy_(found->second);
  }
}

std::map<std::string, at::Tensor> StageRun::heads() const {
  std::map<std::string, at::Tensor> result;
  for (const auto& [name, parameter] : store_.all()) {
    if (parameter.folder == kHeadFolder) result.emplace(parameter.name, parameter.value.detach().clone());
  }
  return result;
}

std::vector<LossTerm> StageRun::terms_of(const ObjectiveRecipe& objective) const {
  std::vector<LossTerm> terms;
  for (const LossRecipe& loss : objective.losses) {
    if (!is_masked_words(loss)) terms.push_back({&find_loss(loss.name), loss, stage_.matryoshka});
  }
  return terms;
}

GradientHooks StageRun::hooks_of(const ObjectiveRecipe& objective) {
  GradientHooks hooks;
  if (sums_) hooks.last_backward = [this] { sums_->begin(); };
  const at::ScalarType type = student_->backend().compute_type();
  for (const LossRecipe& loss : objective.losses) {
    if (is_masked_words(loss)) hooks.word_logits = [this, type](const at::Tensor& x) { return (*word_head_)(x, type); };
    if (has_column(loss, "query_tokens")) {
      hooks.token_vectors = [this, type](const at::Tensor& x) { return (*token_head_)(x, type); };
    }
    if (has_column(loss, "teacher_layers")) {
      hooks.teacher_layers = [this](const TextBatch& chunk) { return teacher_->layers(chunk); };
    }
  }
  return hooks;
}

StepReport StageRun::make_step(const TrainingState& state) {
  const auto begin = std::chrono::steady_clock::now();
  StepData data = data_->step(state.step);
  const ObjectiveRecipe& objective = stage_.objectives[data.objective];
  const auto wants_teacher = [](const LossRecipe& loss) { return has_column(loss, "teacher_query"); };
  if (std::ranges::any_of(objective.losses, wants_teacher)) {
    data.targets.teacher_vectors = teacher_->vectors(data.texts.batch);
  }
  optimiser_->clear_gradients();
  const auto stream =
      mix_bits(static_cast<uint64_t>(state.overall) * 4096 + static_cast<uint64_t>(context_.ranks.rank()));
  const StepLoss loss = add_gradients(
      *student_, data.texts, data.targets, terms_of(objective), hooks_of(objective),
      {.chunk_tokens = stage_.chunk_tokens, .seed = context_.recipe.seed, .stream = stream}, context_.ranks);
  if (sums_) sums_->finish();
  const double norm = optimiser_->clip_gradients();
  if (!std::isfinite(loss.total) || !std::isfinite(norm)) {
    const std::vector<std::string> kept = context_.checkpoints.list();
    fail(ErrorKind::kInternal, fmt::format("stage '{}', step {}", stage_.name, state.step + 1),
         "loss {} and gradient norm {} are not finite, on rows of '{}' (batch of step {}, first row {}); nothing was "
         "changed by this step; last good checkpoint: {}",
         loss.total, norm, data.data, state.step + 1, data.first_row, kept.empty() ? "none yet" : kept.back());
  }
  const double factor = schedule_factor(stage_.optimiser, state.step, stage_.steps);
  optimiser_->step(factor);
  StepReport report;
  report.stage = stage_.name;
  report.step = state.step + 1;
  report.steps = stage_.steps;
  report.overall = state.overall + 1;
  report.overall_steps = context_.overall_steps;
  report.loss = loss.total;
  report.terms = loss.terms;
  report.gradient_norm = norm;
  report.learning_rate = stage_.optimiser.learning_rate * factor;
  report.tokens = static_cast<int64_t>(context_.ranks.sum(static_cast<double>(data.texts.batch.tokens())));
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  report.memory_bytes = peak_resident_bytes();
  return report;
}

bool StageRun::run(TrainingState& state) {
  if (state.overall == 0) evaluate(state);
  while (state.step < stage_.steps) {
    const StepReport report = make_step(state);
    ++state.step;
    ++state.overall;
    if (context_.log != nullptr) context_.log->write_step(report);
    if (context_.ranks.rank() == 0 && context_.events.step) context_.events.step(report);
    const bool is_last = state.step == stage_.steps;
    const int64_t every = context_.recipe.evaluate_every;
    if (is_last || (every > 0 && state.step % every == 0)) evaluate(state);
    const bool is_asked = context_.ranks.rank() == 0 && context_.events.is_stopped && context_.events.is_stopped();
    const bool is_stopped = context_.ranks.sum(is_asked ? 1 : 0) > 0;
    if (is_last || is_stopped || state.step % context_.recipe.checkpoint_every == 0) write_checkpoint(state);
    if (is_stopped && !is_last) return false;
  }
  return true;
}

void StageRun::write_checkpoint(const TrainingState& state) {
  if (context_.ranks.rank() == 0) {
    context_.checkpoints.write(state, store_, *optimiser_, directory_, context_.recipe.keep_checkpoints);
  }
  context_.ranks.barrier();
}

void StageRun::write(const std::string& target) const { write_model(store_, directory_, target); }

}  // namespace jina
