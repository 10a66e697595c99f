#include "text/unicode_normalization.h"

#include <algorithm>
#include <optional>

#include "text/text_rewriter.h"
#include "text/unicode.h"

namespace jina {

namespace {

// Hangul syllables are composed by arithmetic: The Unicode Standard, section 3.12.
constexpr char32_t kSyllableBase = 0xAC00, kLeadBase = 0x1100, kVowelBase = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28, kSyllables = kLeads * kVowels * kTails;

bool is_hangul_syllable(char32_t c) { return c >= kSyllableBase && c < kSyllableBase + kSyllables; }

std::optional<char32_t> compose(char32_t first, char32_t second) {
  if (first >= kLeadBase && first < kLeadBase + kLeads && second >= kVowelBase && second < kVowelBase + kVowels) {
    return kSyllableBase + ((first - kLeadBase) * kVowels + (second - kVowelBase)) * kTails;
  }
  if (is_hangul_syllable(first) && (first - kSyllableBase) % kTails == 0 && second > kTailBase &&
      second < kTailBase + kTails) {
    return first + (second - kTailBase);
  }
  using unicode_tables::Composition;
  const Composition* end = unicode_tables::compositions + unicode_tables::composition_count;
  const Composition* row =
      std::lower_bound(unicode_tables::compositions, end, std::pair(first, second),
                       [](const Composition& a, const auto& key) { return std::pair(a.first, a.second) < key; });
  if (row == end || row->first != first || row->second != second) return std::nullopt;
  return row->composed;
}

/// One character of the new text with its `change` as TextRewriter::put takes it.
struct Step {
  char32_t c;
  int change;
  uint8_t combining_class;
};

void append_decomposed(char32_t c, bool is_compatible, std::u32string& out) {
  if (is_hangul_syllable(c)) {
    const char32_t index = c - kSyllableBase;
    out.push_back(kLeadBase + index / (kVowels * kTails));
    out.push_back(kVowelBase + index % (kVowels * kTails) / kTails);
    if (index % kTails != 0) out.push_back(kTailBase + index % kTails);
    return;
  }
  CharacterMapping mapping = is_compatible ? compatible_decomposition(c) : CharacterMapping{};
  if (mapping.empty()) mapping = canonical_decomposition(c);
  if (mapping.empty()) {
    out.push_back(c);
  } else {
    out.append(mapping.begin(), mapping.end());
  }
}

/// Decomposes `text` and puts the marks in canonical order; the changes travel with the marks, as in the reference.
void decompose(std::string_view text, bool is_compatible, std::vector<Step>& steps) {
  steps.clear();
  std::u32string characters;
  for (size_t position = 0; position < text.size();) {
    characters.clear();
    append_decomposed(next_code_point(text, position), is_compatible, characters);
    for (size_t i = 0; i < characters.size(); ++i) {
      steps.push_back({characters[i], i == 0 ? 0 : 1, combining_class(characters[i])});
    }
  }
  const auto is_starter = [](const Step& step) { return step.combining_class == 0; };
  for (auto begin = steps.begin(); begin != steps.end();) {
    begin = std::find_if_not(begin, steps.end(), is_starter);
    const auto end = std::find_if(begin, steps.end(), is_starter);
    if (end - begin > 1) {
      std::stable_sort(begin, end, [](const Step& a, const Step& b) { return a.combining_class < b.combining_class; });
    }
    begin = end;
  }
}

/// Canonical composition in place; a composed character takes one more character of the source for each part that
/// replaced one itself.
void recompose(std::vector<Step>& steps) {
  size_t written = 0;
  std::optional<size_t> starter;  // index in the written part
  int last_class = 0;             // of the last mark kept after the starter; 0: there is none
  for (size_t i = 0; i < steps.size(); ++i) {
    const Step step = steps[i];
    const bool is_blocked = last_class != 0 && last_class >= step.combining_class;
    if (starter && !is_blocked) {
      if (const auto composed = compose(steps[*starter].c, step.c)) {
        steps[*starter].c = *composed;
        steps[*starter].change += step.change - 1;
        continue;
      }
    }
    if (step.combining_class == 0) {
      starter = written;
      last_class = 0;
    } else if (starter) {
      last_class = step.combining_class;
    }
    steps[written++] = step;
  }
  steps.resize(written);
}

/// Whether `c` can be copied: it is not changed and nothing after it can reach across it to what lies before.
bool is_boundary(NormalizationForm form, char32_t c) {
  if (c < 0x80) return true;
  const bool is_composing = form == NormalizationForm::kNfc || form == NormalizationForm::kNfkc;
  const bool is_compatible = form == NormalizationForm::kNfkc || form == NormalizationForm::kNfkd;
  if (is_compatible && !compatible_decomposition(c).empty()) return false;
  if (is_composing) return (character_flags(c) & kNfcUnsafe) == 0;
  return (character_flags(c) & (kOrdered | kDecomposed)) == 0;
}

/// Position of the first character from `position` on that is not a boundary, or is one when `wanted`.
size_t find_boundary(NormalizationForm form, std::string_view text, size_t position, bool wanted) {
  while (position < text.size()) {
    size_t next = position;
    if (is_boundary(form, next_code_point(text, next)) == wanted) return position;
    position = next;
  }
  return position;
}

}  // namespace

void append_canonical_decomposition(char32_t c, std::u32string& out) { append_decomposed(c, false, out); }

void normalize_unicode(NormalizationForm form, NormalizedText& text) {
  size_t begin = find_boundary(form, text.text, 0, false);
  if (begin == text.text.size()) return;
  const bool is_composing = form == NormalizationForm::kNfc || form == NormalizationForm::kNfkc;
  const bool is_compatible = form == NormalizationForm::kNfkc || form == NormalizationForm::kNfkd;
  TextRewriter rewriter(text);
  const std::string_view source = rewriter.source();
  std::vector<Step> steps;
  while (begin < source.size()) {
    if (begin > rewriter.position()) previous_code_point(source, begin);  // the starter that marks may combine with
    rewriter.keep(begin - rewriter.position());
    const size_t end = find_boundary(form, source, begin + utf8_length(source[begin]), true);
    decompose(source.substr(begin, end - begin), is_compatible, steps);
    if (is_composing) recompose(steps);
    for (const Step& step : steps) rewriter.put(step.c, step.change);
    begin = find_boundary(form, source, end, false);
  }
  rewriter.keep(source.size() - rewriter.position());
  rewriter.finish();
}

}  // namespace jina
