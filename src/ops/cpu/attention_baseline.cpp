#include <cstdint>

namespace jina {
namespace {

constexpr int kLanes = 4;
using V = float __attribute__((vector_size(4 * kLanes)));
using Integers = int32_t __attribute__((vector_size(4 * kLanes)));

inline V fma(V a, V b, V c) { return a * b + c; }

}  // namespace
}  // namespace jina

#include "ops/cpu/attention_narrow.h"
// After the operations that it is written in.
#include "ops/cpu/attention_block.h"

namespace jina {

const AttentionKernels kAttentionBaseline = {kMaxLanes, kKeyBlock, packed_bytes, scratch_bytes, pack, attend};

}  // namespace jina
