#pragma once

#include <array>

#include "text/normalizer.h"

namespace jina {

/// BertNormalizer of HF `tokenizers`: cleans controls and blanks, puts blanks around Chinese characters, strips
/// accents, lower-cases; each of them optional.
class BertNormalizer : public Normalizer {
 public:
  struct Options {
    bool clean_text = true;
    bool handle_chinese_chars = true;
    bool strip_accents = true;
    bool lowercase = true;
  };
  explicit BertNormalizer(const Options& options);
  /// An absent or null "strip_accents" follows "lowercase".
  static Options parse_options(const Json& json);

  void apply(NormalizedText& text) const override;

 private:
  enum class Stage : uint8_t { kAll, kBeforeStrip, kAfterStrip };
  bool rewrite(NormalizedText& text, Stage stage) const;
  uint16_t changing_flags(Stage stage) const;
  bool append_character(char32_t c, uint16_t flags, Stage stage, std::string& out) const;

  Options options_;
  std::array<char, 128> ascii_;        // what each ASCII character becomes
  std::array<bool, 128> is_copied_{};  // false for those that are removed
};

}  // namespace jina
