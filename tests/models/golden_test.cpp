#include "models/golden_runs.h"
#include "ops/cpu/cpu_backend.h"

namespace jina::test {
namespace {

class PlainGolden : public testing::TestWithParam<const char*> {};

TEST_P(PlainGolden, HiddenStatesAndEmbeddings) { expect_plain_golden(GetParam(), make_cpu_backend({.threads = 2})); }

INSTANTIATE_TEST_SUITE_P(Families, PlainGolden, testing::ValuesIn(kPlainGoldens));

class TaskGolden : public testing::TestWithParam<TaskCase> {};

TEST_P(TaskGolden, EveryTaskWithAndWithoutInstruction) {
  expect_task_golden(GetParam(), make_cpu_backend({.threads = 2}));
}

INSTANTIATE_TEST_SUITE_P(Families, TaskGolden, testing::ValuesIn(kTaskGoldens));

}  // namespace
}  // namespace jina::test
