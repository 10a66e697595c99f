#pragma once

#include "ops/cpu/product.h"
#include "ops/cpu/vector_rows.h"

namespace jina {

/// Some rows of a product's x as the kernels want them, and what the adapters add to their results. Conversion and x
/// A^T are done once for all tiles of the same rows that a worker computes; they live in the worker's scratch.
class RowTile {
 public:
  /// Row tile `index`, which is rows [range) of product.x.
  RowTile(const Product& product, int64_t index, ElementRange range, WorkerScratch& scratch);

  int64_t rows() const { return range_.end - range_.begin; }
  const std::byte* row(int64_t index) const { return a_ + index * a_stride_; }
  int64_t stride() const { return a_stride_; }
  /// True when some row uses an adapter.
  bool has_delta() const { return !scratch_.runs.empty(); }
  /// Writes scale * (x A^T) B^T of rows [block) and panel `panel` of part `part` to c: (rows, 32), zero without
  /// adapter.
  void write_delta(ElementRange block, size_t part, int64_t panel, float* c) const;

 private:
  void convert_rows(std::byte* to) const;
  void find_runs();
  void multiply_low_rank();

  const Product& product_;
  const PackedLinear& layer_;
  ElementRange range_;
  WorkerScratch& scratch_;
  const std::byte* a_ = nullptr;
  int64_t a_stride_ = 0;       // bytes
  float* low_rank_ = nullptr;  // (rows, layer_.low_rank_width())
};

/// Calls the kernels of `matrix` over any number of rows: call.a and call.c are the first ones.
void multiply_rows(const PackedMatrix& matrix, TileCall call, int64_t rows);

}  // namespace jina
