#include "ops/cpu/tile_kernel.h"

namespace jina {

#define JINA_BROADCAST "vbroadcastss"
#define JINA_DOT "vfmadd231ps"
#include "ops/cpu/tile_avx512.inc"

const TileKernels kTileF32Avx512{12, kByRows};

}  // namespace jina
