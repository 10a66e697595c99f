#include <cmath>

#include "ops/cpu/cpu_backend.h"

// Plain loops; the flash kernels replace this file.
namespace jina {

Tensor CpuBackend::attention(AttentionInputs inputs, const PackedLayout& layout, const AttentionOptions& options) {
  const Tensor q = to_f32(inputs.query), k = to_f32(inputs.key), v = to_f32(inputs.value);
  const int64_t width = inputs.query.width(), dim = width / options.heads, half = dim / 2;
  Tensor out = make_tensor(DType::kF32, {q.rows(), width});
  const auto load = [&](const Tensor& x, int64_t token, int64_t position, int64_t head, std::vector<float>& to) {
    const float* from = x.row<float>(token) + head * dim;
    to.assign(from, from + dim);
    const auto* rotary = std::get_if<RotaryTables>(&options.positions);
    if (rotary == nullptr) return;
    for (int64_t i = 0; i < half; ++i) {
      const float c = rotary->cosines[static_cast<size_t>(position * half + i)], s = rotary->sines[static_cast<size_t>(position * half + i)];
      to[static_cast<size_t>(i)] = from[i] * c - from[i + half] * s;
      to[static_cast<size_t>(i + half)] = from[i + half] * c + from[i] * s;
    }
  };
  threads_.parallel_for(layout.rows() * options.heads, [&](int64_t tile, int) {
    const int64_t row = tile / options.heads, head = tile % options.heads, begin = layout.begin(row), n = layout.length(row);
    std::vector<std::vector<float>> keys(static_cast<size_t>(n));
    for (int64_t j = 0; j < n; ++j) load(k, begin + j, j, head, keys[static_cast<size_t>(j)]);
    std::vector<float> query, p(static_cast<size_t>(n));
    const auto* alibi = std::get_if<AlibiBias>(&options.positions);
    for (int64_t i = 0; i < n; ++i) {
      load(q, begin + i, i, head, query);
      float most = -INFINITY, total = 0;
      for (int64_t j = 0; j < n; ++j) {
        float s = 0;
        for (int64_t d = 0; d < dim; ++d) s += query[static_cast<size_t>(d)] * keys[static_cast<size_t>(j)][static_cast<size_t>(d)];
        s *= options.scale;
        if (alibi != nullptr) s -= alibi->slopes[static_cast<size_t>(head)] * static_cast<float>(std::abs(i - j));
        p[static_cast<size_t>(j)] = s;
        most = std::max(most, s);
      }
      for (float& s : p) total += s = std::exp(s - most);
      float* target = out.row<float>(begin + i) + head * dim;
      for (int64_t j = 0; j < n; ++j)
        for (int64_t d = 0; d < dim; ++d) target[d] += p[static_cast<size_t>(j)] / total * v.row<float>(begin + j)[head * dim + d];
    }
  });
  if (inputs.query.dtype() == DType::kF32) return out;
  Tensor narrow = make_tensor(DType::kBF16, out.shape());
  for (int64_t i = 0; i < out.shape().elements(); ++i) narrow.data<BFloat16>()[i] = to_bfloat16(out.data<float>()[i]);
  return narrow;
}

}  // namespace jina
