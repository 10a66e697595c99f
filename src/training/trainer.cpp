#include "training/trainer.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/sha256.h"
#include "ops/cpu/cpu_backend.h"
#include "training/data/data_source.h"
#include "training/initialise.h"
#include "training/report.h"
#include "training/stage_run.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

std::string digest_of(const std::string& text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

/// The device of this rank: launchers show each rank its own device, or all of them to all ranks of the machine.
at::Device cuda_device(const Communicator& ranks) {
  const size_t devices = std::max<size_t>(1, at::getNumGPUs());
  return {at::kCUDA, static_cast<at::DeviceIndex>(static_cast<size_t>(ranks.local_rank()) % devices)};
}

TorchOptions torch_options(const Recipe& recipe, const Communicator& ranks) {
  TorchOptions options;
  const bool is_cuda = recipe.device == "cuda" || (recipe.device == "auto" && at::hasCUDA());
  options.device = is_cuda ? cuda_device(ranks) : at::Device(at::kCPU);
  const bool is_narrow = recipe.precision == "bf16" || (recipe.precision == "auto" && (is_cuda || has_fast_bf16()));
  options.compute = is_narrow ? DType::kBF16 : DType::kF32;
  return options;
}

void check_all_losses(const Recipe& recipe) {
  std::vector<LossForm> known;
  for (const LossEntry& entry : all_losses()) {
    LossForm& form = known.emplace_back(LossForm{entry.name, entry.columns, {}});
    for (const LossOption& option : entry.options) form.options.push_back(option.name);
  }
  check_losses(recipe, known);
}

class Run {
 public:
  Run(const TrainRequest& request, const TrainingEvents& events, Communicator& ranks)
      : request_(request),
        recipe_(
            read_recipe(request.recipe, request.overrides, {.checks_files = true, .find_model = request.find_model})),
        events_(events),
        ranks_(ranks),
        output_(request.output.empty() ? recipe_.output : request.output) {
    check_all_losses(recipe_);
    last_stage_ = request.last_stage.empty() ? stages() - 1 : find_stage(request.last_stage);
    if (recipe_.threads > 0) at::set_num_threads(recipe_.threads);
  }

  void run() {
    if (request_.is_dry_run) return plan();
    start();
    for (; state_.stage_index <= last_stage_; ++state_.stage_index) {
      const StageRecipe& stage = recipe_.stages[static_cast<size_t>(state_.stage_index)];
      if (!run_stage(stage)) {
        context_->tell(fmt::format("stopped after step {}; go on with --resume", state_.overall));
        return write_report();
      }
      state_.step = 0;
    }
    if (ranks_.rank() == 0) write_report();
    context_->tell(fmt::format("done: {}", model_after(last_stage_)));
  }

 private:
  int64_t stages() const { return static_cast<int64_t>(recipe_.stages.size()); }
  std::string path(const std::string& name) const { return output_ + "/" + name; }

  /// What --dry-run shows: model, data and plan, nothing written but the cache of tokens.
  void plan() {
    fs::create_directories(path("cache"));
    make_context();
    DataSource source(recipe_, at::get_num_threads());
    for (const StageRecipe& stage : recipe_.stages) {
      context_->tell(fmt::format("stage '{}' ({}): {} steps of {} rows, up to {} tokens, learning rate {:g}",
                                 stage.name, stage.kind, stage.steps, stage.batch, stage.max_tokens,
                                 stage.optimiser.learning_rate));
      const ModelDirectory directory = ModelDirectory::open(recipe_.model.from);
      const Tokenizer tokenizer = Tokenizer::load(directory.file("tokenizer.json"));
      ModelCard card = read_card(directory, "");
      card.tasks.clear();
      for (const std::string& task : stage.tasks) card.tasks.push_back({.name = task, .prompt = {}, .adapter = 0});
      const StageData data(recipe_, stage,
                           {.tokenizer = tokenizer,
                            .tokenizer_path = directory.file("tokenizer.json"),
                            .card = card,
                            .cache = path("cache"),
                            .rank = 0,
                            .ranks = 1},
                           source);
      for (const DataRecord& record : data.records()) context_->tell(describe(record));
    }
  }

  static std::string describe(const DataRecord& record) {
    std::string line = fmt::format("  {}:", record.name);
    for (const auto& [name, value] : record.numbers) line += fmt::format(" {} {:.0f},", name, value);
    for (const auto& [filter, count] : record.removed) line += fmt::format(" {} removed ({}),", count, filter);
    line.back() = '.';
    for (const std::string& note : record.notes) line += "\n    " + note;
    return line;
  }

  void make_context() {
    int64_t steps = 0;
    for (int64_t i = 0; i <= last_stage_; ++i) steps += recipe_.stages[static_cast<size_t>(i)].steps;
    checkpoints_.emplace(path("checkpoints"));
    context_.emplace(RunContext{.recipe = recipe_,
                                .events = events_,
                                .ranks = ranks_,
                                .log = nullptr,
                                .checkpoints = *checkpoints_,
                                .output = output_,
                                .torch = torch_options(recipe_, ranks_),
                                .overall_steps = steps});
  }

  void start() {
    fs::create_directories(output_);
    make_context();
    const auto notice = [this](const std::string& line) { context_->tell(line); };
    checkpoint_ = checkpoints_->newest(notice);
    if (checkpoint_ && !request_.is_resumed) {
      fail(ErrorKind::kInvalidInput, output_,
           "there is a run in this directory already, at step {}: go on with it "
           "(--resume) or name another directory (-o)",
           checkpoint_->state.overall);
    }
    state_.recipe = digest_of(recipe_.text);
    state_.threads = at::get_num_threads();
    if (checkpoint_) {
      take_up();
    } else if (ranks_.rank() == 0) {
      begin();
    }
    ranks_.barrier();
    if (ranks_.rank() != 0) return;
    log_.emplace(checkpoint_ ? RunLog::resume(path("log.jsonl"), state_.overall) : RunLog::create(path("log.jsonl")));
    context_->log = &*log_;
    if (log_->is_new()) {
      log_->write_start({{"recipe_sha256", state_.recipe},
                         {"device", context_->torch.device.str()},
                         {"precision", std::string(to_string(context_->torch.compute))},
                         {"threads", std::to_string(state_.threads)},
                         {"ranks", std::to_string(ranks_.size())}});
    }
  }

  void take_up() {
    if (checkpoint_->state.recipe != state_.recipe) {
      fail(ErrorKind::kInvalidInput, checkpoint_->path,
           "this checkpoint is of another recipe (or other --set): name another directory (-o), or give the recipe in "
           "{}",
           path("recipe.toml"));
    }
    if (checkpoint_->state.threads != state_.threads) {
      context_->tell(
          fmt::format("the checkpoint was computed with {} threads, now there are {}: results will differ in "
                      "their last bits from an uninterrupted run",
                      checkpoint_->state.threads, state_.threads));
    }
    const int threads = state_.threads;
    state_ = checkpoint_->state;
    state_.threads = threads;
    context_->tell(
        fmt::format("resuming after step {} (stage '{}', step {})", state_.overall, state_.stage, state_.step));
  }

  void begin() {
    AtomicFile file(path("recipe.toml"));
    file.write(recipe_.text);
    file.commit();
    const InitialiseReport report = initialise_model(recipe_.model, recipe_.seed, path("initial"), align_texts());
    context_->tell(fmt::format("model of {} parameters in {}", report.parameters, path("initial")));
    if (report.heads) {
      context_->tell(
          fmt::format("heads aligned on {} texts: slow half of the dimensions had {:.1f} % of the score energy, "
                      "has {:.1f} %",
                      report.texts, 100 * report.heads->slow_before, 100 * report.heads->slow_after));
    }
  }

  std::vector<std::string> align_texts() const {
    std::vector<std::string> texts;
    if (recipe_.model.initialise != Initialise::kRotary || !recipe_.model.align_heads) return texts;
    const auto data = std::ranges::find(recipe_.data, recipe_.model.align_data, &DataRecipe::name);
    if (data == recipe_.data.end()) {
      fail(ErrorKind::kInvalidInput, "model.align_data", "expected the name of a [[data]], found '{}'",
           recipe_.model.align_data);
    }
    DataRecipe unfiltered = *data;
    unfiltered.is_filtered = false;
    RowNotes notes;
    const DataRows rows = DataSource(recipe_, at::get_num_threads()).rows(unfiltered, notes);
    for (int32_t i = 0; i < rows.texts.size() && i < recipe_.model.align_texts; ++i) texts.emplace_back(rows.texts[i]);
    return texts;
  }

  int64_t find_stage(const std::string& name) const {
    const auto stage = std::ranges::find(recipe_.stages, name, &StageRecipe::name);
    if (stage == recipe_.stages.end()) {
      fail(ErrorKind::kInvalidArgument, "--until", "expected the name of a stage of the recipe, found '{}'", name);
    }
    return stage - recipe_.stages.begin();
  }

  /// The model directory that stage `index` leaves behind, and the next one starts from.
  std::string model_after(int64_t index) const {
    return index + 1 == stages() ? path("model") : path(fmt::format("stage-{}", index + 1));
  }

  bool run_stage(const StageRecipe& stage) {
    const std::string first = state_.stage_index == 0 ? path("initial") : model_after(state_.stage_index - 1);
    if (ranks_.rank() == 0 && !stage.tasks.empty()) {
      create_adapters(first,
                      {.tasks = stage.tasks, .rank = stage.lora_rank, .alpha = stage.lora_alpha, .seed = recipe_.seed});
    }
    ranks_.barrier();
    const bool is_within = checkpoint_ && checkpoint_->state.stage_index == state_.stage_index && state_.step > 0;
    StageRun run(*context_, stage, first, is_within ? checkpoint_->model() : first);
    if (is_within) {
      run.restore(*checkpoint_);
    } else if (!heads_.empty()) {
      run.take_heads(heads_);
    }
    state_.stage = stage.name;
    if (context_->log != nullptr && !is_within) {
      for (const DataRecord& record : run.records()) {
        context_->log->write_data(record);
        context_->tell(describe(record));
      }
    }
    if (!run.run(state_)) return false;
    heads_ = run.heads();
    if (ranks_.rank() == 0) run.write(model_after(state_.stage_index));
    ranks_.barrier();
    checkpoint_.reset();
    return true;
  }

  void write_report() const {
    if (ranks_.rank() != 0) return;
    jina::write_report(path("log.jsonl"), path("report.html"),
                       {.title = fs::path(output_).filename().string(), .recipe = recipe_.text});
  }

  const TrainRequest& request_;
  Recipe recipe_;
  const TrainingEvents& events_;
  Communicator& ranks_;
  std::string output_;
  std::optional<Checkpoints> checkpoints_;
  std::optional<RunContext> context_;
  std::optional<RunLog> log_;
  std::optional<Checkpoint> checkpoint_;
  std::map<std::string, at::Tensor> heads_;
  int64_t last_stage_ = 0;
  TrainingState state_;
};

}  // namespace

void train(const TrainRequest& request, const TrainingEvents& events, Communicator& ranks) {
  Run(request, events, ranks).run();
}

}  // namespace jina
