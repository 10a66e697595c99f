#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace jina {

/// Uninitialised memory, 64-byte aligned, that grows to the largest request and is kept.
class ScratchBuffer {
 public:
  template <typename T>
  T* reserve(int64_t elements) {
    const auto bytes = static_cast<size_t>(elements) * sizeof(T);
    if (bytes > bytes_) {
      memory_.reset();
      memory_.reset(static_cast<std::byte*>(operator new (bytes, std::align_val_t{64})));
      bytes_ = bytes;
    }
    return reinterpret_cast<T*>(memory_.get());
  }
  size_t bytes() const { return bytes_; }

 private:
  struct Delete {
    void operator()(std::byte* memory) const { operator delete (memory, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, Delete> memory_;
  size_t bytes_ = 0;
};

/// Tokens [begin, end) of one row tile that use the same adapter.
struct AdapterRun {
  int64_t begin;  // counted from the first token of the row tile
  int64_t end;
  int32_t adapter;
};

/// What one worker needs beside inputs and results; README.md here has the bound on its size.
struct WorkerScratch {
  ScratchBuffer rows;       // a row tile in the kernels' type
  ScratchBuffer low_rank;   // x A^T of the row tile, f32
  ScratchBuffer panels[2];  // a panel of mapped weights, for each part of a layer
  ScratchBuffer line;       // one row in f32
  ScratchBuffer tiles;      // accumulators of a tile, for each part of a layer
  std::vector<AdapterRun> runs;
  int64_t held_row_tile = -1;  // the row tile of the current product that `rows`, `low_rank` and `runs` describe
};

}  // namespace jina
