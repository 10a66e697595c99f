#include <algorithm>
#include <cctype>

#include "models/bert/bert.h"

namespace jina {

namespace {

/// Prompts that a family was trained with but whose checkpoints' files do not carry (their model cards state them).
struct Family {
  std::string_view marker;  ///< in the lower-case name of the model
  std::string_view query;
  std::string_view passage;
};

constexpr Family kFamilies[] = {
    {"e5-", "query: ", "passage: "},
    {"bge-large-en", "Represent this sentence for searching relevant passages: ", ""},
    {"bge-base-en", "Represent this sentence for searching relevant passages: ", ""},
    {"bge-small-en", "Represent this sentence for searching relevant passages: ", ""},
    {"bge-large-zh", "为这个句子生成表示以用于检索相关文章：", ""},
    {"bge-base-zh", "为这个句子生成表示以用于检索相关文章：", ""},
    {"bge-small-zh", "为这个句子生成表示以用于检索相关文章：", ""},
};

}  // namespace

void add_family_prompts(ModelCard& card) {
  if (!card.tasks.empty()) return;
  std::string name = card.name;
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Family& family : kFamilies) {
    if (name.find(family.marker) == std::string::npos) continue;
    card.tasks = {{.name = "query", .prompt = std::string(family.query)},
                  {.name = "passage", .prompt = std::string(family.passage)}};
    return;
  }
}

}  // namespace jina
