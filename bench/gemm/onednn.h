#pragma once

#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "base/thread_pool.h"
#include "tensor/dtype.h"

namespace jina::bench {

/// A linear layer of oneDNN: weights packed per group of columns in the layout it asks for, bias and GELU fused, one
/// single-threaded primitive call per tile of rows x columns of our own pool. For comparison only.
class OneDnnLayer {
 public:
  struct Shape {
    int64_t in;
    int64_t out;
    bool has_gelu;
  };
  OneDnnLayer(ThreadPool& threads, DType type, int64_t tokens, const Shape& shape);
  void run(ThreadPool& threads);

 private:
  struct Tile {
    dnnl::matmul primitive;
    std::unordered_map<int, dnnl::memory> arguments;
  };
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  std::vector<dnnl::stream> streams_;
  std::vector<dnnl::memory> scratchpads_;
  std::vector<dnnl::memory> keep_;  // x and y, which tiles point into
  std::vector<Tile> tiles_;
};

}  // namespace jina::bench
