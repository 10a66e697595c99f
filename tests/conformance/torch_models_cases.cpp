#include <ATen/Parallel.h>

#include <filesystem>

#include "models/golden_runs.h"
#include "ops/torch/torch_backend.h"
#include "support/default_model.h"
#include "support/embedding.h"

// Whole models on TorchBackend: the vectors of the reference, as the CPU backend gives them.

namespace jina::test {
namespace {

std::unique_ptr<Backend> torch_backend(DType compute, bool is_training = false, bool is_checkpointing = false) {
  at::set_num_threads(1);
  return std::make_unique<TorchBackend>(
      TorchOptions{.compute = compute, .is_training = is_training, .is_checkpointing = is_checkpointing});
}

class TorchPlainGolden : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Families, TorchPlainGolden, testing::ValuesIn(kPlainGoldens));

TEST_P(TorchPlainGolden, hidden_states_and_embeddings) { expect_plain_golden(GetParam(), torch_backend(DType::kF32)); }

TEST_P(TorchPlainGolden, while_training_with_layers_that_can_be_run_again) {
  expect_plain_golden(GetParam(), torch_backend(DType::kF32, true, true));
}

class TorchTaskGolden : public testing::TestWithParam<TaskCase> {};
INSTANTIATE_TEST_SUITE_P(Families, TorchTaskGolden, testing::ValuesIn(kTaskGoldens));

TEST_P(TorchTaskGolden, every_task_with_and_without_instruction) {
  expect_task_golden(GetParam(), torch_backend(DType::kF32));
}

/// Every text under every task in one batch, so that neighbouring rows use different adapters.
TEST_P(TorchTaskGolden, all_tasks_mixed_in_one_batch) {
  const Golden golden(GetParam().golden);
  const Loaded loaded(std::string(JINA_SOURCE_DIR) + "/tests/golden/models/" + GetParam().model + "/model",
                      torch_backend(DType::kF32));
  const auto runs = golden.expected().at("runs").as_array();
  std::vector<std::vector<int32_t>> rows;
  std::vector<int32_t> adapters;
  std::vector<float> expected;
  const auto texts = runs.front().at("tokens").as_array();
  for (size_t text = 0; text < texts.size(); ++text) {
    for (const Json& run : runs) {
      if (!run.at("instruction").as_string().empty()) continue;
      rows.push_back(int_list(texts[text].at("ids")));
      const auto adapter = run.find("adapter_id");
      adapters.push_back(adapter ? static_cast<int32_t>(adapter->as_int()) : kNoAdapter);
      const Tensor pooled = golden.tensor(std::string(run.at("key").as_string()) + ".pooled");
      const float* row = pooled.row<float>(static_cast<int64_t>(text));
      expected.insert(expected.end(), row, row + pooled.width());
    }
  }
  ASSERT_GT(rows.size(), texts.size());
  std::vector<TokenSpan> spans;
  int64_t begin = 0;
  for (const auto& row : rows) {
    spans.push_back({begin, begin + static_cast<int64_t>(row.size())});
    begin = spans.back().end;
  }
  const Tensor pooled = loaded.backend->mean_pool(loaded.forward(rows, adapters), spans);
  EXPECT_LE(max_difference(pooled.span<float>(), expected), kHiddenTolerance);
}

TEST(TorchBf16, vectors_of_the_default_model_point_where_those_of_f32_do) {
  if (!has_default_model()) GTEST_SKIP() << "absent: " << default_model_directory();
  const Golden golden("all-minilm-l6-v2");
  std::vector<std::vector<int32_t>> rows;
  std::vector<TokenSpan> spans;
  int64_t begin = 0;
  for (const Json& ids : golden.expected().at("ids").as_array()) {
    rows.push_back(int_list(ids));
    spans.push_back({begin, begin + static_cast<int64_t>(rows.back().size())});
    begin = spans.back().end;
  }
  std::vector<Tensor> pooled;
  for (const DType compute : {DType::kF32, DType::kBF16}) {
    const Loaded loaded(default_model_directory(), torch_backend(compute));
    const std::vector<int32_t> adapters(rows.size(), kNoAdapter);
    pooled.push_back(loaded.backend->mean_pool(loaded.forward(rows, adapters), spans));
  }
  EXPECT_GT(max_difference(pooled[0].span<float>(), pooled[1].span<float>()), 0) << "bf16 was in use";
  const auto width = static_cast<size_t>(pooled[0].width());
  for (int64_t text = 0; text < pooled[0].rows(); ++text) {
    EXPECT_GE(cosine({pooled[0].row<float>(text), width}, {pooled[1].row<float>(text), width}), kBf16Cosine) << text;
  }
}

}  // namespace
}  // namespace jina::test
