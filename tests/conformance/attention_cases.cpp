#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>

#include "ops/cpu/attention_kernels.h"
#include "ops/cpu/cpu_backend.h"

// CpuBackend::attention against softmax in float64 over the same (rounded) inputs.
namespace jina {
namespace {

// Largest error allowed, relative to the largest value: design tolerance of f32 attention; bf16 rounds weights and
// results to 8 bits.
constexpr double kTolerance32 = 1e-5;
constexpr double kTolerance16 = 1e-2;

struct Case {
  std::vector<int64_t> lengths;
  int64_t heads = 2;
  int64_t dim = 32;
  DType dtype = DType::kF32;
  enum Kind { kPlain, kAlibi, kRotary } kind = kPlain;
  int threads = 1;
  float spread = 1;  // standard deviation of queries, keys and values
};

std::string name_of(const Case& c) {
  return fmt::format("{} tokens in {} rows, {} heads of {}, {}, kind {}, {} threads, spread {}",
                     std::accumulate(c.lengths.begin(), c.lengths.end(), int64_t{0}), c.lengths.size(), c.heads, c.dim,
                     to_string(c.dtype), static_cast<int>(c.kind), c.threads, c.spread);
}

/// Slopes of Press et al. 2022: powers of two, and every other slope of twice as many heads beyond a power of two.
std::vector<float> alibi_slopes(int64_t heads) {
  const auto geometric = [](int64_t n, int64_t k) {
    return static_cast<float>(std::pow(2.0, -8.0 * static_cast<double>(k + 1) / static_cast<double>(n)));
  };
  int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  std::vector<float> slopes;
  for (int64_t k = 0; k < power; ++k) slopes.push_back(geometric(power, k));
  for (int64_t k = 0; static_cast<int64_t>(slopes.size()) < heads; k += 2) slopes.push_back(geometric(2 * power, k));
  return slopes;
}

/// One call of attention with everything it points to. Query, key and value are columns of one tensor, with a guard
/// column on each side and a guard row at each end that must stay as they are.
class Problem {
 public:
  explicit Problem(const Case& c) : case_(c) {
    for (const int64_t length : c.lengths) layout_.append(length);
    const int64_t half = c.dim / 2, longest = layout_.longest();
    slopes_ = alibi_slopes(c.heads);
    for (int64_t p = 0; p < longest; ++p) {
      for (int64_t i = 0; i < half; ++i) {
        const double angle =
            static_cast<double>(p) * std::pow(20000.0, -static_cast<double>(i) / static_cast<double>(half));
        cosines_.push_back(static_cast<float>(std::cos(angle)));
        sines_.push_back(static_cast<float>(std::sin(angle)));
      }
    }
    std::mt19937 random(7);
    std::normal_distribution<float> normal(0, c.spread);
    fused_ = make_tensor(c.dtype, {layout_.tokens() + 2, 3 * width() + 2});
    for (int64_t t = 0; t < fused_.rows(); ++t)
      for (int64_t i = 0; i < fused_.width(); ++i) set(t, i, normal(random));
  }

  int64_t width() const { return case_.heads * case_.dim; }
  const PackedLayout& layout() const { return layout_; }
  const Tensor& fused() const { return fused_; }
  /// Element of the query (part 0), key (1) or value (2) of a token.
  float get(int part, int64_t token, int64_t column) const {
    return read(fused_, token + 1, 1 + part * width() + column);
  }
  void put(int part, int64_t token, int64_t column, float value) { set(token + 1, 1 + part * width() + column, value); }

  static float read(const Tensor& x, int64_t row, int64_t column) {
    return x.dtype() == DType::kF32 ? x.row<float>(row)[column] : to_float(x.row<BFloat16>(row)[column]);
  }

  AttentionInputs views(const Tensor& fused) const {
    const Tensor rows = fused.rows(1, layout_.tokens() + 1);
    const auto part = [&](int64_t k) { return rows.columns(1 + k * width(), 1 + (k + 1) * width()); };
    return {part(0), part(1), part(2)};
  }

  AttentionOptions options() const {
    AttentionOptions o{.heads = case_.heads,
                       .scale = static_cast<float>(1 / std::sqrt(static_cast<double>(case_.dim))),
                       .positions = {}};
    if (case_.kind == Case::kAlibi) o.positions = AlibiBias{slopes_};
    if (case_.kind == Case::kRotary) o.positions = RotaryTables{cosines_, sines_};
    return o;
  }

  Tensor run() const { return run_with(case_.threads); }
  Tensor run_with(int threads) const {
    return make_cpu_backend({.threads = threads, .compute = case_.dtype})->attention(views(fused_), layout_, options());
  }

