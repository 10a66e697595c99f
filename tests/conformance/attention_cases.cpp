#include <cmath>
#include <cstring>
#include <limits>

#include "conformance/attention_problem.h"
#include "ops/cpu/attention_kernels.h"

// Attention of each backend (attention_problem.h), and what the CPU's kernels promise beyond.
namespace jina::test {
namespace {

bool is_same(const Tensor& a, const Tensor& b) {
  for (int64_t r = 0; r < a.rows(); ++r)
    if (std::memcmp(a.raw() + r * a.row_stride() * size_of(a.dtype()),
                    b.raw() + r * b.row_stride() * size_of(b.dtype()),
                    static_cast<size_t>(a.width() * size_of(a.dtype()))) != 0)
      return false;
  return true;
}

class AttentionTest : public testing::TestWithParam<BackendCase> {
 protected:
  void SetUp() override {
    if (!is_torch() && type() == DType::kBF16 && !has_fast_bf16()) GTEST_SKIP() << "this processor has no avx512_bf16";
  }
  DType type() const { return GetParam().compute; }
  bool is_torch() const { return GetParam().device == Device::kTorch; }
  /// Largest error allowed, relative to the largest value: design tolerance of f32 attention; bf16 rounds weights and
  /// results to 8 bits.
  double tolerance() const {
    if (type() == DType::kF64) return 1e-12;
    return type() == DType::kF32 ? 1e-5 : 1e-2;
  }
  Case on_backend(Case c) const {
    c.dtype = type();
    c.device = GetParam().device;
    return c;
  }
  void expect_right(const Case& c, int64_t step = 1) const {
    const Problem problem(on_backend(c));
    EXPECT_LE(problem.error(problem.run(), step), tolerance()) << name_of(c);
  }
};

/// What only the engine's own kernels promise.
class CpuAttentionTest : public AttentionTest {};

const std::vector<int64_t> kMixedLengths = {1, 0, 17, 5, 64, 130, 0, 48, 2, 200, 16, 33, 97};

TEST_P(AttentionTest, MatchesFloat64ForMixedLengthsAndEveryHeadSize) {
  for (const int64_t dim : {8, 12, 16, 32, 40, 64, 80, 128})
    for (const auto kind : {Case::kPlain, Case::kAlibi, Case::kRotary})
      expect_right({.lengths = kMixedLengths, .heads = 3, .dim = dim, .kind = kind, .threads = 2}, 3);
}

TEST_P(AttentionTest, MatchesFloat64ForOddHeadSizes) {
  for (const int64_t dim : {1, 3, 7, 33}) expect_right({.lengths = {1, 20, 70}, .heads = 3, .dim = dim});
}

TEST_P(AttentionTest, MatchesFloat64OnEveryLengthUpToThreeBlocks) {
  std::vector<int64_t> lengths;
  for (int64_t n = 1; n <= 150; ++n) lengths.push_back(n);
  for (const auto kind : {Case::kAlibi, Case::kRotary})
    expect_right({.lengths = lengths, .heads = 1, .dim = 16, .kind = kind}, 5);
}

TEST_P(AttentionTest, MatchesFloat64OnLongRows) {
  for (const auto kind : {Case::kPlain, Case::kAlibi, Case::kRotary}) {
    expect_right({.lengths = {2500, 12, 700}, .heads = 4, .dim = 64, .kind = kind, .threads = 2}, 97);
  }
  expect_right({.lengths = {2500}, .heads = 12, .dim = 32, .kind = Case::kAlibi, .threads = 3}, 211);
}

TEST_P(AttentionTest, HoldsForSharpSoftmaxAndTinyValues) {
  // Scores reach hundreds: float64 of the same inputs and f32 differ by rounding of the scores themselves.
  const Problem problem(on_backend({.lengths = {300}, .heads = 2, .dim = 64, .spread = 4}));
  EXPECT_LE(problem.error(problem.run()), type() == DType::kF32 ? 1e-4 : tolerance());
  // Denormal inputs are flushed: the results are those of zeros, never NaN.
  const Problem tiny(on_backend({.lengths = {40}, .heads = 2, .dim = 64, .spread = 1e-39F}));
  const Tensor result = tiny.run();
  for (int64_t t = 0; t < 40; ++t)
    for (int64_t i = 0; i < 128; ++i) ASSERT_LE(std::abs(element(result, t, i)), 1e-37F);
}

TEST_P(CpuAttentionTest, KeysOfLargeNormCountHoweverFar) {
  constexpr double kFar = 45;  // a careless skip by distance alone
  const Case c = on_backend({.lengths = {2500}, .heads = 12, .dim = 64, .kind = Case::kAlibi, .threads = 2});
  Problem problem(c);
  for (int64_t head = 0; head < c.heads; ++head) {
    for (const int64_t key : {3, 2490}) {
      // Along query 1250, long enough to outweigh the bias of more than a thousand tokens.
      double square = 0;
      for (int64_t d = 0; d < c.dim; ++d) square += std::pow(problem.get(0, 1250, head * c.dim + d), 2);
      const double wanted = 8 * (1300 * static_cast<double>(alibi_slopes(12)[static_cast<size_t>(head)]) + 3) / square;
      for (int64_t d = 0; d < c.dim; ++d)
        problem.put(1, key, head * c.dim + d, static_cast<float>(wanted) * problem.get(0, 1250, head * c.dim + d));
    }
  }
  const Tensor result = problem.run();
  // Scores reach thousands here; their f32 rounding alone is 1e-4 of a weight.
  EXPECT_LE(problem.error(result, 50), type() == DType::kF32 ? 1e-3 : 3e-2);
  EXPECT_GE(problem.error(result, 50, kFar), 0.1) << "the far keys must matter, or this test shows nothing";
}

TEST_P(CpuAttentionTest, SkippingFarBlocksChangesNoBitThatRoundingKeeps) {
  // Steep slopes skip nearly everything of the long row, and nothing of the short ones.
  const Problem problem(on_backend({.lengths = {3000}, .heads = 8, .dim = 32, .kind = Case::kAlibi}));
  EXPECT_LE(problem.error(problem.run(), 37), type() == DType::kF32 ? 2e-6 : tolerance());
}

TEST_P(AttentionTest, ResultsDoNotDependOnOtherRows) {
  for (const auto kind : {Case::kPlain, Case::kAlibi, Case::kRotary}) {
    const Problem problem(on_backend({.lengths = {90, 2100, 7, 0, 300}, .heads = 4, .dim = 32, .kind = kind}));
    const Tensor result = problem.run();
    const auto backend = make_backend({.device = GetParam().device, .compute = type()});
    for (int64_t row = 0; row < problem.layout().rows(); ++row) {
      PackedLayout alone;
      alone.append(problem.layout().length(row));
      const int64_t begin = problem.layout().begin(row), end = begin + alone.tokens();
      const AttentionInputs all = problem.views(problem.fused());
      const Tensor own = backend->attention(
          {all.query.rows(begin, end), all.key.rows(begin, end), all.value.rows(begin, end)}, alone, problem.options());
      if (is_torch()) {
        expect_near(result.rows(begin, end), matrix_of(own), {tolerance(), tolerance()}, "row alone");
      } else {
        EXPECT_TRUE(is_same(result.rows(begin, end), own)) << "row " << row;
      }
    }
  }
}

TEST_P(CpuAttentionTest, ResultsDoNotDependOnThreads) {
  for (const auto kind : {Case::kPlain, Case::kAlibi, Case::kRotary}) {
    const Problem problem(on_backend({.lengths = {90, 2100, 7, 0, 300}, .heads = 4, .dim = 32, .kind = kind}));
    const Tensor result = problem.run_with(1);
    EXPECT_TRUE(is_same(result, problem.run_with(2)));
    EXPECT_TRUE(is_same(result, problem.run_with(3)));
  }
}

TEST_P(CpuAttentionTest, TakesTheQuerysPlaceOnlyWhenNobodyElseHoldsIt) {
  const Problem problem(
      on_backend({.lengths = {70, 3, 400}, .heads = 4, .dim = 16, .kind = Case::kRotary, .threads = 2}));
  const auto backend = make_cpu_backend({.threads = 2, .compute = type()});
  const Tensor expected = backend->attention(problem.views(problem.fused()), problem.layout(), problem.options());
  EXPECT_FALSE(expected.shares_memory_with(problem.fused()));

  Tensor copy = make_tensor(type(), problem.fused().shape());
  std::memcpy(copy.raw(), problem.fused().raw(), copy.bytes());
  std::byte* const memory = copy.raw();
  AttentionInputs inputs = problem.views(copy);
  const std::byte* const query = inputs.query.raw();
  copy = Tensor();
  const Tensor result = backend->attention(std::move(inputs), problem.layout(), problem.options());
  EXPECT_EQ(result.raw(), query);
  EXPECT_TRUE(is_same(result, expected));
  // Everything but the query's columns is as it was: guards, keys and values.
  const auto size = static_cast<size_t>(size_of(type()));
  const Tensor& before = problem.fused();
  for (int64_t t = 0; t < before.rows(); ++t) {
    for (int64_t i = 0; i < before.width(); ++i) {
      const bool is_query = t > 0 && t <= problem.layout().tokens() && i > 0 && i <= problem.width();
      const size_t at = static_cast<size_t>(t * before.row_stride() + i) * size;
      if (is_query) continue;
      ASSERT_EQ(std::memcmp(memory + at, before.raw() + at, size), 0) << t << ", " << i;
    }
  }
}

TEST_P(CpuAttentionTest, KeepsKeysThatAreTheQueriesToo) {
  const Problem problem(on_backend({.lengths = {60}, .heads = 2, .dim = 16}));
  Tensor copy = make_tensor(type(), problem.fused().shape());
  std::memcpy(copy.raw(), problem.fused().raw(), copy.bytes());
  AttentionInputs inputs = problem.views(copy);
  inputs.key = inputs.query;
  copy = Tensor();
  const std::byte* const query = inputs.query.raw();
  const auto backend = make_cpu_backend({.threads = 1, .compute = type()});
  EXPECT_NE(backend->attention(std::move(inputs), problem.layout(), problem.options()).raw(), query);
}

TEST_P(AttentionTest, ShowsNaNInsteadOfHidingIt) {
  Problem problem(on_backend({.lengths = {100, 20}, .heads = 1, .dim = 16}));
  problem.put(1, 50, 3, std::numeric_limits<float>::quiet_NaN());
  const Tensor result = problem.run();
  EXPECT_TRUE(std::isnan(element(result, 0, 0)));
  EXPECT_FALSE(std::isnan(element(result, 100, 0)));  // the other row
}

TEST_P(AttentionTest, NoTokensGiveNoTokens) {
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{}, std::vector<int64_t>{0, 0}}) {
    const Problem problem(on_backend({.lengths = lengths, .heads = 2, .dim = 16}));
    EXPECT_EQ(problem.run().rows(), 0);
  }
}

