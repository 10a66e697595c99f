#define JINA_VECTOR_BYTES 32
#define JINA_ACCUMULATORS 12
#include "ops/torch/attention_core.h"
#include "ops/torch/attention_core.inc"

namespace jina {

const AttentionCore kAttentionCoreAvx2 = kCore;

}  // namespace jina
