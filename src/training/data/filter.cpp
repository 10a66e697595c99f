#include "training/data/filter.h"

#include <algorithm>

#include "base/error.h"
#include "text/unicode.h"
#include "training/data/near_duplicates.h"
#include "training/data/normalized_words.h"

namespace jina {

namespace {

constexpr int64_t kTileRows = 64;
constexpr size_t kMostExamples = 3;
constexpr size_t kExampleBytes = 100;
constexpr uint8_t kKept = 255;

std::string shorten(std::string_view text) {
  std::string line(text.substr(0, kExampleBytes));
  if (text.size() > kExampleBytes) {
    size_t end = kExampleBytes;
    while (end > 0 && is_utf8_continuation(text[end])) --end;
    line.resize(end);
    line += "…";
  }
  for (char& c : line) {
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  }
  return line;
}

/// The filter at work on one data set.
class RowFilter {
 public:
  RowFilter(const DataRows& rows, const FilterRecipe& recipe, const EvaluationTexts& evaluation)
      : rows_(rows), recipe_(recipe), evaluation_(evaluation), count_(static_cast<size_t>(rows.size())) {}

  FilterResult run(ThreadPool& pool) {
    rules_.assign(count_, kKept);
    pairs_.resize(count_);
    pool.parallel_for((rows_.size() + kTileRows - 1) / kTileRows, [&](int64_t tile, int) {
      for (int64_t row = tile * kTileRows; row < std::min(rows_.size(), (tile + 1) * kTileRows); ++row) {
        examine(static_cast<size_t>(row));
      }
    });
    if (recipe_.exact_duplicates) mark_exact_duplicates();
    if (recipe_.near_duplicates && rows_.scores.empty()) mark_near_duplicates(pool);
    return collect();
  }

 private:
  void set_rule(size_t row, FilterRule rule) { rules_[row] = static_cast<uint8_t>(rule); }

  std::string normalized(int32_t text) const { return normalize_words(rows_.texts[text]); }

  /// The rules that look at one row alone, and the hash for the next.
  void examine(size_t row) {
    const std::string query = normalized(rows_.queries[row]);
    const std::string positive = rows_.positives.empty() ? std::string() : normalized(rows_.positives[row]);
    pairs_[row] = hash_text(positive, hash_text(query));
    if (evaluation_.count > 0) {
      Overlap overlap = find_overlap(query, evaluation_);
      if (overlap == Overlap::kNone) overlap = find_overlap(positive, evaluation_);
      if (overlap == Overlap::kNone) overlap = find_negative_overlap(row);
      if (overlap != Overlap::kNone) return mark_overlap(row, overlap);
    }
    const bool is_plain_pair = !rows_.positives.empty() && rows_.scores.empty() && rows_.labels.empty();
    if (is_plain_pair && recipe_.substring > 0 &&
        is_substring_pair(query, positive, recipe_.substring, recipe_.substring_words)) {
      set_rule(row, FilterRule::kSubstring);
    }
  }

  Overlap find_negative_overlap(size_t row) const {
    if (rows_.negative_offsets.empty()) return Overlap::kNone;
    for (int64_t i = rows_.negative_offsets[row]; i < rows_.negative_offsets[row + 1]; ++i) {
      const Overlap overlap = find_overlap(normalized(rows_.negatives[static_cast<size_t>(i)]), evaluation_);
      if (overlap != Overlap::kNone) return overlap;
    }
    return Overlap::kNone;
  }

  void mark_overlap(size_t row, Overlap overlap) {
    switch (overlap) {
      case Overlap::kNone: return;
      case Overlap::kEqual: return set_rule(row, FilterRule::kEvaluationEqual);
      case Overlap::kShortText: return set_rule(row, FilterRule::kEvaluationShort);
      case Overlap::kLongText: return set_rule(row, FilterRule::kEvaluationLong);
    }
  }

  void mark_exact_duplicates() {
    HashSet seen;
    for (size_t row = 0; row < count_; ++row) {
      if (rules_[row] == kKept && !seen.insert(pairs_[row])) set_rule(row, FilterRule::kExactDuplicate);
    }
  }

