#include <cstdio>

#include "cli/command.h"
#include "cli/command_tree.h"

namespace jina::cli {

namespace {

/// Text as roff shows it: backslashes and hyphens kept, no line taken for a request.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += "\\&";
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string term_of(const OptionInfo& option) {
  if (option.is_positional()) return italic(option.name) + (option.is_repeated ? "..." : "");
  std::string term = option.short_flag.empty() ? "" : bold(option.short_flag);
  if (!option.long_flag.empty()) term += (term.empty() ? "" : ", ") + bold(option.long_flag);
  if (!option.value.empty()) term += " " + italic(option.value);
  return term;
}

std::string synopsis(const CommandInfo& command) {
  std::string line = bold("jina " + command.name) + " [" + italic("options") + "]";
  for (const OptionInfo& option : command.options) {
    if (!option.is_positional()) continue;
    const std::string name = italic(option.name) + (option.is_repeated ? "..." : "");
    line += option.is_required ? " " + name : " [" + name + "]";
  }
  return line;
}

std::string section_of(const CommandInfo& command) {
  std::string text =
      fmt::format(".SS {}\n{}\n.PP\n{}.\n", escaped(command.name), synopsis(command), escaped(command.summary));
  for (const OptionInfo& option : command.options) {
    text += fmt::format(".TP\n{}\n{}", term_of(option), escaped(option.description));
    for (size_t i = 0; i < option.choices.size(); ++i) text += (i == 0 ? ": " : ", ") + bold(option.choices[i]);
    text += "\n";
  }
  return text;
}

struct Term {
  std::string_view name;
  std::string_view meaning;
};

constexpr Term kExitCodes[] = {
    {"0", "Done."},
    {"1", "The work failed: a file could not be written, the network broke off."},
    {"2", "The command line or an input was wrong."},
    {"130", "Interrupted."},
};

constexpr Term kVariables[] = {
    {"JINA_MODEL", "The default model: a directory or a name."},
    {"JINA_CACHE", "Where models are kept; otherwise $XDG_CACHE_HOME/jina or ~/.cache/jina."},
    {"HF_ENDPOINT", "The hub that models are pulled from."},
    {"HF_TOKEN", "Sent to the hub for models that need it."},
    {"HF_HOME, HF_HUB_CACHE", "An existing hub cache, whose models are used as they lie."},
    {"HF_HUB_OFFLINE", "1, true, yes or on: never use the network."},
};

constexpr Term kExamples[] = {
    {"jina embed \"A cat sleeps on the sofa.\"", "Embed a sentence."},
    {"jina embed -i notes.txt -o vectors.jsonl", "Embed each line of a file."},
    {"jina search \"how do I save electricity\" -i notes.txt", "Find lines by meaning."},
};

template <size_t kCount>
std::string terms(const Term (&rows)[kCount]) {
  std::string text;
  for (const Term& row : rows) text += fmt::format(".TP\n{}\n{}\n", bold(row.name), escaped(row.meaning));
  return text;
}

}  // namespace

std::string man_page(const CommandInfo& program, const std::string& version) {
  std::string commands;
  for (const CommandInfo& command : program.commands) commands += section_of(command);
  return fmt::format(
             ".TH JINA 1 \"\" \"jina {}\" \"User Commands\"\n"
             ".SH NAME\njina \\- turn text into vectors, and search by meaning\n"
             ".SH SYNOPSIS\n.B jina\n.I command\n.RI [ options ]\n"
             ".SH DESCRIPTION\n{}\n"
             ".PP\nResults go to standard output; progress, warnings and errors to standard error.\n"
             ".SH COMMANDS\n",
             escaped(version), escaped(program.summary)) +
         commands + ".SH EXIT STATUS\n" + terms(kExitCodes) + ".SH ENVIRONMENT\n" + terms(kVariables) +
         ".SH EXAMPLES\n" + terms(kExamples);
}

void add_man(CLI::App& command, const Environment&) {
  command.footer("To read it: jina man | man -l -");
  command.callback([&command] {
    const std::string page = man_page(describe(*command.get_parent()), std::string(version_number()));
    std::fputs(page.c_str(), stdout);
  });
}

}  // namespace jina::cli
