#pragma once

#include <vector>

#include "base/thread_pool.h"
#include "ops/cpu/packed_linear.h"
#include "ops/cpu/worker_scratch.h"

namespace jina {

/// out = finish(x W^T + adapters + bias), where finish is the activation, or the gate of a layer of two parts.
struct Product {
  const Tensor& x;  // (tokens, in), f32 or the type of the weights, any row stride
  const PackedLinear& weights;
  Tensor out;  // (tokens, out) f32 or bf16
  Activation activation = Activation::kNone;
  Gate gate = Gate::kNone;
  const AdapterUse* adapters = nullptr;  // may be null
  int64_t first_token = 0;               // token of the adapters' layout that is row 0 of x
};

/// Computes it in tiles of rows x panels of columns. Each result depends on its own row of x alone: neither the number
/// of workers, nor the tiles, nor the other rows change a bit of it.
void multiply(ThreadPool& threads, std::vector<WorkerScratch>& scratch, const Product& product);

}  // namespace jina
