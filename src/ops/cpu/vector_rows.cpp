#include "ops/cpu/vector_rows.h"

#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/cpu/vector_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "ops/cpu/vector_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace jina {
namespace HWY_NAMESPACE {

namespace {

const hn::CappedTag<float, 16> kFloats;
using Vector = hn::Vec<decltype(kFloats)>;

int64_t lanes() { return static_cast<int64_t>(hn::Lanes(kFloats)); }

void widen_bf16(const uint16_t* from, int64_t count, float* to) {
  const hn::Rebind<uint16_t, decltype(kFloats)> narrow;
  const hn::RebindToUnsigned<decltype(kFloats)> bits;
  int64_t i = 0;
  for (; i + lanes() <= count; i += lanes()) {
    const auto wide = hn::ShiftLeft<16>(hn::PromoteTo(bits, hn::LoadU(narrow, from + i)));
    hn::StoreU(hn::BitCast(kFloats, wide), kFloats, to + i);
  }
  for (; i < count; ++i) to[i] = to_float(BFloat16{from[i]});
}

void widen_f16(const uint16_t* from, int64_t count, float* to) {
  const hn::Rebind<hwy::float16_t, decltype(kFloats)> narrow;
  int64_t i = 0;
  for (; i + lanes() <= count; i += lanes()) {
    const auto half = hn::LoadU(narrow, reinterpret_cast<const hwy::float16_t*>(from) + i);
    hn::StoreU(hn::PromoteTo(kFloats, half), kFloats, to + i);
  }
  for (; i < count; ++i) to[i] = to_float(Float16{from[i]});
}

void narrow_floats(const float* from, int64_t count, uint16_t* to) {
  int64_t i = 0;
  for (; i + 2 * lanes() <= count; i += 2 * lanes()) {
    store_bf16_pair(kFloats, hn::LoadU(kFloats, from + i), hn::LoadU(kFloats, from + i + lanes()), to + i);
  }
  for (; i < count; ++i) to[i] = to_bfloat16(from[i]).bits;
}

void add_floats(const float* from, float factor, int64_t count, float* to) {
  const Vector f = hn::Set(kFloats, factor);
  int64_t i = 0;
  for (; i + lanes() <= count; i += lanes()) {
    hn::StoreU(hn::MulAdd(f, hn::LoadU(kFloats, from + i), hn::LoadU(kFloats, to + i)), kFloats, to + i);
  }
  for (; i < count; ++i) to[i] += factor * from[i];
}

/// sum[i] = y[i] + residual[i] (residual may be null) → total of the sums.
float sum_floats(const float* y, const float* residual, int64_t count, float* sum) {
  Vector totals[2] = {hn::Zero(kFloats), hn::Zero(kFloats)};
  int64_t i = 0;
  for (int turn = 0; i + lanes() <= count; i += lanes(), turn ^= 1) {
    Vector value = hn::LoadU(kFloats, y + i);
    if (residual != nullptr) value = hn::Add(value, hn::LoadU(kFloats, residual + i));
    hn::StoreU(value, kFloats, sum + i);
    totals[turn] = hn::Add(totals[turn], value);
  }
  float total = hn::GetLane(hn::SumOfLanes(kFloats, hn::Add(totals[0], totals[1])));
  for (; i < count; ++i) total += sum[i] = residual == nullptr ? y[i] : y[i] + residual[i];
  return total;
}

/// Sum of (x - mean)².
float sum_of_squares(const float* x, float mean, int64_t count) {
  const Vector center = hn::Set(kFloats, mean);
  Vector totals[2] = {hn::Zero(kFloats), hn::Zero(kFloats)};
  int64_t i = 0;
  for (int turn = 0; i + lanes() <= count; i += lanes(), turn ^= 1) {
    const Vector apart = hn::Sub(hn::LoadU(kFloats, x + i), center);
    totals[turn] = hn::MulAdd(apart, apart, totals[turn]);
  }
  float total = hn::GetLane(hn::SumOfLanes(kFloats, hn::Add(totals[0], totals[1])));
  for (; i < count; ++i) total += (x[i] - mean) * (x[i] - mean);
  return total;
}

struct Normalise {
  float mean;
  float factor;
  const float* scale;
  const float* shift;
};

template <typename T>
void normalise(const Normalise& by, const float* x, int64_t count, T* to) {
  const Vector mean = hn::Set(kFloats, by.mean), factor = hn::Set(kFloats, by.factor);
  int64_t i = 0;
  for (; i + lanes() <= count; i += lanes()) {
    const Vector unit = hn::Mul(hn::Sub(hn::LoadU(kFloats, x + i), mean), factor);
    const Vector y = hn::MulAdd(unit, hn::LoadU(kFloats, by.scale + i), hn::LoadU(kFloats, by.shift + i));
    if constexpr (sizeof(T) == 4) {
      hn::StoreU(y, kFloats, to + i);
    } else {
      store_bf16(kFloats, y, to + i);
    }
  }
  for (; i < count; ++i) {
    const float y = (x[i] - by.mean) * by.factor * by.scale[i] + by.shift[i];
    if constexpr (sizeof(T) == 4) {
      to[i] = y;
    } else {
      to[i] = to_bfloat16(y).bits;
    }
  }
}

void layer_norm(const NormWeights& weights, const Tensor& y, const Tensor& residual, int64_t row, float* sum,
                const Tensor& out) {
  const int64_t count = y.width();
  const float* beside = residual.is_empty() ? nullptr : residual.row<float>(row);
  const float mean = sum_floats(y.row<float>(row), beside, count, sum) / static_cast<float>(count);
  const float variance = sum_of_squares(sum, mean, count) / static_cast<float>(count);
  const Normalise by{mean, 1 / std::sqrt(variance + weights.epsilon), weights.scale.data<float>(),
                     weights.shift.data<float>()};
  if (out.dtype() == DType::kF32) return normalise(by, sum, count, out.row<float>(row));
  normalise(by, sum, count, out.row<uint16_t>(row));
}

void mean(const Tensor& hidden, TokenSpan span, ElementRange range, float* to) {
  const hn::Rebind<float, hn::CappedTag<double, 8>> floats;
  const hn::CappedTag<double, 8> doubles;
  const auto step = static_cast<int64_t>(hn::Lanes(doubles));
  const double factor = span.end > span.begin ? 1.0 / static_cast<double>(span.end - span.begin) : 0;
  int64_t i = range.begin;
  for (; i + 4 * step <= range.end; i += 4 * step) {
    hn::Vec<decltype(doubles)> totals[4] = {hn::Zero(doubles), hn::Zero(doubles), hn::Zero(doubles), hn::Zero(doubles)};
    for (int64_t token = span.begin; token < span.end; ++token) {
      const float* row = hidden.row<float>(token) + i;
      for (int part = 0; part < 4; ++part) {
        totals[part] = hn::Add(totals[part], hn::PromoteTo(doubles, hn::LoadU(floats, row + part * step)));
      }
    }
    for (int part = 0; part < 4; ++part) {
      const auto scaled = hn::DemoteTo(floats, hn::Mul(totals[part], hn::Set(doubles, factor)));
      hn::StoreU(scaled, floats, to + (i - range.begin) + part * step);
    }
  }
  for (; i < range.end; ++i) {
    double total = 0;
    for (int64_t token = span.begin; token < span.end; ++token) total += hidden.row<float>(token)[i];
    to[i - range.begin] = static_cast<float>(total * factor);
  }
}

}  // namespace

}  // namespace HWY_NAMESPACE
}  // namespace jina
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace jina {

HWY_EXPORT(widen_bf16);
HWY_EXPORT(widen_f16);
HWY_EXPORT(narrow_floats);
HWY_EXPORT(add_floats);
HWY_EXPORT(layer_norm);
HWY_EXPORT(mean);

void widen_row(const Tensor& from, int64_t row, ElementRange range, float* to) {
  const int64_t count = range.end - range.begin;
  switch (from.dtype()) {
    case DType::kF32:
      std::memcpy(to, from.row<float>(row) + range.begin, static_cast<size_t>(count) * sizeof(float));
      return;
    case DType::kF16: HWY_DYNAMIC_DISPATCH(widen_f16)(from.row<uint16_t>(row) + range.begin, count, to); return;
    case DType::kBF16: HWY_DYNAMIC_DISPATCH(widen_bf16)(from.row<uint16_t>(row) + range.begin, count, to); return;
    case DType::kI32:
    case DType::kF64:
    case DType::kI64:
    case DType::kI8:
    case DType::kU8:
    case DType::kBool: break;
  }
  fail(ErrorKind::kModelFile, {}, "expected a floating-point tensor, found {}", to_string(from.dtype()));
}

void narrow_row(const float* from, int64_t count, BFloat16* to) {
  HWY_DYNAMIC_DISPATCH(narrow_floats)(from, count, &to->bits);
}

void add_row(const float* from, int64_t count, float* to) { HWY_DYNAMIC_DISPATCH(add_floats)(from, 1.0F, count, to); }

void add_scaled_row(const float* from, float factor, int64_t count, float* to) {
  HWY_DYNAMIC_DISPATCH(add_floats)(from, factor, count, to);
}

void layer_norm_row(const NormWeights& weights, const Tensor& y, const Tensor& residual, int64_t row, float* sum,
                    const Tensor& out) {
  HWY_DYNAMIC_DISPATCH(layer_norm)(weights, y, residual, row, sum, out);
}

void mean_rows(const Tensor& hidden, TokenSpan span, ElementRange range, float* to) {
  HWY_DYNAMIC_DISPATCH(mean)(hidden, span, range, to);
}

}  // namespace jina
#endif
