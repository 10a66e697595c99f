#include "ops/cpu/tile_kernel.h"

namespace jina {

#define JINA_BROADCAST "vpbroadcastd"
#define JINA_DOT "vdpbf16ps"
#include "ops/cpu/tile_avx512.inc"

const TileKernels kTileBf16Avx512{12, kByRows};

}  // namespace jina
