#define JINA_VECTOR_BYTES 16
#define JINA_ACCUMULATORS 12
#include "ops/torch/attention_core.h"
#include "ops/torch/attention_core.inc"

namespace jina {

const AttentionCore kAttentionCoreBaseline = kCore;

}  // namespace jina
