#pragma once

#include <cstdint>

/// Runs `rounds` of 24 independent multiply-adds on 512-bit vectors: 768 operations a round in f32, 1,536 in bf16.
void run_f32_peak(int64_t rounds);
void run_bf16_peak(int64_t rounds);
