#include "tensor/pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

namespace jina {
namespace {

TEST(TensorPool, BuffersComeBackAndAreReused) {
  TensorPool pool;
  const std::byte* address = nullptr;
  {
    const Tensor first = pool.allocate(DType::kF32, {100, 10});
    address = first.raw();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(address) % 64, 0u);
    EXPECT_GE(pool.bytes_in_use(), 4000u);
  }
  EXPECT_EQ(pool.bytes_in_use(), 0u);
  EXPECT_GE(pool.bytes_held(), 4000u);
  EXPECT_EQ(pool.allocate(DType::kF32, {90, 10}).raw(), address);
  pool.trim();
  EXPECT_EQ(pool.bytes_held(), 0u);
}

TEST(TensorPool, SmallTensorDoesNotHoldALargeBuffer) {
  TensorPool pool;
  pool.allocate(DType::kF32, {1000, 100});
  const Tensor small = pool.allocate(DType::kF32, {10});
  EXPECT_LT(pool.bytes_in_use(), 1000u);
}

TEST(TensorPool, PeakIsThatOfTensorsAliveAtOnce) {
  TensorPool pool;
  for (int i = 0; i < 10; ++i) pool.allocate(DType::kU8, {4096 + 64 * i});
  EXPECT_LE(pool.peak_bytes(), 2u * 4800u);
  const Tensor first = pool.allocate(DType::kU8, {64000});
  const Tensor second = pool.allocate(DType::kU8, {64000});
  EXPECT_GE(pool.peak_bytes(), 128000u);
}

TEST(TensorPool, TensorsOutliveThePool) {
  Tensor kept;
  {
    TensorPool pool;
    kept = pool.allocate(DType::kF32, {8});
    kept.data<float>()[7] = 7.0F;
  }
  EXPECT_EQ(kept.data<float>()[7], 7.0F);
}

TEST(TensorPoolConcurrency, ThreadsTakeAndReturn) {
  TensorPool pool;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 500; ++i) {
        const Tensor tensor = pool.allocate(DType::kI32, {1 + (i * 37 + t) % 900});
        for (int32_t& value : tensor.span<int32_t>()) value = t;
        for (const int32_t value : tensor.span<int32_t>()) ASSERT_EQ(value, t);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.bytes_in_use(), 0u);
}

}  // namespace
}  // namespace jina
