#include "text/normalizer.h"

#include <charconv>

#include "text/bert_normalizer.h"
#include "text/charsmap.h"
#include "text/text_rewriter.h"
#include "text/unicode.h"
#include "text/unicode_normalization.h"

namespace jina {

namespace {

class Lowercase : public Normalizer {
 public:
  void apply(NormalizedText& text) const override {
    TextRewriter rewriter(text);
    std::string replacement;
    while (!rewriter.at_end()) {
      size_t end = rewriter.position();
      const char32_t c = next_code_point(rewriter.source(), end);
      const CharacterMapping mapping = lowercase(c);
      if (mapping.empty()) {
        rewriter.keep(end - rewriter.position());
        continue;
      }
      replacement.clear();
      for (const char32_t lower : mapping) append_utf8(replacement, lower);
      rewriter.replace_character(replacement);
    }
    rewriter.finish();
  }
};

class StripAccents : public Normalizer {
 public:
  void apply(NormalizedText& text) const override {
    TextRewriter rewriter(text);
    while (!rewriter.at_end()) {
      size_t end = rewriter.position();
      const char32_t c = next_code_point(rewriter.source(), end);
      const size_t length = end - rewriter.position();
      if ((character_flags(c) & kCombiningMark) != 0) {
        rewriter.drop(length);
      } else {
        rewriter.keep(length);
      }
    }
    rewriter.finish();
  }
};

class UnicodeForm : public Normalizer {
 public:
  explicit UnicodeForm(NormalizationForm form) : form_(form) {}
  void apply(NormalizedText& text) const override { normalize_unicode(form_, text); }

 private:
  NormalizationForm form_;
};

class Strip : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}

  void apply(NormalizedText& text) const override {
    size_t begin = 0;
    size_t end = text.text.size();
    for (size_t next = 0; left_ && begin < end; begin = next) {
      if (!is_whitespace(next_code_point(text.text, next))) break;
    }
    for (size_t previous = end; right_ && end > begin; end = previous) {
      if (!is_whitespace(previous_code_point(text.text, previous))) break;
    }
    if (begin == 0 && end == text.text.size()) return;
    TextRewriter rewriter(text);
    if (begin > 0) rewriter.drop(begin);
    rewriter.keep(end - begin);
    rewriter.finish();
  }

 private:
  bool left_;
  bool right_;
};

/// Replaces a literal, or a run of at least `least` of it, by other text, all of which comes from the last character
/// that was matched.
class Replace : public Normalizer {
 public:
  Replace(std::string literal, size_t least, std::string content)
      : literal_(std::move(literal)), least_(least), content_(std::move(content)) {}

  void apply(NormalizedText& text) const override {
    if (text.text.find(literal_) == std::string::npos) return;
    TextRewriter rewriter(text);
    const std::string_view old = rewriter.source();
    while (!rewriter.at_end()) {
      const size_t begin = find_match(old, rewriter.position());
      rewriter.keep(begin - rewriter.position());
      if (rewriter.at_end()) break;
      rewriter.drop(match_length(old, begin));
      for (size_t position = 0; position < content_.size();) rewriter.put(next_code_point(content_, position), 1);
    }
    rewriter.finish();
  }

 private:
  size_t match_length(std::string_view text, size_t begin) const {
    size_t repeats = 0;
    while (text.substr(begin + repeats * literal_.size(), literal_.size()) == literal_) {
      ++repeats;
      if (least_ == 0) break;
    }
    return repeats * literal_.size();
  }

  size_t find_match(std::string_view text, size_t position) const {
    for (;;) {
      const size_t begin = text.find(literal_, position);
      if (begin == std::string_view::npos) return text.size();
      const size_t length = match_length(text, begin);
      if (length >= least_ * literal_.size()) return begin;
      position = begin + length;
    }
  }

  std::string literal_;
  size_t least_;  // 0: a single one, not a run
  std::string content_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}

  void apply(NormalizedText& text) const override {
    if (text.text.empty() || prefix_.empty()) return;
    const size_t length = utf8_length(text.text[0]);
    TextRewriter rewriter(text);
    std::string first = prefix_;
    first.append(rewriter.source().substr(0, length));
    rewriter.replace_character(first);
    rewriter.keep(rewriter.source().size() - length);
    rewriter.finish();
  }

 private:
  std::string prefix_;
};

