#include "gemm/onednn.h"

#include <omp.h>

#include <algorithm>

namespace jina::bench {

namespace {

constexpr int64_t kTileRows = 64;
constexpr int64_t kFewTiles = 8;

}  // namespace

OneDnnLayer::OneDnnLayer(ThreadPool& threads, DType type, int64_t tokens, const Shape& shape) {
  using dnnl::memory;
  const auto kind = type == DType::kBF16 ? memory::data_type::bf16 : memory::data_type::f32;
  const int64_t row_tiles = (tokens + kTileRows - 1) / kTileRows;
  const int64_t groups = row_tiles >= kFewTiles || threads.threads() == 1 ? 1 : std::min<int64_t>(4, shape.out / 96);
  const int64_t columns = shape.out / groups;
  const memory::desc all_x({tokens, shape.in}, kind, memory::format_tag::ab);
  const memory::desc all_y({tokens, shape.out}, kind, memory::format_tag::ab);
  const memory x(all_x, engine_), y(all_y, engine_);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (shape.has_gelu) {
    dnnl::post_ops operations;
    operations.append_eltwise(1.0F, dnnl::algorithm::eltwise_gelu_erf, 0, 0);
    attributes.set_post_ops(operations);
  }
  std::vector<memory> weights(static_cast<size_t>(groups)), biases(static_cast<size_t>(groups));
  size_t most_scratch = 1;
  for (int64_t row_tile = 0; row_tile < row_tiles; ++row_tile) {
    const int64_t begin = tokens * row_tile / row_tiles, rows = tokens * (row_tile + 1) / row_tiles - begin;
    for (int64_t group = 0; group < groups; ++group) {
      const memory::desc weight({shape.in, columns}, kind, memory::format_tag::any);
      const memory::desc bias({1, columns}, memory::data_type::f32, memory::format_tag::ab);
      const memory::desc tile_x({rows, shape.in}, kind, memory::dims{shape.in, 1});
      const memory::desc tile_y({rows, columns}, kind, memory::dims{shape.out, 1});
      const dnnl::matmul::primitive_desc description({tile_x, weight, bias, tile_y}, attributes, engine_);
      auto& packed = weights[static_cast<size_t>(group)];
      if (!packed) {
        packed = memory(description.weights_desc(), engine_);
        biases[static_cast<size_t>(group)] = memory(bias, engine_);
        std::fill_n(static_cast<float*>(biases[static_cast<size_t>(group)].get_data_handle()), columns, 0.1F);
      }
      auto* from = static_cast<char*>(x.get_data_handle()) + begin * shape.in * size_of(type);
      auto* to = static_cast<char*>(y.get_data_handle()) + (begin * shape.out + group * columns) * size_of(type);
      tiles_.push_back({dnnl::matmul(description),
                        {{DNNL_ARG_SRC, memory(tile_x, engine_, from)},
                         {DNNL_ARG_WEIGHTS, packed},
                         {DNNL_ARG_BIAS, biases[static_cast<size_t>(group)]},
                         {DNNL_ARG_DST, memory(tile_y, engine_, to)}}});
      most_scratch = std::max(most_scratch, description.scratchpad_desc().get_size());
    }
  }
  keep_ = {x, y};
  const memory::desc scratch({static_cast<int64_t>(most_scratch)}, memory::data_type::u8, memory::format_tag::a);
  for (int worker = 0; worker < threads.threads(); ++worker) {
    streams_.emplace_back(engine_);
    scratchpads_.emplace_back(scratch, engine_);
  }
}

void OneDnnLayer::run(ThreadPool& threads) {
  threads.parallel_for(static_cast<int64_t>(tiles_.size()), [&](int64_t tile, int worker) {
    omp_set_num_threads(1);
    Tile& each = tiles_[static_cast<size_t>(tile)];
    each.arguments[DNNL_ARG_SCRATCHPAD] = scratchpads_[static_cast<size_t>(worker)];
    each.primitive.execute(streams_[static_cast<size_t>(worker)], each.arguments);
  });
}

}  // namespace jina::bench
