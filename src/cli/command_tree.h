#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace jina::cli {

/// One option or positional argument, as the parser knows it.
struct OptionInfo {
  std::string short_flag;            ///< "-m", or empty
  std::string long_flag;             ///< "--model", or empty
  std::string name;                  ///< of a positional: "TEXT"; else empty
  std::string value;                 ///< what it takes, e.g. "FILE"; empty for a flag
  std::vector<std::string> choices;  ///< the allowed values, when it is a closed set
  std::string description;
  bool is_repeated = false;  ///< may be given, or take values, more than once
  bool is_required = false;

  bool is_positional() const { return !name.empty(); }
  bool is_number() const { return value == "INT" || value == "UINT" || value == "FLOAT"; }
};

/// A command with all that can follow it. Completion scripts and the man page are written from this, so that they
/// cannot differ from the parser.
struct CommandInfo {
  std::string name;
  std::string summary;
  std::vector<OptionInfo> options;
  std::vector<CommandInfo> commands;
};

CommandInfo describe(const CLI::App& app);

/// The completion script of a shell ("bash", "zsh" or "fish").
std::string completion_script(const CommandInfo& program, const std::string& shell);

/// The manual page jina(1) in roff.
std::string man_page(const CommandInfo& program, const std::string& version);

}  // namespace jina::cli
