#include "support/golden.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "weights/safetensors.h"

namespace jina::test {

Golden::Golden(const std::string& name)
    : directory_(std::string(JINA_SOURCE_DIR) + "/tests/golden/models/" + name),
      expected_(std::make_unique<JsonDocument>(JsonDocument::parse_file(directory_ + "/expected.json"))),
      tensors_(open_safetensors_file(directory_ + "/expected.safetensors")) {}

Tensor Golden::tensor(const std::string& name) const {
  const auto found = tensors_->find(name, {});
  JINA_CHECK(found.has_value());
  return *found;
}

bool Golden::has(const std::string& name) const { return tensors_->find(name, {}).has_value(); }

std::vector<int32_t> int_list(const Json& list) {
  std::vector<int32_t> values;
  for (const Json& value : list.as_array()) values.push_back(static_cast<int32_t>(value.as_int()));
  return values;
}

double max_difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - b[i]);
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    most = std::max(most, difference);
  }
  return most;
}

}  // namespace jina::test