  void mark_near_duplicates(ThreadPool& pool) {
    const std::vector<int64_t> kept = find_kept();
    const auto texts = [&](int64_t i) {
      const auto row = static_cast<size_t>(kept[static_cast<size_t>(i)]);
      RowTexts result{{normalized(rows_.queries[row])}, rows_.labels.empty() ? 0 : uint64_t(rows_.labels[row])};
      if (!rows_.positives.empty()) result.sides.push_back(normalized(rows_.positives[row]));
      return result;
    };
    const auto near = find_near_duplicates(static_cast<int64_t>(kept.size()), texts, pool);
    for (size_t i = 0; i < near.size(); ++i) {
      if (near[i] >= 0) set_rule(static_cast<size_t>(kept[i]), FilterRule::kNearDuplicate);
    }
  }

  std::vector<int64_t> find_kept() const {
    std::vector<int64_t> kept;
    for (size_t row = 0; row < count_; ++row) {
      if (rules_[row] == kKept) kept.push_back(static_cast<int64_t>(row));
    }
    return kept;
  }

  FilterResult collect() const {
    FilterResult result;
    result.kept = find_kept();
    result.report.data = rows_.name;
    result.report.rows = rows_.size();
    result.report.kept = static_cast<int64_t>(result.kept.size());
    for (size_t row = 0; row < count_; ++row) {
      if (rules_[row] == kKept) continue;
      RuleReport& rule = result.report.rules[rules_[row]];
      if (++rule.removed <= static_cast<int64_t>(kMostExamples)) rule.examples.push_back(example(row));
    }
    return result;
  }

  std::string example(size_t row) const {
    std::string line = shorten(rows_.texts[rows_.queries[row]]);
    if (!rows_.positives.empty()) line += " → " + shorten(rows_.texts[rows_.positives[row]]);
    return line;
  }

  const DataRows& rows_;
  const FilterRecipe& recipe_;
  const EvaluationTexts& evaluation_;
  size_t count_;
  std::vector<uint8_t> rules_;   // (rows) the FilterRule that removes it, or kKept
  std::vector<uint64_t> pairs_;  // (rows) hash of the normalised query and positive
};

}  // namespace

std::string_view to_string(FilterRule rule) {
  switch (rule) {
    case FilterRule::kEvaluationEqual: return "equal to an evaluation text";
    case FilterRule::kEvaluationShort: return "eight words in a row of a short evaluation text";
    case FilterRule::kEvaluationLong: return "thirteen words in a row of a long evaluation text";
    case FilterRule::kSubstring: return "one text holds the words of the other";
    case FilterRule::kExactDuplicate: return "exact duplicate of an earlier row";
    case FilterRule::kNearDuplicate: return "near-duplicate of an earlier row";
  }
  return "";
}

bool is_substring_pair(const std::string& first, const std::string& second, double share, int64_t fewest_words) {
  const auto count_words = [](const std::string& text) {
    return text.empty() ? 0 : std::count(text.begin(), text.end(), ' ') + 1;
  };
  const bool is_first_shorter = count_words(first) <= count_words(second);
  const auto words = split_words(is_first_shorter ? first : second);
  const std::string& longer = is_first_shorter ? second : first;
  if (static_cast<int64_t>(words.size()) < fewest_words || words.empty()) return false;
  const auto found = std::count_if(words.begin(), words.end(),
                                   [&](std::string_view word) { return longer.find(word) != std::string::npos; });
  return static_cast<double>(found) >= share * static_cast<double>(words.size());
}

FilterResult filter_rows(const DataRows& rows, const FilterRecipe& recipe, const EvaluationTexts& evaluation,
                         ThreadPool& pool) {
  return RowFilter(rows, recipe, evaluation).run(pool);
}

RowNotes describe(const FilterReport& report) {
  RowNotes notes;
  for (size_t i = 0; i < kFilterRules; ++i) {
    const RuleReport& rule = report.rules[i];
    if (rule.removed == 0) continue;
    const std::string name(to_string(static_cast<FilterRule>(i)));
    notes.removed[name] = rule.removed;
    for (const std::string& example : rule.examples) notes.lines.push_back(fmt::format("{}: {}", name, example));
  }
  return notes;
}

}  // namespace jina
