#include "text/added_tokens.h"

#include <gtest/gtest.h>

namespace jina {
namespace {

/// The parts of `text` as "id:content", text between tokens as "-:content".
std::vector<std::string> split(const AddedTokens& tokens, std::string_view text) {
  std::vector<AddedTokens::Part> parts;
  tokens.split(text, parts);
  std::vector<std::string> shown;
  for (const AddedTokens::Part& part : parts) {
    const std::string id = part.id == AddedTokens::kText ? "-" : std::to_string(part.id);
    shown.push_back(id + ":" + std::string(text.substr(part.span.begin, part.span.end - part.span.begin)));
  }
  return shown;
}

using Parts = std::vector<std::string>;

TEST(AddedTokens, TheLeftmostAndThenTheLongestIsFound) {
  const AddedTokens tokens({{.content = "ab", .id = 1}, {.content = "abcd", .id = 2}, {.content = "bcde", .id = 3}});
  EXPECT_EQ(split(tokens, "abcde"), (Parts{"2:abcd", "-:e"}));
  EXPECT_EQ(split(tokens, "xabcx"), (Parts{"-:x", "1:ab", "-:cx"}));
  EXPECT_EQ(split(tokens, "bcde"), Parts{"3:bcde"});
  EXPECT_EQ(split(tokens, "nothing"), Parts{"-:nothing"});
  EXPECT_EQ(split(tokens, ""), Parts{});
  EXPECT_EQ(split(AddedTokens(), "ab"), Parts{"-:ab"});
}

TEST(AddedTokens, BlanksAreTakenOnTheSidesThatStrip) {
  const AddedTokens tokens({{.content = "<m>", .id = 1, .lstrip = true}, {.content = "<r>", .id = 2, .rstrip = true}});
  EXPECT_EQ(split(tokens, "a \u3000<m> b"), (Parts{"-:a", "1: \u3000<m>", "-: b"}));
  EXPECT_EQ(split(tokens, "<r>  <m>"), (Parts{"2:<r>  ", "1:<m>"}));  // what is taken is not taken again
}

TEST(AddedTokens, SingleWordsDoNotTouchWordCharacters) {
  const AddedTokens tokens({{.content = "day", .id = 1, .single_word = true}});
  EXPECT_EQ(split(tokens, "day today (day) day\u00E9"), (Parts{"1:day", "-: today (", "1:day", "-:) day\u00E9"}));
}

}  // namespace
}  // namespace jina
