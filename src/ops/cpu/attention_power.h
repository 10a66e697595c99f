#pragma once

// Powers of two over the vector operations that the including file defines (see attention_block.h).

// The same statement for each of kCount vectors; a macro, as a loop over a lambda is not unrolled at -O2.
#define JINA_EACH(statement) _Pragma("GCC unroll 8") for (int i = 0; i < kCount; ++i) statement

namespace jina {
namespace {

/// x becomes 2^x, for x <= 0 (a weight): relative error below 2e-7 for kDegree 5, 8e-5 for kDegree 3; at least 2^-125.
/// Minimax polynomials of 2^f on [-1/2, 1/2]; the rounded part goes to the exponent. Step by step over several vectors,
/// as one chain of dependent operations would leave the processor waiting.
template <int kDegree, int kCount>
[[gnu::always_inline]] inline void raise_to_power(V (&x)[kCount]) {
  constexpr float kThird[] = {0.9999280572F, 0.6932609677F, 0.2426111251F, 0.0551716685F};
  constexpr float kFifth[] = {1.0000001192F, 0.6931469440F, 0.2402212024F, 0.0555071309F, 0.0096755410F, 0.0013276472F};
  const auto coefficient = [&](int k) { return broadcast(kDegree == 3 ? kThird[k] : kFifth[k]); };
  const V magic = broadcast(12582912.0F);  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  V shift[kCount], p[kCount];
  JINA_EACH(x[i] = max(broadcast(-125.0F), x[i]));  // this order keeps NaN
  JINA_EACH(shift[i] = x[i] + magic);
  JINA_EACH(p[i] = shift[i] - magic);
  JINA_EACH(x[i] = x[i] - p[i]);
  JINA_EACH(p[i] = fma(coefficient(kDegree), x[i], coefficient(kDegree - 1)));
#pragma GCC unroll 8
  for (int k = kDegree - 2; k >= 0; --k) JINA_EACH(p[i] = fma(p[i], x[i], coefficient(k)));
  JINA_EACH(x[i] = add_exponent(p[i], shift[i]));
}

}  // namespace
}  // namespace jina
