#include "conformance/reference.h"

namespace jina::test {
namespace {

constexpr int64_t kWidths[] = {1, 33, 48, 64, 96, 160, 384, 1024};

class RowWise : public OnEachBackend {};
INSTANTIATE_TEST_SUITE_P(Each, RowWise, testing::ValuesIn(all_backends()), case_name());

class RowWiseMemory : public OnCpuBackend {};
INSTANTIATE_TEST_SUITE_P(Cpu, RowWiseMemory, testing::ValuesIn(cpu_backends()), case_name());

Matrix reference_norm(const NormWeights& weights, const Tensor& y, const Tensor& residual) {
  Matrix out = matrix_of(y);
  for (int64_t r = 0; r < out.rows; ++r) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < out.columns; ++i) {
      if (!residual.is_empty()) out.at(r, i) += element(residual, r, i);
      mean += out.at(r, i) / static_cast<double>(out.columns);
    }
    for (int64_t i = 0; i < out.columns; ++i) {
      variance += (out.at(r, i) - mean) * (out.at(r, i) - mean) / static_cast<double>(out.columns);
    }
    for (int64_t i = 0; i < out.columns; ++i) {
      out.at(r, i) = (out.at(r, i) - mean) / std::sqrt(variance + weights.epsilon) * weights.scale.data<float>()[i] +
                     weights.shift.data<float>()[i];
    }
  }
  return out;
}

NormWeights random_norm(int64_t width) {
  return {.scale = random_line(width, 1, 0.5, 1), .shift = random_line(width, 0, 0.5, 2), .epsilon = 1e-12F};
}