  /// The naive definition, one query of one head: softmax(scale q k^T + bias) v in float64.
  std::vector<double> reference(int64_t row, int64_t query, int64_t head, double ignore_beyond = 1e30) const {
    const int64_t begin = layout_.begin(row), n = layout_.length(row);
    const std::vector<double> q = load(0, begin + query, query, head);
    std::vector<double> scores;
    for (int64_t j = 0; j < n; ++j) {
      const std::vector<double> k = load(1, begin + j, j, head);
      double score = 0;
      for (size_t d = 0; d < q.size(); ++d) score += q[d] * k[d];
      score *= static_cast<double>(options().scale);
      const double bias =
          static_cast<double>(slopes_[static_cast<size_t>(head)]) * static_cast<double>(std::abs(query - j));
      if (case_.kind == Case::kAlibi)
        score = bias > ignore_beyond ? -std::numeric_limits<double>::infinity() : score - bias;
      scores.push_back(score);
    }
    const double most = *std::ranges::max_element(scores);
    double total = 0;
    for (double& s : scores) total += s = std::exp(s - most);
    std::vector<double> out(q.size());
    for (int64_t j = 0; j < n; ++j)
      for (size_t d = 0; d < out.size(); ++d)
        out[d] +=
            scores[static_cast<size_t>(j)] / total * get(2, begin + j, head * case_.dim + static_cast<int64_t>(d));
    return out;
  }

  /// Largest difference to the reference, over every `step`-th query of every head, relative to the largest value.
  double error(const Tensor& result, int64_t step = 1, double ignore_beyond = 1e30) const {
    double worst = 0, largest = 0;
    for (int64_t t = 0; t < layout_.tokens(); ++t)
      for (int64_t i = 0; i < width(); ++i) largest = std::max(largest, std::abs(double{get(2, t, i)}));
    for (int64_t row = 0; row < layout_.rows(); ++row) {
      for (int64_t query = 0; query < layout_.length(row); query += step) {
        for (int64_t head = 0; head < case_.heads; ++head) {
          const std::vector<double> expected = reference(row, query, head, ignore_beyond);
          for (int64_t d = 0; d < case_.dim; ++d) {
            const double difference = std::abs(read(result, layout_.begin(row) + query, head * case_.dim + d) -
                                               expected[static_cast<size_t>(d)]);
            if (!(difference <= worst)) worst = difference;  // keeps NaN
          }
        }
      }
    }
    return worst / largest;
  }

 private:
  void set(int64_t row, int64_t column, float value) {
    if (case_.dtype == DType::kF32) {
      fused_.row<float>(row)[column] = value;
    } else {
      fused_.row<BFloat16>(row)[column] = to_bfloat16(value);
    }
  }

  std::vector<double> load(int part, int64_t token, int64_t position, int64_t head) const {
    std::vector<double> x;
    for (int64_t d = 0; d < case_.dim; ++d) x.push_back(get(part, token, head * case_.dim + d));
    if (case_.kind != Case::kRotary) return x;
    const auto half = static_cast<size_t>(case_.dim / 2);
    std::vector<double> turned(x.size());
    for (size_t i = 0; i < half; ++i) {
      const double c = cosines_[static_cast<size_t>(position) * half + i],
                   s = sines_[static_cast<size_t>(position) * half + i];
      turned[i] = x[i] * c - x[i + half] * s;
      turned[i + half] = x[i + half] * c + x[i] * s;
    }
    return turned;
  }

  Case case_;
  PackedLayout layout_;
  Tensor fused_;
  std::vector<float> slopes_, cosines_, sines_;
};

bool is_same(const Tensor& a, const Tensor& b) {
  for (int64_t r = 0; r < a.rows(); ++r)
    if (std::memcmp(a.raw() + r * a.row_stride() * size_of(a.dtype()),
                    b.raw() + r * b.row_stride() * size_of(b.dtype()),
                    static_cast<size_t>(a.width() * size_of(a.dtype()))) != 0)
      return false;
  return true;
}

class AttentionTest : public testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (GetParam() == DType::kBF16 && !has_fast_bf16()) GTEST_SKIP() << "this processor has no avx512_bf16";
  }
  double tolerance() const { return GetParam() == DType::kF32 ? kTolerance32 : kTolerance16; }
  void expect_right(Case c, int64_t step = 1) const {
    c.dtype = GetParam();
    const Problem problem(c);
    EXPECT_LE(problem.error(problem.run(), step), tolerance()) << name_of(c);
  }
};

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
  Case sharp{
      .lengths = {300}, .heads = 2, .dim = 64, .dtype = GetParam(), .kind = Case::kPlain, .threads = 1, .spread = 4};
  const Problem problem(sharp);
  EXPECT_LE(problem.error(problem.run()), GetParam() == DType::kF32 ? 1e-4 : tolerance());
  // Denormal inputs are flushed: the results are those of zeros, never NaN.
  const Problem tiny({.lengths = {40}, .heads = 2, .dim = 64, .dtype = GetParam(), .spread = 1e-39F});
  const Tensor result = tiny.run();
  for (int64_t t = 0; t < 40; ++t)
    for (int64_t i = 0; i < 128; ++i) ASSERT_LE(std::abs(Problem::read(result, t, i)), 1e-37F);
}

