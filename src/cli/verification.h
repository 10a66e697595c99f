#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/expectation.h"
#include "embedding/loader.h"

namespace jina::cli {

/// One thing that was compared.
struct Check {
  std::string name{};
  bool is_ok = true;
  std::optional<double> difference{};  ///< the largest, when numbers were compared
  std::optional<double> tolerance{};   ///< of that number, absolute
  std::string note{};                  ///< where, or what was found and expected
};

struct VerifyReport {
  std::vector<Check> checks{};
  std::vector<std::string> causes{};  ///< why checks failed, most telling first; empty when all is well

  bool is_ok() const;
};

/// Compares a loaded checkpoint (f32) with what is known of it, and finds out why it differs by trying what would
/// explain it: the published token ids, the published pooling, the adapters of other tasks.
VerifyReport verify_model(const LoadedModel& model, const Expectation& expectation);

}  // namespace jina::cli
