#include "cli/command_tree.h"

#include <algorithm>

namespace jina::cli {

namespace {

/// The members of "TEXT:{a,b,c}", the form in which the parser prints a closed set.
std::vector<std::string> choices_in(const std::string& type) {
  std::vector<std::string> choices;
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return choices;
  for (size_t begin = open + 1; begin < close;) {
    const size_t end = std::min(type.find(',', begin), close);
    const std::string choice = type.substr(begin, end - begin);
    choices.push_back(choice.substr(0, choice.find("->")));  // a mapped value prints as name->value
    begin = end + 1;
  }
  return choices;
}

OptionInfo describe(const CLI::Option& option) {
  OptionInfo info;
  if (!option.get_snames().empty()) info.short_flag = "-" + option.get_snames().front();
  if (!option.get_lnames().empty()) info.long_flag = "--" + option.get_lnames().front();
  if (option.get_positional() && info.short_flag.empty() && info.long_flag.empty()) info.name = option.get_name(true);
  info.description = option.get_description();
  info.is_required = option.get_required();
  info.is_repeated = option.get_items_expected_max() > 1;
  if (option.get_items_expected_max() != 0) {  // else a flag
    const std::string type = option.get_type_name();
    info.choices = choices_in(type);
    info.value = type.substr(0, type.find(':'));
    if (info.value.empty() || info.value.front() == '{') info.value = "VALUE";
  }
  return info;
}

}  // namespace

CommandInfo describe(const CLI::App& app) {
  CommandInfo info{.name = app.get_name(), .summary = app.get_description(), .options = {}, .commands = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) info.options.push_back(describe(*option));  // no group: hidden
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) info.commands.push_back(describe(*command));
  }
  return info;
}

}  // namespace jina::cli
