#include "conformance/reference.h"
#include "ops/cpu/packed_linear.h"
#include "ops/cpu/product.h"
#include "ops/cpu/tile_kernels.h"

namespace jina::test {
namespace {

struct LinearShape {
  int64_t tokens;
  int64_t in;
  int64_t out;
};

constexpr LinearShape kShapes[] = {{1, 48, 64},    {17, 64, 96},   {130, 96, 160},   {5, 7, 33},
                                   {16, 384, 160}, {3, 1024, 384}, {130, 384, 1024}, {300, 65, 31}};

LinearWeights random_weights(DType dtype, int64_t in, int64_t out) {
  const double size = 1 / std::sqrt(static_cast<double>(in));
  return {.weight = random_tensor(dtype, out, in, 2 * size, 1), .bias = random_line(out, 0, 0.5, 2), .adapters = {}};
}

void add_adapters(LinearWeights& weights, DType dtype, const std::vector<int64_t>& ranks) {
  const int64_t in = weights.weight.width(), out = weights.weight.rows();
  for (const int64_t rank : ranks) {
    const auto seed = static_cast<uint32_t>(100 + rank);
    weights.adapters.push_back({.a = random_tensor(dtype, rank, in, 1 / std::sqrt(static_cast<double>(in)), seed),
                                .b = random_tensor(dtype, out, rank, 0.5, seed + 1),
                                .scale = 0.25F});
  }
}

class Linear : public OnEachBackend {};
INSTANTIATE_TEST_SUITE_P(Each, Linear, testing::ValuesIn(all_backends()), case_name());

class LinearMemory : public OnCpuBackend {};
INSTANTIATE_TEST_SUITE_P(Cpu, LinearMemory, testing::ValuesIn(cpu_backends()), case_name());

TEST_P(Linear, equals_the_double_reference_for_all_shapes_types_and_strides) {
  for (const auto& [tokens, in, out] : kShapes) {
    for (const DType stored : {DType::kF32, DType::kF16, DType::kBF16}) {
      const LinearWeights weights = random_weights(stored, in, out);
      const auto prepared = backend().prepare(weights);
      for (const int64_t padding : {0, 5}) {
        const Tensor x = random_tensor(DType::kF32, tokens, in, 1, 3, padding);
        const Matrix expected = reference_linear(weights, matrix_of(x, compute()), compute(), nullptr);
        for (const DType output : {DType::kF32, compute()}) {
          const Tensor y = backend().linear(*prepared, x, {.output = output});
          expect_near(y, expected, product_tolerance(output),
                      fmt::format("{} x {} -> {} {} weights", tokens, in, out, to_string(stored)));
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST_P(Linear, takes_rows_of_the_compute_type) {
  for (const auto& [tokens, in, out] : kShapes) {
    const LinearWeights weights = random_weights(DType::kF32, in, out);
    const Tensor x = random_tensor(compute(), tokens, in, 1, 3, 3);
    const Tensor y = backend().linear(*backend().prepare(weights), x, {});
    expect_near(y, reference_linear(weights, matrix_of(x), compute(), nullptr), product_tolerance(),
                fmt::format("{} x {} -> {}", tokens, in, out));
    if (HasFatalFailure()) return;
  }
}

TEST_P(Linear, applies_the_activation_to_the_sum) {
  const LinearWeights weights = random_weights(DType::kF32, 96, 70);
  const auto prepared = backend().prepare(weights);
  const Tensor x = random_tensor(DType::kF32, 33, 96, 6, 3);
  for (const Activation activation : {Activation::kGelu, Activation::kRelu}) {
    Matrix expected = reference_linear(weights, matrix_of(x, compute()), compute(), nullptr);
    for (double& value : expected.values) value = activate(value, activation);
    for (const DType output : {DType::kF32, compute()}) {
      const Tensor y = backend().linear(*prepared, x, {.activation = activation, .output = output});
      expect_near(y, expected, product_tolerance(output), "activation");
    }
  }
}

TEST_P(Linear, adds_the_adapter_of_each_row) {
  LinearWeights weights = random_weights(DType::kF32, 96, 70);
  weights.bias.reset();
  add_adapters(weights, DType::kBF16, {4, 12, 40});
  const auto prepared = backend().prepare(weights);
  PackedLayout layout;
  for (const int64_t length : {3, 1, 40, 7, 0, 13, 66}) layout.append(length);
  const RowAdapters rows{{1, kNoAdapter, 2, 0, 2, 0, kNoAdapter}};
  const AdapterUse use{layout, rows};
  const Tensor x = random_tensor(DType::kF32, layout.tokens(), 96, 1, 3);
  const Tensor y = backend().linear(*prepared, x, {.adapters = &use});
  expect_near(y, reference_linear(weights, matrix_of(x, compute()), compute(), &use), product_tolerance(),
              "mixed adapters");
  const Tensor plain = backend().linear(*prepared, x, {});
  expect_near(plain, reference_linear(weights, matrix_of(x, compute()), compute(), nullptr), product_tolerance(),
              "no adapters");
  EXPECT_NE(element(plain, 0, 0), element(y, 0, 0)) << "an adapter must change its rows";
  EXPECT_EQ(element(plain, 3, 0), element(y, 3, 0)) << "an adapter must not change other rows";
}

TEST_P(Linear, gives_each_row_the_same_alone_and_in_a_batch) {
  LinearWeights weights = random_weights(DType::kF32, 160, 96);
  add_adapters(weights, DType::kF32, {4, 4});
  const auto prepared = backend().prepare(weights);
  PackedLayout layout, single;
  for (const int64_t length : {30, 50, 53}) layout.append(length);
  single.append(50);
  const RowAdapters rows{{0, 1, kNoAdapter}}, only{{1}};
  const AdapterUse use{layout, rows}, alone{single, only};
  const Tensor x = random_tensor(DType::kF32, layout.tokens(), 160, 1, 3);
  const Tensor all = backend().linear(*prepared, x, {.activation = Activation::kGelu, .adapters = &use});
  const Tensor one = backend().linear(*prepared, x.rows(30, 80), {.activation = Activation::kGelu, .adapters = &alone});
  expect_alike(all.rows(30, 80), one, "second text");
}

TEST_P(LinearMemory, writes_behind_the_rows_of_a_sole_owner_and_nowhere_else) {
  const LinearWeights weights = random_weights(DType::kF32, 64, 96);
  const auto prepared = backend().prepare(weights);
  const int64_t padding = 96 * size_of(DType::kF32) / size_of(compute());
  Tensor x = random_tensor(compute(), 40, 64, 1, 3, padding);
  const Tensor shared = x;
  const Tensor beside = backend().linear(*prepared, x, {});
  EXPECT_FALSE(beside.shares_memory_with(shared));
  Tensor alone = random_tensor(compute(), 40, 64, 1, 3, padding);
  const std::byte* memory = alone.raw();
  const Tensor behind = backend().linear(*prepared, std::move(alone), {});
  EXPECT_EQ(behind.raw(), memory + 64 * size_of(compute()));
  expect_same(behind, beside, "behind x");
  for (int64_t row = 0; row < 40; ++row) {
    const auto width = static_cast<size_t>(64 * size_of(compute()));
    EXPECT_EQ(std::memcmp(memory + row * shared.row_stride() * size_of(compute()),
                          shared.row<std::byte>(0) + row * shared.row_stride() * size_of(compute()), width),
              0)
        << row;
  }
}

TEST_P(Linear, of_no_tokens_is_empty) {
  const auto prepared = backend().prepare(random_weights(DType::kF32, 64, 32));
  EXPECT_EQ(backend().linear(*prepared, make_tensor(DType::kF32, {0, 64}), {}).rows(), 0);
}

TEST(LinearPolicies, packed_weights_hold_no_handle_and_mapped_ones_hold_one) {
  for (const PreparePolicy policy : {PreparePolicy::kPacked, PreparePolicy::kMapped}) {
    const auto backend = make_cpu_backend({.policy = policy});
    LinearWeights weights = random_weights(DType::kF32, 64, 32);
    const Tensor weight = weights.weight, bias = *weights.bias;
    const auto prepared = backend->prepare(std::move(weights));
    EXPECT_EQ(weight.is_sole_owner(), policy == PreparePolicy::kPacked);
    EXPECT_TRUE(bias.is_sole_owner());
  }
}

TEST(LinearShapes, that_do_not_fit_are_refused) {
  const auto backend = make_cpu_backend({});
  LinearWeights weights = random_weights(DType::kF32, 64, 32);
  weights.bias = random_line(31, 0, 1, 1);
  EXPECT_THROW(backend->prepare(weights), Error);
  weights = random_weights(DType::kF32, 64, 32);
  add_adapters(weights, DType::kF32, {4});
  weights.adapters.front().b = random_tensor(DType::kF32, 32, 5, 1, 1);
  EXPECT_THROW(backend->prepare(weights), Error);
  weights = random_weights(DType::kF32, 64, 32);
  weights.weight = make_tensor(DType::kI32, {32, 64});
  EXPECT_THROW(backend->prepare(weights), Error);
}

/// Results go where they belong and not one byte beside them, for every width of the last panel.
TEST(LinearGuards, bytes_around_the_result_stay_as_they_were) {
  ThreadPool threads(2);
  std::vector<WorkerScratch> scratch(2);
  for (const DType type : {DType::kF32, DType::kBF16}) {
    if (type == DType::kBF16 && !has_fast_bf16()) continue;
    for (int64_t out = 1; out <= 66; ++out) {
      const PackedLinear layer(threads, random_weights(DType::kF32, 50, out), {.type = type});
      const Tensor x = random_tensor(DType::kF32, 14, 50, 1, 3);
      const Tensor around = make_tensor(type, {14 + 2, out + 24});
      std::fill_n(reinterpret_cast<uint8_t*>(around.raw()), around.bytes(), uint8_t{0xA5});
      multiply(threads, scratch, {.x = x, .weights = layer, .out = around.rows(1, 15).columns(12, 12 + out)});
      const auto* bytes = reinterpret_cast<const uint8_t*>(around.raw());
      const int64_t size = size_of(type), width = around.width() * size;
      for (int64_t i = 0; i < static_cast<int64_t>(around.bytes()); ++i) {
        const int64_t row = i / width, column = i % width / size;
        const bool is_result = row >= 1 && row < 15 && column >= 12 && column < 12 + out;
        ASSERT_TRUE(is_result || bytes[i] == 0xA5) << out << " outputs: byte " << i;
      }
    }
  }
}

/// Kernels that this processor has but would not choose.
TEST(TileKernels, of_all_instruction_sets_give_the_sum_for_every_number_of_rows) {
  for (const DType type : {DType::kF32, DType::kBF16}) {
    for (const NamedTileKernels& named : available_tile_kernels(type)) {
      for (const int64_t in : {1, 2, 6, 37, 64}) {
        ThreadPool threads(1);
        const Tensor weight = random_tensor(DType::kF32, kPanelColumns, in, 1, 5);
        const PackedMatrix matrix(threads, weight, {.type = type});
        const Tensor x = random_tensor(type, named.kernels->rows, in, 1, 6, in % 2 + 2);
        LinearWeights weights{.weight = weight, .bias = {}, .adapters = {}};
        const Matrix product = reference_linear(weights, matrix_of(x), type, nullptr);
        for (int rows = 1; rows <= named.kernels->rows; ++rows) {
          for (const bool has_bias : {false, true}) {  // all rows start from row 0 of c, or each from its own
            const Tensor c = random_tensor(DType::kF32, rows + 1, kPanelColumns, 1, 7, 8);
            const Matrix before = matrix_of(c);
            Matrix expected = before;
            for (int64_t r = 0; r < rows; ++r) {
              for (int64_t i = 0; i < kPanelColumns; ++i) {
                expected.at(r, i) = before.at(has_bias ? 0 : r, i) + product.at(r, i);
              }
            }
            ScratchBuffer unused;
            const int64_t stride = c.row_stride() * size_of(DType::kF32);
            named.kernels->by_rows[rows]({.a = x.raw(),
                                          .a_stride = x.row_stride() * size_of(type),
                                          .panel = matrix.panel(0, unused),
                                          .depth = matrix.steps(),
                                          .start = c.data<float>(),
                                          .start_stride = has_bias ? 0 : stride,
                                          .c = c.data<float>(),
                                          .c_stride = stride,
                                          .soon = {}});
            expect_near(c, expected, op_tolerance(Device::kCpu, DType::kF32),
                        fmt::format("{} {} rows, {} inputs", named.isa, rows, in));
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace jina::test
