#pragma once

#include <string>

#include "cli/command.h"
#include "net/model_cache.h"

namespace jina::cli {

/// The places where models lie, as the environment says.
ModelStores model_stores(const Environment& environment);

/// The directory of the model that a person named: a path, ORG/NAME[@REVISION], or a bare name. Errors of locate_model.
std::string resolve_model(const std::string& name, const Environment& environment);

/// "1.1 GB": bytes in decimal units for people.
std::string readable_size(int64_t bytes);

}  // namespace jina::cli
