#include "ops/cpu/product.h"

#include <algorithm>

#include "ops/cpu/row_tile.h"
#include "ops/cpu/tile_finish.h"

namespace jina {

namespace {

/// Bytes of a row tile in the kernels' type: with one panel of the weights it stays in a second-level cache of 1 MiB.
constexpr int64_t kRowTileBytes = 256 << 10;
/// Tiles per worker at which a product is cut fine enough, so that a late worker costs little at the end of the loop.
constexpr int64_t kTilesPerWorker = 8;
/// Floats of the accumulators of one tile.
constexpr int64_t kTileFloats = kMostTileRows * kPanelColumns;

/// Part `index` of [0, total) cut into `parts` equal parts.
ElementRange equal_part(int64_t total, int64_t parts, int64_t index) {
  return {total * index / parts, total * (index + 1) / parts};
}

/// How a product is cut: row tiles x groups of panels; tiles of one row tile follow each other.
struct Cut {
  int64_t row_tiles;
  int64_t groups;
};

Cut cut_product(const Product& product, int workers) {
  const PackedMatrix& weight = product.weights.parts().front().weight;
  const int64_t fitting = kRowTileBytes / (weight.steps() * 4) / kMostTileRows * kMostTileRows;
  const int64_t most_rows = std::clamp<int64_t>(fitting, 2 * kMostTileRows, 20 * kMostTileRows);
  const int64_t row_tiles = (product.x.rows() + most_rows - 1) / most_rows;
  if (workers == 1) return {row_tiles, 1};
  const int64_t wanted = (kTilesPerWorker * workers + row_tiles - 1) / row_tiles;
  return {row_tiles, std::min(wanted, weight.panels())};
}

/// Where row block `block` of `blocks` prefetches from, so that panel `next` is near when its turn comes: the first
/// block loads both halves of it, or the first two blocks one half each.
struct Soon {
  const std::byte* halves[2];

  Soon(const PackedMatrix& weight, int64_t next, int64_t block, int64_t blocks) {
    const std::byte* panel = weight.packed_panel(next);
    const std::byte* half = panel + weight.steps() * 64;
    halves[0] = block == 0 ? panel : half;
    halves[1] = block == 0 && blocks > 1 ? panel : half;
  }
};

/// The rows of `tile` times one panel of each part, finished and written; `next` is the panel after it.
void compute_panel(const Product& product, const RowTile& tile, int64_t first_row, int64_t panel, int64_t next,
                   WorkerScratch& scratch) {
  const std::vector<LinearPart>& parts = product.weights.parts();
  const TileKernels& kernels = parts.front().weight.kernels();
  auto* sums = scratch.tiles.reserve<float>(2 * kTileFloats);
  const std::byte* packed[2] = {};
  TileFinish finish{.columns = std::min<int64_t>(kPanelColumns, product.weights.outputs() - panel * kPanelColumns),
                    .activation = product.activation,
                    .gate = product.gate,
                    .output = product.out.dtype(),
                    .out_stride = product.out.row_stride() * size_of(product.out.dtype())};
  for (size_t part = 0; part < parts.size(); ++part) {
    packed[part] = parts[part].weight.panel(panel, scratch.panels[part]);
    finish.sums[part] = sums + static_cast<int64_t>(part) * kTileFloats;
    finish.bias[part] = parts[part].bias.data() + panel * kPanelColumns;
  }
  const int64_t blocks = (tile.rows() + kernels.rows - 1) / kernels.rows;
  std::byte* out = product.out.raw() + panel * kPanelColumns * size_of(product.out.dtype());
  for (int64_t block = 0; block < blocks; ++block) {
    const ElementRange rows = equal_part(tile.rows(), blocks, block);
    finish.rows = rows.end - rows.begin;
    for (size_t part = 0; part < parts.size(); ++part) {
      float* c = sums + static_cast<int64_t>(part) * kTileFloats;
      if (tile.has_delta()) tile.write_delta(rows, part, panel, c);
      const Soon soon(parts[part].weight, next, block, blocks);
      kernels.by_rows[finish.rows]({.a = tile.row(rows.begin),
                                    .a_stride = tile.stride(),
                                    .panel = packed[part],
                                    .depth = parts[part].weight.steps(),
                                    .c = c,
                                    .c_stride = kPanelColumns * size_of(DType::kF32),
                                    .adds = tile.has_delta(),
                                    .soon = {soon.halves[0], soon.halves[1]}});
    }
    finish.out = out + (first_row + rows.begin) * finish.out_stride;
    finish_tile(finish);
  }
}

}  // namespace

void multiply(ThreadPool& threads, std::vector<WorkerScratch>& scratch, const Product& product) {
  JINA_CHECK(product.x.width() == product.weights.inputs() && product.out.width() == product.weights.outputs());
  JINA_CHECK((product.gate == Gate::kNone) == (product.weights.parts().size() == 1));
  JINA_CHECK(product.x.dtype() == DType::kF32 || product.x.dtype() == product.weights.type());
  if (product.x.rows() == 0) return;
  const Cut cut = cut_product(product, threads.threads());
  for (WorkerScratch& each : scratch) each.held_row_tile = -1;
  threads.parallel_for(cut.row_tiles * cut.groups, [&](int64_t tile, int worker) {
    WorkerScratch& own = scratch[static_cast<size_t>(worker)];
    const ElementRange rows = equal_part(product.x.rows(), cut.row_tiles, tile / cut.groups);
    const RowTile held(product, tile / cut.groups, rows, own);
    const int64_t all = product.weights.parts().front().weight.panels();
    const ElementRange panels = equal_part(all, cut.groups, tile % cut.groups);
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
      compute_panel(product, held, rows.begin, panel, std::min(panel + 1, panels.end - 1), own);
    }
  });
}

}  // namespace jina
