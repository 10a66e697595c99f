#include <cstdio>
#include <memory>

#include "cli/command.h"
#include "cli/command_tree.h"

namespace jina::cli {

namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// Inside single quotes of any of the three shells.
std::string quoted(const std::string& text) { return "'" + replace_all(text, "'", "'\\''") + "'"; }

/// The first sentence, on one line: completion menus are narrow.
std::string headline(const std::string& description) {
  return replace_all(description.substr(0, std::min(description.find(". "), description.find('\n'))), "\n", " ");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> flags_of(const OptionInfo& option) {
  std::vector<std::string> flags;
  if (!option.short_flag.empty()) flags.push_back(option.short_flag);
  if (!option.long_flag.empty()) flags.push_back(option.long_flag);
  return flags;
}

std::vector<std::string> flags_of(const CommandInfo& command) {
  std::vector<std::string> flags;
  for (const OptionInfo& option : command.options) {
    for (std::string& flag : flags_of(option)) flags.push_back(std::move(flag));
  }
  return flags;
}

std::vector<std::string> names_of(const std::vector<CommandInfo>& commands) {
  std::vector<std::string> names;
  for (const CommandInfo& command : commands) names.push_back(command.name);
  return names;
}

// --- bash

/// A row for each option of a command that takes one of a closed set; after others bash offers files.
std::string bash_values(const CommandInfo& command) {
  std::string rows;
  for (const OptionInfo& option : command.options) {
    if (option.choices.empty() || option.is_positional()) continue;
    for (const std::string& flag : flags_of(option)) {
      rows += fmt::format("    '{} {}') COMPREPLY=($(compgen -W {} -- \"$word\")); return ;;\n", command.name, flag,
                          quoted(joined(option.choices)));
    }
  }
  return rows;
}

/// The words of a positional argument with a closed set, e.g. the shells of `completion`.
std::string bash_words(const CommandInfo& command) {
  std::vector<std::string> words = flags_of(command);
  std::string row = fmt::format("    {})\n      [[ $word == -* ]] && words={}\n", command.name, quoted(joined(words)));
  for (const OptionInfo& option : command.options) {
    if (option.is_positional() && !option.choices.empty()) {
      row += fmt::format("      [[ $word == -* ]] || words={}\n", quoted(joined(option.choices)));
    }
  }
  return row + "      ;;\n";
}

std::string bash_script(const CommandInfo& program) {
  std::string values;
  std::string words;
  for (const CommandInfo& command : program.commands) {
    values += bash_values(command);
    words += bash_words(command);
  }
  std::vector<std::string> first = names_of(program.commands);
  for (const std::string& flag : flags_of(program)) first.push_back(flag);
  return fmt::format(
      "# bash completion for jina; written by `jina completion bash`\n"
      "_jina() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} words=\n"
      "  COMPREPLY=()\n"
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "    COMPREPLY=($(compgen -W {} -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}} $previous\" in\n{}  esac\n"
      "  case ${{COMP_WORDS[1]}} in\n{}  esac\n"
      "  if [[ -n $words ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\")); fi\n"
      "}}\n"
      "complete -o default -F _jina jina\n",
      quoted(joined(first)), values, words);
}

// --- zsh

std::string zsh_value(const OptionInfo& option) {
  if (option.value.empty()) return {};
  const std::string action = !option.choices.empty() ? "(" + joined(option.choices) + ")"
                             : option.is_number()    ? " "
                                                     : "_files";
  return fmt::format(":{}:{}", replace_all(option.value, ":", " "), action);
}

std::string zsh_escaped(const std::string& text) {
  return replace_all(replace_all(replace_all(text, "[", "\\["), "]", "\\]"), ":", "\\:");
}

std::string zsh_arguments(const CommandInfo& command) {
  std::string rows;
  bool has_positional = false;
  for (const OptionInfo& option : command.options) {
    if (option.is_positional()) {
      const std::string action = option.choices.empty() ? "_files" : "(" + joined(option.choices) + ")";
      rows += fmt::format(" \\\n        {}", quoted(fmt::format("*:{}:{}", option.name, action)));
      has_positional = true;
      continue;
    }
    for (const std::string& flag : flags_of(option)) {
      const std::string repeat = option.is_repeated ? "*" : "";
      rows += fmt::format(" \\\n        {}",
                          quoted(fmt::format("{}{}[{}]{}", repeat, flag, zsh_escaped(headline(option.description)),
                                             zsh_value(option))));
    }
  }
  if (!has_positional) rows += " \\\n        '*:file:_files'";
  return rows;
}

std::string zsh_script(const CommandInfo& program) {
  std::string commands;
  std::string arguments;
  for (const CommandInfo& command : program.commands) {
    commands += fmt::format("    {}\n", quoted(command.name + ":" + zsh_escaped(headline(command.summary))));
    arguments += fmt::format("    {})\n      _arguments -s{}\n      ;;\n", command.name, zsh_arguments(command));
  }
  return fmt::format(
      "#compdef jina\n"
      "# zsh completion for jina; written by `jina completion zsh`\n"
      "_jina() {{\n"
      "  local -a commands\n"
      "  commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=${{words[2]}}\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $command in\n{}  esac\n"
      "}}\n"
      "if [ \"$funcstack[1]\" = _jina ]; then _jina \"$@\"; else compdef _jina jina; fi\n",
      commands, arguments);
}

// --- fish

std::string fish_option(const std::string& condition, const OptionInfo& option) {
  std::string row = "complete -c jina -n " + quoted(condition);
  if (!option.short_flag.empty()) row += " -s " + option.short_flag.substr(1);
  if (!option.long_flag.empty()) row += " -l " + option.long_flag.substr(2);
  if (!option.value.empty() && !option.is_positional())
    row += option.is_number() || !option.choices.empty() ? " -x" : " -r -F";
  if (!option.choices.empty()) row += " -a " + quoted(joined(option.choices));
  return row + " -d " + quoted(headline(option.description)) + "\n";
}

std::string fish_script(const CommandInfo& program) {
  std::string script = "# fish completion for jina; written by `jina completion fish`\n";
  for (const OptionInfo& option : program.options) script += fish_option("__fish_use_subcommand", option);
  for (const CommandInfo& command : program.commands) {
    script += fmt::format("complete -c jina -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                          quoted(headline(command.summary)));
    for (const OptionInfo& option : command.options) {
      if (option.is_positional() && option.choices.empty()) continue;
      script += fish_option("__fish_seen_subcommand_from " + command.name, option);
    }
  }
  return script;
}

}  // namespace

std::string completion_script(const CommandInfo& program, const std::string& shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "zsh") return zsh_script(program);
  if (shell == "fish") return fish_script(program);
  fail(ErrorKind::kInvalidArgument, "completion", "no completion for the shell '{}'; known: bash, zsh, fish", shell);
}

void add_completion(CLI::App& command, const Environment&) {
  auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "The shell to write the script for")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command.footer("To use it: source <(jina completion bash), or save it where your shell looks for completions.");
  command.callback([shell, &command] {
    const std::string script = completion_script(describe(*command.get_parent()), *shell);
    std::fputs(script.c_str(), stdout);
  });
}

}  // namespace jina::cli