TEST_P(AttentionTest, KeysOfLargeNormCountHoweverFar) {
  constexpr double kFar = 45;  // a careless skip by distance alone
  Case c{.lengths = {2500}, .heads = 12, .dim = 64, .dtype = GetParam(), .kind = Case::kAlibi, .threads = 2};
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
  EXPECT_LE(problem.error(result, 50), GetParam() == DType::kF32 ? 1e-3 : 3e-2);
  EXPECT_GE(problem.error(result, 50, kFar), 0.1) << "the far keys must matter, or this test shows nothing";
}

TEST_P(AttentionTest, SkippingFarBlocksChangesNoBitThatRoundingKeeps) {
  // Steep slopes skip nearly everything of the long row, and nothing of the short ones.
  Case c{.lengths = {3000}, .heads = 8, .dim = 32, .dtype = GetParam(), .kind = Case::kAlibi};
  const Problem problem(c);
  EXPECT_LE(problem.error(problem.run(), 37), GetParam() == DType::kF32 ? 2e-6 : tolerance());
}

TEST_P(AttentionTest, ResultsDoNotDependOnThreadsOrOtherRows) {
  for (const auto kind : {Case::kPlain, Case::kAlibi, Case::kRotary}) {
    const Case together{.lengths = {90, 2100, 7, 0, 300}, .heads = 4, .dim = 32, .dtype = GetParam(), .kind = kind};
    const Problem problem(together);
    const Tensor result = problem.run_with(1);
    EXPECT_TRUE(is_same(result, problem.run_with(2)));
    EXPECT_TRUE(is_same(result, problem.run_with(3)));
    const auto backend = make_cpu_backend({.threads = 1, .compute = GetParam()});
    for (int64_t row = 0; row < problem.layout().rows(); ++row) {
      PackedLayout alone;
      alone.append(problem.layout().length(row));
      const int64_t begin = problem.layout().begin(row), end = begin + alone.tokens();
      const AttentionInputs all = problem.views(problem.fused());
      const Tensor own = backend->attention(
          {all.query.rows(begin, end), all.key.rows(begin, end), all.value.rows(begin, end)}, alone, problem.options());
      EXPECT_TRUE(is_same(result.rows(begin, end), own)) << "row " << row;
    }
  }
}

TEST_P(AttentionTest, TakesTheQuerysPlaceOnlyWhenNobodyElseHoldsIt) {
  Problem problem(
      {.lengths = {70, 3, 400}, .heads = 4, .dim = 16, .dtype = GetParam(), .kind = Case::kRotary, .threads = 2});
  const auto backend = make_cpu_backend({.threads = 2, .compute = GetParam()});
  const Tensor expected = backend->attention(problem.views(problem.fused()), problem.layout(), problem.options());
  EXPECT_FALSE(expected.shares_memory_with(problem.fused()));

  Tensor copy = make_tensor(GetParam(), problem.fused().shape());
  std::memcpy(copy.raw(), problem.fused().raw(), copy.bytes());
  std::byte* const memory = copy.raw();
  AttentionInputs inputs = problem.views(copy);
  const std::byte* const query = inputs.query.raw();
  copy = Tensor();
  const Tensor result = backend->attention(std::move(inputs), problem.layout(), problem.options());
  EXPECT_EQ(result.raw(), query);
  EXPECT_TRUE(is_same(result, expected));
  // Everything but the query's columns is as it was: guards, keys and values.
  const auto size = static_cast<size_t>(size_of(GetParam()));
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

TEST_P(AttentionTest, KeepsKeysThatAreTheQueriesToo) {
  const Problem problem({.lengths = {60}, .heads = 2, .dim = 16, .dtype = GetParam()});
  Tensor copy = make_tensor(GetParam(), problem.fused().shape());
  std::memcpy(copy.raw(), problem.fused().raw(), copy.bytes());
  AttentionInputs inputs = problem.views(copy);
  inputs.key = inputs.query;
  copy = Tensor();
  const std::byte* const query = inputs.query.raw();
  const auto backend = make_cpu_backend({.threads = 1, .compute = GetParam()});
  EXPECT_NE(backend->attention(std::move(inputs), problem.layout(), problem.options()).raw(), query);
}

TEST_P(AttentionTest, ShowsNaNInsteadOfHidingIt) {
  Problem problem({.lengths = {100, 20}, .heads = 1, .dim = 16, .dtype = GetParam()});
  problem.put(1, 50, 3, std::numeric_limits<float>::quiet_NaN());
  const Tensor result = problem.run();
  EXPECT_TRUE(std::isnan(Problem::read(result, 0, 0)));
  EXPECT_FALSE(std::isnan(Problem::read(result, 100, 0)));  // the other row
}

TEST_P(AttentionTest, NoTokensGiveNoTokens) {
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{}, std::vector<int64_t>{0, 0}}) {
    const Problem problem({.lengths = lengths, .heads = 2, .dim = 16, .dtype = GetParam()});
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
        EXPECT_LE(problem.error(out, 13), kTolerance32) << name_of(c) << ", instruction set " << i;
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

std::string dtype_name(const testing::TestParamInfo<DType>& info) { return std::string(to_string(info.param)); }
INSTANTIATE_TEST_SUITE_P(Cpu, AttentionTest, testing::Values(DType::kF32, DType::kBF16), dtype_name);

}  // namespace
}  // namespace jina
