#include "text/bert_normalizer.h"

#include "text/text_rewriter.h"
#include "text/unicode.h"
#include "text/unicode_normalization.h"

namespace jina {

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
    ascii_[c] = mapped;
    is_copied_[c] = !options_.clean_text || (character_flags(c) & kCleaned) == 0;
  }
}

/// The characters that a stage may change.
uint16_t BertNormalizer::changing_flags(Stage stage) const {
  unsigned flags = 0;
  if (stage != Stage::kAfterStrip) {
    if (options_.clean_text) flags |= kCleaned | kWhitespace;
    if (options_.handle_chinese_chars) flags |= kChinese;
  }
  if (stage != Stage::kBeforeStrip) {
    if (options_.strip_accents) flags |= kDecomposed | kMarkNonspacing | kOrdered;
    if (options_.lowercase) flags |= kLowered;
  }
  return static_cast<uint16_t>(flags);
}

/// Appends what `c` becomes. False when stripping accents would leave a mark that NFD may have to move past others:
/// then the text cannot be rewritten character by character.
bool BertNormalizer::append_character(char32_t c, uint16_t flags, Stage stage, std::string& out) const {
  if ((flags & kCleaned) != 0) return true;
  if ((flags & kWhitespace) != 0) {
    out.push_back(' ');
    return true;
  }
  const bool is_stripped = options_.strip_accents && stage != Stage::kBeforeStrip;
  const bool is_lowered = options_.lowercase && stage != Stage::kBeforeStrip;
  const auto append_part = [&](char32_t part) {
    const uint16_t part_flags = character_flags(part);
    if (is_stripped && (part_flags & kMarkNonspacing) != 0) return true;
    if (is_stripped && stage == Stage::kAll && (part_flags & kOrdered) != 0) return false;
    if (is_lowered && (part_flags & kLowered) != 0) {
      for (const char32_t lower : lowercase(part)) append_utf8(out, lower);
    } else {
      append_utf8(out, part);
    }
    return true;
  };
  if ((flags & kChinese) != 0) out.push_back(' ');
  if (is_stripped && stage == Stage::kAll && (flags & kDecomposed) != 0) {
    std::u32string parts;
    append_canonical_decomposition(c, parts);
    for (const char32_t part : parts) {
      if (!append_part(part)) return false;
    }
  } else if (!append_part(c)) {
    return false;
  }
  if ((flags & kChinese) != 0) out.push_back(' ');
  return true;
}

bool BertNormalizer::rewrite(NormalizedText& text, Stage stage) const {
  TextRewriter rewriter(text);
  const std::string_view source = rewriter.source();
  const uint16_t changing = changing_flags(stage);
  std::string replacement;
  while (!rewriter.at_end()) {
    const size_t begin = rewriter.position();
    size_t end = begin;
    for (unsigned char byte = 0; end < source.size() && (byte = static_cast<unsigned char>(source[end])) < 0x80;
         ++end) {
      if (!is_copied_[byte]) break;
    }
    if (end > begin) {
      char* copy = rewriter.replace_bytes(end - begin);
      for (size_t i = 0; i < end - begin; ++i) copy[i] = ascii_[static_cast<unsigned char>(copy[i])];
      continue;
    }
    const char32_t c = next_code_point(source, end);
    const auto flags = static_cast<uint16_t>(character_flags(c) & changing);
    if (flags == 0) {
      rewriter.keep(end - begin);
      continue;
    }
    replacement.clear();
    if (!append_character(c, flags, stage, replacement)) {
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
