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

/// One worker's way through the panels of a row tile.
class PanelLoop {
 public:
  PanelLoop(const Product& product, const RowTile& tile, int64_t first_row, WorkerScratch& scratch)
      : product_(product),
        tile_(tile),
        parts_(product.weights.parts()),
        kernels_(parts_.front().weight.kernels()),
        out_(product.out.raw() + first_row * product.out.row_stride() * size_of(product.out.dtype())),
        out_stride_(product.out.row_stride() * size_of(product.out.dtype())),
        sums_(scratch.tiles.reserve<float>(2 * kTileFloats)),
        scratch_(scratch) {}

  /// All rows times panel `panel` of each part, finished and written; `next` is the panel that this worker
  /// computes after it, as far as can be foreseen: it is fetched meanwhile.
  void compute(int64_t panel, int64_t next) {
    TileFinish finish{.columns = std::min<int64_t>(kPanelColumns, product_.weights.outputs() - panel * kPanelColumns),
                      .activation = product_.activation,
                      .gate = product_.gate,
                      .output = product_.out.dtype(),
                      .out_stride = out_stride_};
    for (size_t part = 0; part < parts_.size(); ++part) {
      packed_[part] = parts_[part].weight.panel(panel, scratch_.panels[part]);
      finish.sums[part] = sums_ + static_cast<int64_t>(part) * kTileFloats;
    }
    // Sums that need no finish go where they belong at once.
    const bool is_direct = product_.activation == Activation::kNone && product_.gate == Gate::kNone &&
                           product_.out.dtype() == DType::kF32 && finish.columns == kPanelColumns;
    const int64_t blocks = (tile_.rows() + kernels_.rows - 1) / kernels_.rows;
    std::byte* out = out_ + panel * kPanelColumns * size_of(product_.out.dtype());
    for (int64_t block = 0; block < blocks; ++block) {
      const ElementRange rows = equal_part(tile_.rows(), blocks, block);
      finish.rows = rows.end - rows.begin;
      finish.out = out + rows.begin * out_stride_;
      for (size_t part = 0; part < parts_.size(); ++part) {
        const Soon soon(parts_[part].weight, next, block, blocks);
        TileCall call = multiplication(rows, part, panel);
        call.soon[0] = soon.halves[0];
        call.soon[1] = soon.halves[1];
        if (is_direct) {
          call.c = reinterpret_cast<float*>(finish.out);
          call.c_stride = out_stride_;
        }
        kernels_.by_rows[finish.rows](call);
      }
      if (!is_direct) finish_tile(finish);
    }
  }

 private:
  /// The tile of `rows` and a panel into the sums of its part; starts from the bias, or from bias and adapters.
  TileCall multiplication(ElementRange rows, size_t part, int64_t panel) const {
    constexpr int64_t kStride = kPanelColumns * size_of(DType::kF32);
    float* sums = sums_ + static_cast<int64_t>(part) * kTileFloats;
    if (tile_.has_delta()) tile_.write_delta(rows, part, panel, sums);
    return {.a = tile_.row(rows.begin),
            .a_stride = tile_.stride(),
            .panel = packed_[part],
            .depth = parts_[part].weight.steps(),
            .start = tile_.has_delta() ? sums : parts_[part].bias.data() + panel * kPanelColumns,
            .start_stride = tile_.has_delta() ? kStride : 0,
            .c = sums,
            .c_stride = kStride,
            .soon = {}};
  }

  const Product& product_;
  const RowTile& tile_;
  const std::vector<LinearPart>& parts_;
  const TileKernels& kernels_;
  std::byte* out_;  // the tile's first row of the result
  int64_t out_stride_;
  float* sums_;
  WorkerScratch& scratch_;
  const std::byte* packed_[2] = {};
};

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
    PanelLoop loop(product, held, rows.begin, own);
    // After the last panel comes that of this worker's next tile, if the workers take turns.
    const int64_t turn = (threads.threads() - 1) * (panels.end - panels.begin);
    for (int64_t panel = panels.begin; panel < panels.end; ++panel) {
      const int64_t next = panel + 1 < panels.end ? panel + 1 : panels.end + turn;
      loop.compute(panel, std::min(next, all - 1));
    }
  });
}

}  // namespace jina