/// Kernels that this processor can run but would not choose.
TEST(AttentionKernelsTest, EveryInstructionSetMatchesFloat64) {
  std::vector<const AttentionKernels*> all = {&kAttentionBaseline};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back(&kAttentionAvx2);
  if (select_attention_kernels(DType::kF32) == &kAttentionAvx512) all.push_back(&kAttentionAvx512);
  ThreadPool threads(2);
  TensorPool buffers;
  for (const auto kind : {Case::kPlain, Case::kAlibi, Case::kRotary}) {
    for (const int64_t dim : {12, 32, 64}) {
      const Case c{.lengths = {1, 5, 130, 0, 64, 1200}, .heads = 2, .dim = dim, .kind = kind};
      const Problem problem(c);
      for (size_t i = 0; i < all.size(); ++i) {
        const Tensor out = make_tensor(DType::kF32, {problem.layout().tokens(), problem.width()});
        attend(*all[i], problem.views(problem.fused()), out, problem.layout(), problem.options(), threads, buffers);
        EXPECT_LE(problem.error(out, 13), 1e-5) << name_of(c) << ", instruction set " << i;
      }
    }
  }
}

TEST(AttentionMemoryTest, ScratchIsBoundedWhateverTheLength) {
  const Problem problem({.lengths = {5000}, .heads = 12, .dim = 64, .kind = Case::kAlibi});
  const auto backend = make_cpu_backend({.threads = 2});
  backend->attention(problem.views(problem.fused()), problem.layout(), problem.options());
  const size_t result = 5000 * 12 * 64 * sizeof(float);
  EXPECT_LE(backend->buffers().peak_bytes(), result + (size_t{17} << 20));
  EXPECT_EQ(backend->buffers().bytes_in_use(), 0U);
}

/// Those of one thread: tests choose the threads.
std::vector<BackendCase> attention_backends(std::vector<BackendCase> cases) {
  std::erase_if(cases, [](const BackendCase& c) { return c.threads != 1 || c.policy != PreparePolicy::kPacked; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Each, AttentionTest, testing::ValuesIn(attention_backends(all_backends())), case_name());
INSTANTIATE_TEST_SUITE_P(Cpu, CpuAttentionTest, testing::ValuesIn(attention_backends(cpu_backends())), case_name());

}  // namespace
}  // namespace jina::test
