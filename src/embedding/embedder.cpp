#include "jina/embedder.h"

#include <mutex>

#include "base/error.h"
#include "embedding/fingerprint.h"
#include "embedding/loader.h"
#include "embedding/plan.h"
#include "embedding/scheduler.h"
#include "nn/pooling.h"
#include "weights/digest.h"

namespace jina {

struct Embedder::Impl {
  std::shared_ptr<const LoadedModel> model;
  std::string digest_cache;
  std::unique_ptr<Scheduler> scheduler;
  std::mutex digest_mutex{};
  std::string digest{};  // of the weights; made when first asked for
};

namespace {

/// The vectors of one input as they leave the program.
Embedding finish_input(const InputPlan& plan, const PooledVectors& pooled, const ModelCard& card,
                       const EmbedOptions& options) {
  Embedding result;
  result.dimensions = options.dimensions == 0 ? card.dimensions : options.dimensions;
  result.values = truncate_and_normalize(pooled, card.dimensions, result.dimensions,
                                         options.normalize && options.kind != VectorKind::kTokens);
  result.vectors = plan.vectors;
  result.spans = plan.spans;
  result.tokens = plan.tokens;
  result.is_truncated = plan.is_truncated;
  return result;
}

std::vector<InputPlan> plan_inputs(const LoadedModel& model, const std::vector<EmbedInput>& inputs,
                                   const EmbedOptions& options) {
  std::vector<InputPlan> plans;
  plans.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    try {
      plans.push_back(plan_input(model.card, *model.tokenizer, inputs[i], options));
    } catch (const Error& error) {
      const std::string where = fmt::format("input {}", i);
      throw Error(error.kind(), error.message(), error.where().empty() ? where : where + ", " + error.where());
    }
  }
  return plans;
}

}  // namespace

Embedder::Embedder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Embedder::Embedder(Embedder&&) noexcept = default;
Embedder& Embedder::operator=(Embedder&&) noexcept = default;
Embedder::~Embedder() = default;

Embedder Embedder::open(const std::string& directory, const OpenOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->model = load_model(directory, options);
  impl->digest_cache = options.digest_cache;
  impl->scheduler = std::make_unique<Scheduler>(
      SchedulerOptions{.token_budget = options.token_budget, .queue_tokens = options.queue_tokens});
  return Embedder(std::move(impl));
}

const ModelInfo& Embedder::info() const { return impl_->model->card; }

std::string Embedder::precision() const { return std::string(to_string(impl_->model->backend->compute_dtype())); }

std::future<std::vector<Embedding>> Embedder::submit(std::vector<EmbedInput> inputs, const EmbedOptions& options,
                                                     std::stop_token stop) const {
  const std::shared_ptr<const LoadedModel> model = impl_->model;
  check_options(model->card, options);
  const auto plans = std::make_shared<const std::vector<InputPlan>>(plan_inputs(*model, inputs, options));
  auto promise = std::make_shared<std::promise<std::vector<Embedding>>>();
  auto future = promise->get_future();
  const auto done = [model, plans, options, promise](std::vector<PooledVectors> pooled, std::exception_ptr error) {
    if (error) {
      promise->set_exception(error);
      return;
    }
    std::vector<Embedding> results;
    results.reserve(plans->size());
    for (size_t i = 0; i < plans->size(); ++i) {
      results.push_back(finish_input((*plans)[i], pooled[i], model->card, options));
    }
    promise->set_value(std::move(results));
  };
  impl_->scheduler->submit({model, plans, std::move(stop), done});
  return future;
}

std::vector<Embedding> Embedder::embed(std::vector<EmbedInput> inputs, const EmbedOptions& options) const {
  return submit(std::move(inputs), options).get();
}

void Embedder::check(const EmbedInput& input, const EmbedOptions& options) const {
  check_options(impl_->model->card, options);
  plan_input(impl_->model->card, *impl_->model->tokenizer, input, options);
}

int64_t Embedder::count_tokens(const EmbedInput& input, const EmbedOptions& options) const {
  const std::string prompt = prompt_of(input, options);
  return static_cast<int64_t>(impl_->model->tokenizer->encode(prompt + input.text).ids.size());
}

std::string Embedder::prompt_of(const EmbedInput& input, const EmbedOptions& options) const {
  return resolve_task(impl_->model->card, input, options).prompt;
}

std::string Embedder::fingerprint(const std::optional<std::string>& task, const EmbedOptions& options) const {
  const std::lock_guard lock(impl_->digest_mutex);
  const ModelCard& card = impl_->model->card;
  if (impl_->digest.empty()) impl_->digest = weights_digest(card.directory, impl_->digest_cache);
  EmbedInput input;
  input.task = task;
  return make_fingerprint(impl_->digest, card, resolve_task(card, input, options), options);
}

}  // namespace jina
