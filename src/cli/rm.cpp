#include <fmt/format.h>

#include <cstdio>

#include "cli/model_location.h"

namespace jina::cli {

void add_rm(CLI::App& command, const Environment& environment) {
  auto name = std::make_shared<std::string>();
  command.add_option("NAME", *name, "The model: ORG/NAME, ORG/NAME@REVISION, or NAME where that is clear")->required();
  command.callback([name, environment] {
    const RemovedModel removed = remove_model(*name, model_stores(environment));
    fmt::print("removed {} ({}), {} freed\n", removed.text, removed.directory, readable_size(removed.bytes));
  });
}

}  // namespace jina::cli
