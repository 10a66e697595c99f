#include "text/bert_normalizer.h"

#include "text/text_rewriter.h"
#include "text/unicode.h"
#include "text/unicode_normalization.h"

namespace jina {

namespace {

constexpr char kNotCopied = '\x7F';  // itself removed by clean_text, so no character becomes it then

/// The blocks that the reference takes for Chinese (its list, gaps included).
bool is_chinese(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

void append_lowercase(std::string& out, char32_t c) {
  const CharacterMapping mapping = lowercase(c);
  if (mapping.empty()) append_utf8(out, c);
  for (const char32_t lower : mapping) append_utf8(out, lower);
}

}  // namespace

BertNormalizer::Options BertNormalizer::parse_options(const Json& json) {
  Options options;
  options.clean_text = json.at("clean_text").as_bool();
  options.handle_chinese_chars = json.at("handle_chinese_chars").as_bool();
  options.lowercase = json.at("lowercase").as_bool();
  options.strip_accents = json.bool_or("strip_accents", options.lowercase);
  return options;
}

BertNormalizer::BertNormalizer(const Options& options) : options_(options) {
  for (unsigned c = 0; c < ascii_.size(); ++c) {
    char mapped = static_cast<char>(c);
    if (options_.lowercase && c >= 'A' && c <= 'Z') mapped = static_cast<char>(c + 32);
    if (options_.clean_text && is_whitespace(c)) mapped = ' ';
    if (options_.clean_text && (character_flags(c) & kCleaned) != 0) mapped = kNotCopied;
    ascii_[c] = mapped;
  }
}

/// Appends what `c` becomes. False when stripping accents would leave a mark that NFD may have to move past others:
/// then the text cannot be rewritten character by character.
bool BertNormalizer::append_character(char32_t c, Stage stage, std::u32string& scratch, std::string& out) const {
  const bool is_padded = options_.handle_chinese_chars && stage != Stage::kAfterStrip && is_chinese(c);
  const bool is_stripped = options_.strip_accents && stage != Stage::kBeforeStrip;
  const bool is_lowered = options_.lowercase && stage != Stage::kBeforeStrip;
  if (is_padded) out.push_back(' ');
  scratch.clear();
  if (is_stripped && stage == Stage::kAll) {
    append_canonical_decomposition(c, scratch);
  } else {
    scratch.push_back(c);
  }
  for (const char32_t part : scratch) {
    if (is_stripped) {
      if ((character_flags(part) & kMarkNonspacing) != 0) continue;
      if (stage == Stage::kAll && combining_class(part) != 0) return false;
    }
    if (is_lowered) {
      append_lowercase(out, part);
    } else {
      append_utf8(out, part);
    }
  }
  if (is_padded) out.push_back(' ');
  return true;
}

bool BertNormalizer::rewrite(NormalizedText& text, Stage stage) const {
  TextRewriter rewriter(text);
  const std::string_view source = rewriter.source();
  const bool is_cleaning = options_.clean_text && stage != Stage::kAfterStrip;
  std::u32string scratch;
  std::string replacement;
  while (!rewriter.at_end()) {
    const size_t begin = rewriter.position();
    size_t end = begin;
    while (end < source.size() && static_cast<unsigned char>(source[end]) < 0x80 &&
           (ascii_[static_cast<unsigned char>(source[end])] != kNotCopied || !options_.clean_text)) {
      ++end;
    }
    if (end > begin) {
      char* copy = rewriter.replace_bytes(end - begin);
      for (size_t i = 0; i < end - begin; ++i) copy[i] = ascii_[static_cast<unsigned char>(copy[i])];
      continue;
    }
    const char32_t c = next_code_point(source, end);
    const uint8_t flags = character_flags(c);
    if (is_cleaning && (flags & kCleaned) != 0) {
      rewriter.drop(end - begin);
      continue;
    }
    replacement.clear();
    if (is_cleaning && (flags & kWhitespace) != 0) {
      replacement.push_back(' ');
    } else if (!append_character(c, stage, scratch, replacement)) {
      rewriter.cancel();
      return false;
    }
    rewriter.replace_character(replacement);
  }
  rewriter.finish();
  return true;
}

void BertNormalizer::apply(NormalizedText& text) const {
  if (rewrite(text, Stage::kAll)) return;
  rewrite(text, Stage::kBeforeStrip);
  normalize_unicode(NormalizationForm::kNfd, text);
  rewrite(text, Stage::kAfterStrip);
}

}  // namespace jina
