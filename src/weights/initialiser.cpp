#include "weights/initialiser.h"

#include "base/error.h"
#include "base/rng.h"

namespace jina {

namespace {

/// Rounds to nearest even; values here are far from the ends of the range.
Float16 to_float16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  constexpr uint32_t kSmallestNormal = 0x38800000u;  // 2^-14
  if (magnitude < kSmallestNormal) {
    // Adding 1/2 lets the float unit round to the multiples of 2^-24 that subnormal halves are.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5F)))};
  }
  const uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1u);
  return {static_cast<uint16_t>(sign | ((rounded - (112u << 23)) >> 13))};
}

template <typename T>
T convert(float value);
template <>
float convert(float value) {
  return value;
}
template <>
Float16 convert(float value) {
  return to_float16(value);
}
template <>
BFloat16 convert(float value) {
  return to_bfloat16(value);
}

template <typename T>
void fill(const Tensor& tensor, const CounterRng& rng, float mean, float deviation) {
  uint64_t position = 0;
  for (T& value : tensor.span<T>()) value = convert<T>(mean + deviation * rng.rough_normal(position++));
}

class Initialiser final : public WeightSource {
 public:
  Initialiser(uint64_t seed, float deviation, DType dtype)
      : seed_(seed), deviation_(deviation), dtype_(dtype), where_(fmt::format("initialiser (seed {})", seed)) {}

  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    check_size(name, shape);
    Tensor tensor = make_tensor(dtype_, shape);
    const CounterRng rng(seed_, name);
    const float mean = shape.rank() == 1 && !name.ends_with("bias") ? 1.0F : 0.0F;
    if (dtype_ == DType::kF32) fill<float>(tensor, rng, mean, deviation_);
    if (dtype_ == DType::kF16) fill<Float16>(tensor, rng, mean, deviation_);
    if (dtype_ == DType::kBF16) fill<BFloat16>(tensor, rng, mean, deviation_);
    return tensor;
  }

  std::vector<std::string> names() const override { return {}; }
  const std::string& where() const override { return where_; }
  void release(const Tensor& /*tensor*/) override {}

 private:
  /// A broken config must not become an allocation of any size.
  void check_size(const std::string& name, const Shape& shape) const {
    constexpr int64_t kMaxElements = int64_t{1} << 33;
    int64_t elements = 1;
    for (int i = 0; i < shape.rank(); ++i) {
      if (shape[i] < 0 || __builtin_mul_overflow(elements, shape[i], &elements) || elements > kMaxElements) {
        fail(ErrorKind::kModelFile, where_, "tensor '{}': shape {} is not sensible", name, to_string(shape));
      }
    }
  }

  uint64_t seed_;
  float deviation_;
  DType dtype_;
  std::string where_;
};

}  // namespace

std::shared_ptr<WeightSource> make_initialiser(uint64_t seed, float deviation, DType dtype) {
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
    fail(ErrorKind::kInvalidArgument, {}, "initialiser: expected f32, f16 or bf16, found {}", to_string(dtype));
  }
  return std::make_shared<Initialiser>(seed, deviation, dtype);
}

}  // namespace jina
