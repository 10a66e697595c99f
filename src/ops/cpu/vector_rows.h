#pragma once

#include <cstdint>

#include "ops/backend.h"
#include "tensor/tensor.h"

// Row functions in vectors of whatever width the processor has (Highway, chosen at run time).

namespace jina {

/// Half-open range of elements of a row.
struct ElementRange {
  int64_t begin;
  int64_t end;
};

/// Elements of row `row` of a f32, f16 or bf16 tensor as f32.
void widen_row(const Tensor& from, int64_t row, ElementRange range, float* to);

/// f32 → bf16, rounded to nearest even.
void narrow_row(const float* from, int64_t count, BFloat16* to);

/// to[i] += from[i]
void add_row(const float* from, int64_t count, float* to);

/// to[i] += factor * from[i]
void add_scaled_row(const float* from, float factor, int64_t count, float* to);

/// Row `row` of LayerNorm(y + residual); `sum` is room for one row and may be y's row. Writes `out`'s row.
void layer_norm_row(const NormWeights& weights, const Tensor& y, const Tensor& residual, int64_t row, float* sum,
                    const Tensor& out);

/// Mean over rows [span.begin, span.end) of columns [range), in double.
void mean_rows(const Tensor& hidden, TokenSpan span, ElementRange range, float* to);

}  // namespace jina
