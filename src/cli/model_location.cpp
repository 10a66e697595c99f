#include "cli/model_location.h"

#include <fmt/format.h>

namespace jina::cli {

ModelStores model_stores(const Environment& environment) {
  return {.models_dir = environment.cache_dir + "/models", .hub_cache_dir = environment.hub_cache_dir};
}

std::string resolve_model(const std::string& name, const Environment& environment) {
  return locate_model(name, model_stores(environment));
}

std::string readable_size(int64_t bytes) {
  constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace jina::cli
