#pragma once

#include "base/thread_pool.h"
#include "ops/backend.h"

namespace jina {

struct AttentionKernels;

/// The fastest attention kernels of this processor for f32 or bf16; null for bf16 without hardware support.
const AttentionKernels* select_attention_kernels(DType dtype);

/// What CpuBackend::attention computes, by given kernels into `out`: a tensor apart from the inputs, or the query's
/// place. Takes from `buffers`, and gives back: for each worker scratch_bytes(head_dim) plus one packed head of the
/// longest row that is computed whole, and at most 16 MiB (or one packed head) for rows whose queries are spread over
/// all workers. A packed head is about 2 * tokens * head_dim elements.
void attend(const AttentionKernels& kernels, const AttentionInputs& inputs, const Tensor& out,
            const PackedLayout& layout, const AttentionOptions& options, ThreadPool& threads, TensorPool& buffers);

}  // namespace jina
