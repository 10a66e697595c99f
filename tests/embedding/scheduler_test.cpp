#include "embedding/scheduler.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <latch>
#include <thread>

#include "base/error.h"
#include "ops/cpu/cpu_backend.h"

namespace jina {
namespace {

/// Hidden state of a token = (id, row's adapter): the pooled vector tells which tokens it was made from. Counts passes
/// and can be held up.
class EchoEncoder final : public Encoder {
 public:
  explicit EchoEncoder(Backend& backend) : backend_(backend) {}

  Tensor forward(const TokenBatch& batch, Capture* /*capture*/) const override {
    if (gate != nullptr) gate->wait();
    std::this_thread::sleep_for(delay);
    passes.push_back(batch.layout);
    if (fails) fail(ErrorKind::kInternal, "echo", "asked to fail");
    Tensor hidden = backend_.buffers().allocate(DType::kF32, {batch.layout.tokens(), 2});
    for (int64_t row = 0; row < batch.layout.rows(); ++row) {
      for (int64_t i = batch.layout.begin(row); i < batch.layout.begin(row) + batch.layout.length(row); ++i) {
        hidden.row<float>(i)[0] = static_cast<float>(batch.ids[static_cast<size_t>(i)]);
        hidden.row<float>(i)[1] = static_cast<float>(batch.adapters.by_row[static_cast<size_t>(row)]);
      }
    }
    return hidden;
  }

  mutable std::vector<PackedLayout> passes;
  std::latch* gate = nullptr;
  bool fails = false;
  std::chrono::milliseconds delay{0};

 private:
  Backend& backend_;
};

struct Fixture {
  std::shared_ptr<LoadedModel> model = std::make_shared<LoadedModel>();
  EchoEncoder* encoder = nullptr;

  Fixture() {
    model->backend = make_cpu_backend({.threads = 1});
    auto echo = std::make_unique<EchoEncoder>(*model->backend);
    encoder = echo.get();
    model->encoder = std::move(echo);
    model->card.dimensions = 2;
  }

