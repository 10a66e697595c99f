// Vector functions shared by the Highway files of this folder; compiled once per target (see hwy/foreach_target.h).
#if defined(JINA_OPS_CPU_VECTOR_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef JINA_OPS_CPU_VECTOR_MATH_INL_H
#undef JINA_OPS_CPU_VECTOR_MATH_INL_H
#else
#define JINA_OPS_CPU_VECTOR_MATH_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace jina {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// x Φ(x) = x / 2 + x / 2 erf(x / √2), the exact GELU. erf(x / √2) = x P(s) with s = 2 x² / 5.2² - 1: a minimax
/// polynomial of degree 14 on |x| <= 5.2, beyond which erf is 1 in float32. Error at most 1.7e-7 max(1, |x|).
template <class D, class V>
HWY_INLINE V gelu(D d, V x) {
  constexpr float kEdge = 5.2F;
  const V edge = hn::Set(d, kEdge);
  const V near = hn::Max(hn::Min(x, edge), hn::Neg(edge));
  const V s = hn::MulSub(hn::Mul(near, hn::Set(d, 2 / (kEdge * kEdge))), near, hn::Set(d, 1.0F));
  // Even and odd powers apart: two short chains of additions that wait for each other run faster than a long one.
  const V square = hn::Mul(s, s);
  V even = hn::Set(d, 4.127609718e-04F);
  even = hn::MulAdd(even, square, hn::Set(d, 1.178539125e-03F));
  even = hn::MulAdd(even, square, hn::Set(d, 5.350316409e-03F));
  even = hn::MulAdd(even, square, hn::Set(d, 1.600660756e-02F));
  even = hn::MulAdd(even, square, hn::Set(d, 3.627143055e-02F));
  even = hn::MulAdd(even, square, hn::Set(d, 6.392421573e-02F));
  even = hn::MulAdd(even, square, hn::Set(d, 1.000522375e-01F));
  even = hn::MulAdd(even, square, hn::Set(d, 2.718999684e-01F));
  V odd = hn::Set(d, -1.131616882e-03F);
  odd = hn::MulAdd(odd, square, hn::Set(d, -1.937311841e-03F));
  odd = hn::MulAdd(odd, square, hn::Set(d, -1.015574764e-02F));
  odd = hn::MulAdd(odd, square, hn::Set(d, -2.469611727e-02F));
  odd = hn::MulAdd(odd, square, hn::Set(d, -4.952945933e-02F));
  odd = hn::MulAdd(odd, square, hn::Set(d, -7.985053211e-02F));
  odd = hn::MulAdd(odd, square, hn::Set(d, -1.354876161e-01F));
  const V p = hn::MulAdd(odd, s, even);
  const V one = hn::Set(d, 1.0F);
  const V erf = hn::IfThenElse(hn::Lt(hn::Abs(x), edge), hn::Mul(near, p), hn::CopySign(one, x));
  const V half = hn::Mul(x, hn::Set(d, 0.5F));
  return hn::MulAdd(half, erf, half);
}

/// f32 → the bits whose upper half is the value in bf16, rounded to nearest even; NaN stays NaN.
template <class D, class V>
HWY_INLINE hn::VFromD<hn::RebindToUnsigned<D>> round_to_bf16(D /*d*/, V x) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(du, 0x7FFFu)), odd);
  return hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), hn::Or(bits, hn::Set(du, 0x400000u)), rounded);
}

/// Stores a vector of f32 as bf16.
template <class D, class V>
HWY_INLINE void store_bf16(D d, V x, uint16_t* to) {
  const hn::RebindToSigned<D> di;
  const hn::Rebind<uint16_t, D> narrow;
  const auto high = hn::ShiftRight<16>(round_to_bf16(d, x));
  hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(di, high)), narrow, to);
}

/// Stores two vectors of f32 as bf16, one after the other.
template <class D, class V>
HWY_INLINE void store_bf16_pair(D d, V low, V high, uint16_t* to) {
#if HWY_TARGET == HWY_SCALAR
  store_bf16(d, low, to);
  store_bf16(d, high, to + 1);
#else
  const hn::RepartitionToNarrow<hn::RebindToUnsigned<D>> halves;
  const auto first = hn::BitCast(halves, round_to_bf16(d, low)), second = hn::BitCast(halves, round_to_bf16(d, high));
  hn::StoreU(hn::ConcatOdd(halves, second, first), halves, to);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace jina
HWY_AFTER_NAMESPACE();

#endif
