#include "ops/torch/torch_memory.h"

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace jina {

void keep_freed_memory() {
#if defined(M_MMAP_MAX) && defined(M_TRIM_THRESHOLD)
  mallopt(M_MMAP_MAX, 0);         // large blocks from the heap, not as mappings of their own
  mallopt(M_TRIM_THRESHOLD, -1);  // the heap's end is never given back
#endif
}

}  // namespace jina
