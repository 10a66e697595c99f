#include "peak.h"

#define FOR_24(X) \
  X(0)            \
  X(1)            \
  X(2)            \
  X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
#define F32(n) "vfmadd231ps %%zmm24, %%zmm25, %%zmm" #n "\n\t"
#define BF16(n) "vdpbf16ps %%zmm24, %%zmm25, %%zmm" #n "\n\t"
#define ZERO(n) "vpxord %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n\t"
#define RUN(instruction)                                                                                            \
  asm volatile(FOR_24(ZERO) ZERO(24) ZERO(25) "1:\n\t" FOR_24(instruction) "dec %0\n\t jnz 1b\n\t"                  \
               : "+r"(rounds)                                                                                       \
               :                                                                                                    \
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",     \
                 "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", \
                 "xmm22", "xmm23", "xmm24", "xmm25")

void run_f32_peak(int64_t rounds) { RUN(F32); }
void run_bf16_peak(int64_t rounds) { RUN(BF16); }