TEST_P(RowWise, layer_norm_equals_the_double_reference) {
  for (const int64_t width : kWidths) {
    if (width == 1) continue;  // no variance
    const NormWeights weights = random_norm(width);
    for (const int64_t rows : {1, 17, 130}) {
      const Tensor y = random_tensor(DType::kF32, rows, width, 3, 3, 4);
      const Tensor residual = random_tensor(DType::kF32, rows, width, 2, 4);
      for (const DType output : {DType::kF32, compute()}) {
        const Tolerance allowed = tolerance(output);
        expect_near(backend().layer_norm(weights, y, residual, output), reference_norm(weights, y, residual), allowed,
                    fmt::format("{} x {} with residual", rows, width));
        expect_near(backend().layer_norm(weights, y, {}, output), reference_norm(weights, y, {}), allowed,
                    fmt::format("{} x {}", rows, width));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(RowWise, layer_norm_of_values_far_from_zero_keeps_its_digits) {
  const NormWeights weights = random_norm(384);
  Tensor y = random_tensor(DType::kF32, 5, 384, 1, 3);
  for (float& value : y.span<float>()) value += 100;
  // The inputs are f32 values near 100, exact to 4e-6; only the arithmetic is judged.
  expect_near(backend().layer_norm(weights, y, {}, DType::kF32), reference_norm(weights, y, {}), {3e-5, 3e-5},
              "offset");
}

TEST_P(RowWiseMemory, layer_norm_writes_in_place_of_a_sole_owner_and_nowhere_else) {
  const NormWeights weights = random_norm(48);
  const Tensor residual = random_tensor(DType::kF32, 9, 48, 1, 5);
  Tensor y = random_tensor(DType::kF32, 9, 48, 1, 3, 6);
  const Tensor copy = random_tensor(DType::kF32, 9, 48, 1, 3, 6);
  const float* memory = y.data<float>();
  const Tensor out = backend().layer_norm(weights, std::move(y), residual, DType::kF32);
  EXPECT_EQ(out.data<float>(), memory);
  expect_near(out, reference_norm(weights, copy, residual), tolerance(), "in place");
  for (int64_t row = 0; row < 8; ++row) {
    for (int64_t beside = 48; beside < 54; ++beside) EXPECT_EQ(out.row<float>(row)[beside], 0.0F);
  }
  const Tensor shared = copy;
  EXPECT_NE(backend().layer_norm(weights, copy, residual, DType::kF32).data<float>(), shared.data<float>());
}

TEST_P(RowWise, layer_norm_gives_a_row_the_same_alone_and_in_a_batch) {
  const NormWeights weights = random_norm(160);
  const Tensor y = random_tensor(DType::kF32, 70, 160, 1, 3);
  expect_alike(backend().layer_norm(weights, y, {}, DType::kF32).rows(33, 34),
               backend().layer_norm(weights, y.rows(33, 34), {}, DType::kF32), "row 33");
}

TEST_P(RowWise, add_equals_the_sum) {
  for (const int64_t width : kWidths) {
    const Tensor x = random_tensor(DType::kF32, 130, width, 1, 3, 1);
    Tensor y = random_tensor(DType::kF32, 130, width, 1, 4);
    Matrix expected = matrix_of(y);
    for (int64_t r = 0; r < 130; ++r) {
      for (int64_t i = 0; i < width; ++i) expected.at(r, i) += element(x, r, i);
    }
    const Tensor sum = backend().add(std::move(y), x);
    expect_near(sum, expected, tolerance(), fmt::format("width {}", width));
  }
}

TEST_P(RowWiseMemory, add_writes_in_place_of_a_sole_owner) {
  const Tensor x = random_tensor(DType::kF32, 5, 33, 1, 3);
  Tensor y = random_tensor(DType::kF32, 5, 33, 1, 4);
  const float* memory = y.data<float>();
  EXPECT_EQ(backend().add(std::move(y), x).data<float>(), memory);
}

TEST_P(RowWise, embedding_lookup_adds_the_adapter_of_each_row) {
  for (const DType stored : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const int64_t width : kWidths) {
      EmbeddingWeights weights{.table = random_tensor(stored, 50, width, 1, 1), .adapters = {}};
      for (uint32_t adapter = 0; adapter < 2; ++adapter) {
        weights.adapters.push_back({.a = random_tensor(stored, 50, 4, 1, 5 + adapter),
                                    .b = random_tensor(stored, 4, width, 1, 7 + adapter),
                                    .scale = 0.25F});
      }
      PackedLayout layout;
      for (const int64_t length : {3, 0, 9, 20}) layout.append(length);
      const RowAdapters rows{{1, 0, kNoAdapter, 0}};
      const AdapterUse use{layout, rows};
      std::vector<int32_t> ids;
      for (int32_t token = 0; token < 32; ++token) ids.push_back(token * 7 % 50);
      Matrix expected(32, width);
      for (int64_t t = 0; t < 32; ++t) {
        const int64_t id = ids[static_cast<size_t>(t)];
        const int32_t adapter = adapter_of(&use, t);
        for (int64_t i = 0; i < width; ++i) {
          expected.at(t, i) = element(weights.table, id, i);
          for (int64_t k = 0; adapter != kNoAdapter && k < 4; ++k) {
            const LowRank& lora = weights.adapters[static_cast<size_t>(adapter)];
            expected.at(t, i) += lora.scale * element(lora.a, id, k) * element(lora.b, k, i);
          }
        }
      }
      const auto prepared = backend().prepare(weights);
      expect_near(backend().embedding_lookup(*prepared, ids, &use), expected, tolerance(),
                  fmt::format("{} width {}", to_string(stored), width));
      const Tensor plain = backend().embedding_lookup(*prepared, ids, nullptr);
      EXPECT_EQ(element(plain, 31, 0), element(weights.table, ids[31], 0));
    }
  }
}

TEST_P(RowWise, embedding_lookup_refuses_ids_outside_the_table) {
  const auto prepared =
      backend().prepare(EmbeddingWeights{.table = random_tensor(DType::kF32, 5, 8, 1, 1), .adapters = {}});
  EXPECT_THROW(backend().embedding_lookup(*prepared, std::vector<int32_t>{5}, nullptr), Error);
  EXPECT_THROW(backend().embedding_lookup(*prepared, std::vector<int32_t>{-1}, nullptr), Error);
}

TEST_P(RowWise, mean_pool_is_the_mean_of_each_span) {
  for (const int64_t width : kWidths) {
    const Tensor hidden = random_tensor(DType::kF32, 300, width, 1, 3, 2);
    const std::vector<TokenSpan> spans{{0, 1}, {1, 300}, {20, 20}, {5, 137}, {0, 300}};
    Matrix expected(5, width);
    for (int64_t s = 0; s < 5; ++s) {
      const auto [begin, end] = spans[static_cast<size_t>(s)];
      for (int64_t t = begin; t < end; ++t) {
        for (int64_t i = 0; i < width; ++i)
          expected.at(s, i) += element(hidden, t, i) / static_cast<double>(end - begin);
      }
    }
    expect_near(backend().mean_pool(hidden, spans), expected, tolerance(), fmt::format("width {}", width));
  }
}

}  // namespace
}  // namespace jina::test
