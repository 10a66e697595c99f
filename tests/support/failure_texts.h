#pragma once

#include <array>
#include <string>
#include <vector>

namespace jina::test {

inline constexpr std::array kFailureNames{"Ada",   "Boris", "Clara", "Dora",  "Emil",  "Frida", "Gustav",
                                          "Hanna", "Igor",  "Jonas", "Klaus", "Lotte", "Marta", "Nora",
                                          "Oskar", "Paula", "Rosa",  "Simon", "Thea",  "Viktor"};
inline constexpr std::array kFailureThings{"garden", "river",  "bridge", "castle",  "market",  "harbour", "forest",
                                           "meadow", "tower",  "chapel", "station", "library", "mill",    "orchard",
                                           "square", "tunnel", "island", "stable",  "quarry",  "fountain"};

/// Sixty sentences with twenty names and twenty things, each name in three: enough for failure cases of every kind.
inline std::vector<std::string> failure_sentences() {
  std::vector<std::string> sentences;
  for (size_t k = 0; k < 3; ++k) {
    for (size_t i = 0; i < kFailureNames.size(); ++i) {
      const std::string from = kFailureThings[(i + k) % kFailureThings.size()];
      const std::string to = kFailureThings[(i + 7 * k + 3) % kFailureThings.size()];
      sentences.push_back("In the morning " + std::string(kFailureNames[i]) + " walked from the " + from + " to the " +
                          to + ".");
    }
  }
  return sentences;
}

/// The same as JSON lines {"text": …}.
inline std::string failure_lines() {
  std::string lines;
  for (const std::string& sentence : failure_sentences()) lines += "{\"text\": \"" + sentence + "\"}\n";
  return lines;
}

/// JSON lines with an answer to each of twelve questions, good ones (score 0.9) and bad ones (0.2).
inline std::string rated_lines() {
  std::string lines;
  for (const char* rating : {"0.9", "0.2"}) {
    for (int i = 0; i < 12; ++i) {
      const std::string number = std::to_string(i);
      lines += "{\"query\": \"question " + number + "\", \"answer\": \"answer " + number + " rated " + rating +
               "\", \"rating\": " + rating + "}\n";
    }
  }
  return lines;
}

}  // namespace jina::test