  /// A job of rows with the given lengths, ids all equal to `id`.
  std::future<std::vector<PooledVectors>> submit(Scheduler& scheduler, const std::vector<int64_t>& lengths, int32_t id,
                                                 std::stop_token stop = {}) const {
    auto plans = std::make_shared<std::vector<InputPlan>>();
    for (const int64_t length : lengths) {
      InputPlan& plan = plans->emplace_back();
      plan.vectors = 1;
      plan.sequences.push_back({std::vector<int32_t>(static_cast<size_t>(length), id), id, {{0, length, 0}}});
    }
    auto promise = std::make_shared<std::promise<std::vector<PooledVectors>>>();
    scheduler.submit({model, plans, std::move(stop), [promise](auto pooled, const std::exception_ptr& error) {
                        error ? promise->set_exception(error) : promise->set_value(std::move(pooled));
                      }});
    return promise->get_future();
  }
};

TEST(Scheduler, MixesJobsInOnePassWithinTheBudget) {
  Fixture fixture;
  std::latch gate(1);
  fixture.encoder->gate = &gate;
  Scheduler scheduler({.token_budget = 10});
  auto first = fixture.submit(scheduler, {9}, 1);  // occupies the executor until the gate opens
  auto bulk = fixture.submit(scheduler, {4, 4, 4, 4}, 2);
  auto query = fixture.submit(scheduler, {3}, 3);
  gate.count_down();
  EXPECT_EQ(first.get()[0], (PooledVectors{1, 1}));
  EXPECT_EQ(query.get()[0], (PooledVectors{3, 3}));
  for (const PooledVectors& vector : bulk.get()) EXPECT_EQ(vector, (PooledVectors{2, 2}));
  for (const PackedLayout& pass : fixture.encoder->passes) EXPECT_LE(pass.tokens(), 10);
}

TEST(Scheduler, AShortQueryDoesNotWaitForABulkJob) {
  Fixture fixture;
  std::latch gate(1);
  fixture.encoder->gate = &gate;
  Scheduler scheduler({.token_budget = 10});
  auto first = fixture.submit(scheduler, {9}, 1);
  auto bulk = fixture.submit(scheduler, std::vector<int64_t>(100, 5), 2);
  auto query = fixture.submit(scheduler, {3}, 3);
  gate.count_down();
  query.get();
  bulk.get();
  // Pass 0 is the first job (alone or with bulk rows); the query's three tokens must be in the next one or two.
  bool is_early = false;
  for (size_t pass = 0; pass < 3; ++pass) {
    const PackedLayout& layout = fixture.encoder->passes[pass];
    for (int64_t row = 0; row < layout.rows(); ++row) is_early = is_early || layout.length(row) == 3;
  }
  EXPECT_TRUE(is_early);
}

TEST(Scheduler, AnOversizedRowGoesAlone) {
  Fixture fixture;
  Scheduler scheduler({.token_budget = 10});
  EXPECT_EQ(fixture.submit(scheduler, {2, 50, 2}, 7).get().size(), 3u);
}

TEST(Scheduler, PartsOfOneVectorAreWeightedByTheirTokens) {
  Fixture fixture;
  Scheduler scheduler({.token_budget = 10});
  auto plans = std::make_shared<std::vector<InputPlan>>(1);
  InputPlan& plan = plans->front();
  plan.vectors = 1;
  plan.sequences = {{{6, 6, 6}, 0, {{0, 3, 0}}}, {{2}, 0, {{0, 1, 0}}}};
  std::promise<std::vector<PooledVectors>> promise;
  scheduler.submit({fixture.model, plans, {}, [&](auto pooled, const auto&) { promise.set_value(pooled); }});
  EXPECT_EQ(promise.get_future().get()[0][0], 5.0F);  // (6 + 6 + 6 + 2) / 4
}

TEST(Scheduler, CancelledRowsAreNotComputed) {
  Fixture fixture;
  std::latch gate(1);
  fixture.encoder->gate = &gate;
  Scheduler scheduler({.token_budget = 10});
  auto first = fixture.submit(scheduler, {9}, 1);
  std::stop_source stop;
  auto dropped = fixture.submit(scheduler, std::vector<int64_t>(50, 9), 2, stop.get_token());
  stop.request_stop();
  gate.count_down();
  first.get();
  try {
    dropped.get();
    ADD_FAILURE() << "expected kCancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
  EXPECT_LE(fixture.encoder->passes.size(), 2u);
}

TEST(Scheduler, AFullQueueRefusesAtOnce) {
  Fixture fixture;
  std::latch gate(1);
  fixture.encoder->gate = &gate;
  Scheduler scheduler({.token_budget = 10, .queue_tokens = 30});
  auto first = fixture.submit(scheduler, {9}, 1);
  auto second = fixture.submit(scheduler, {9, 9}, 2);
  bool is_refused = false;
  try {
    fixture.submit(scheduler, {9, 9}, 3);
  } catch (const Error& error) {
    is_refused = error.kind() == ErrorKind::kOverloaded;
  }
  gate.count_down();
  first.get();
  second.get();
  EXPECT_TRUE(is_refused);
}

TEST(Scheduler, AFailedPassFailsItsJobsAndOnlyThem) {
  Fixture fixture;
  fixture.encoder->fails = true;
  Scheduler scheduler({.token_budget = 10});
  EXPECT_THROW(fixture.submit(scheduler, {3, 3, 9, 9}, 1).get(), Error);
  fixture.encoder->fails = false;
  EXPECT_EQ(fixture.submit(scheduler, {3}, 4).get()[0][0], 4.0F);
}

TEST(Scheduler, StoppingFailsWhatWaits) {
  Fixture fixture;
  fixture.encoder->delay = std::chrono::milliseconds(5);  // a thousand passes would take five seconds
  std::future<std::vector<PooledVectors>> waiting;
  {
    Scheduler scheduler({.token_budget = 10});
    auto first = fixture.submit(scheduler, {9}, 1);
    waiting = fixture.submit(scheduler, std::vector<int64_t>(1000, 9), 2);
    first.get();
  }
  EXPECT_THROW(waiting.get(), Error);
  EXPECT_LT(fixture.encoder->passes.size(), 1000u);
}

}  // namespace
}  // namespace jina