class Precompiled : public Normalizer {
 public:
  explicit Precompiled(Charsmap charsmap) : charsmap_(std::move(charsmap)) {}

  void apply(NormalizedText& text) const override {
    NormalizedText mapped;
    charsmap_.normalize(text.text, mapped);
    mapped.origin = compose_origins(text.origin, std::move(mapped.origin));
    text = std::move(mapped);
  }

 private:
  Charsmap charsmap_;
};

class Sequence : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}
  void apply(NormalizedText& text) const override {
    for (const auto& step : steps_) step->apply(text);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

std::unique_ptr<Normalizer> make_sequence(const Json& json) {
  std::vector<std::unique_ptr<Normalizer>> steps;
  for (const Json& step : json.at("normalizers").as_array()) steps.push_back(make_normalizer(step));
  return std::make_unique<Sequence>(std::move(steps));
}

/// Regular expressions are understood in the one form that published tokenizers use: a character repeated, " {2,}".
std::unique_ptr<Normalizer> make_replace(const Json& json) {
  const Json pattern = json.at("pattern");
  const std::string content(json.at("content").as_string());
  if (const auto literal = pattern.find("String")) {
    if (literal->as_string().empty()) literal->reject("a pattern that is not empty");
    return std::make_unique<Replace>(std::string(literal->as_string()), 0, content);
  }
  const std::string_view regex = pattern.at("Regex").as_string();
  size_t least = 0;
  if (regex.size() > 4 && regex.starts_with(" {") && regex.ends_with(",}")) {
    const char* end = regex.data() + regex.size() - 2;
    const auto result = std::from_chars(regex.data() + 2, end, least);
    if (result.ec == std::errc() && result.ptr == end && least > 0 && least < 1000) {
      return std::make_unique<Replace>(" ", least, content);
    }
  }
  fail(json.document().kind(), json.document().where(), "normalizer Replace: unknown regular expression '{}'", regex);
}

template <NormalizationForm kForm>  // one row per form in the table below
std::unique_ptr<Normalizer> make_form(const Json&) {
  return std::make_unique<UnicodeForm>(kForm);
}

struct NormalizerEntry {
  std::string_view type;
  std::unique_ptr<Normalizer> (*make)(const Json& json);
};

const NormalizerEntry kNormalizers[] = {
    {"BertNormalizer",
     [](const Json& json) -> std::unique_ptr<Normalizer> {
       return std::make_unique<BertNormalizer>(BertNormalizer::parse_options(json));
     }},
    {"Lowercase", [](const Json&) -> std::unique_ptr<Normalizer> { return std::make_unique<Lowercase>(); }},
    {"NFC", make_form<NormalizationForm::kNfc>},
    {"NFD", make_form<NormalizationForm::kNfd>},
    {"NFKC", make_form<NormalizationForm::kNfkc>},
    {"NFKD", make_form<NormalizationForm::kNfkd>},
    {"Precompiled",
     [](const Json& json) -> std::unique_ptr<Normalizer> {
       return std::make_unique<Precompiled>(
           Charsmap(json.at("precompiled_charsmap").as_string(), json.document().where()));
     }},
    {"Prepend",
     [](const Json& json) -> std::unique_ptr<Normalizer> {
       return std::make_unique<Prepend>(std::string(json.at("prepend").as_string()));
     }},
    {"Replace", make_replace},
    {"Sequence", make_sequence},
    {"Strip",
     [](const Json& json) -> std::unique_ptr<Normalizer> {
       return std::make_unique<Strip>(json.at("strip_left").as_bool(), json.at("strip_right").as_bool());
     }},
    {"StripAccents", [](const Json&) -> std::unique_ptr<Normalizer> { return std::make_unique<StripAccents>(); }},
};

}  // namespace

std::unique_ptr<Normalizer> make_normalizer(const Json& json) {
  const std::string_view type = json.at("type").as_string();
  for (const NormalizerEntry& row : kNormalizers) {
    if (row.type == type) return row.make(json);
  }
  fail(json.document().kind(), json.document().where(), "unknown normalizer '{}'", type);
}

}  // namespace jina
