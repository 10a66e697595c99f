#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/json.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "text/tokenizer.h"

namespace jina::cli {

namespace {

struct TokenizeOptions {
  std::vector<std::string> texts;
  std::string input;
  std::string model;
  bool no_special = false;
};

}  // namespace

void add_tokenize(CLI::App& command, const Environment& environment) {
  auto options = std::make_shared<TokenizeOptions>();
  command.add_option("TEXT", options->texts, "Texts to tokenize");
  command.add_option("-m,--model", options->model, "Model directory or name")->default_val(environment.default_model);
}

}  // namespace jina::cli
