#define JINA_VECTOR_BYTES 64
#define JINA_ACCUMULATORS 24
#include "ops/torch/attention_core.h"
#include "ops/torch/attention_core.inc"

namespace jina {

const AttentionCore kAttentionCoreAvx512 = kCore;

}  // namespace jina
