#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "training/losses/cosent.h"
#include "training/losses/cosine.h"
#include "training/losses/distil_kl.h"
#include "training/losses/gor.h"
#include "training/losses/info_nce.h"
#include "training/losses/late_interaction.h"
#include "training/losses/layer_states.h"
#include "training/losses/loss.h"
#include "training/losses/margin_mse.h"
#include "training/losses/mse.h"
#include "training/losses/pearson.h"
#include "training/losses/relational.h"
#include "training/losses/separation.h"

namespace jina {

namespace {

constexpr double kSmallest = std::numeric_limits<double>::min();
constexpr double kLargest = std::numeric_limits<double>::max();

LossOption switch_option(std::string_view name, std::string_view meaning) { return {name, 0, 0, 1, true, meaning}; }

LossOption directions(double otherwise) {
  return {"directions", otherwise, 1, 2, true, "2: query → positive plus positive → query; 1: the first only"};
}

const LossEntry kLosses[] = {
    {.name = "info_nce",
     .columns = "query positive | negatives label negative_label",
     .options = {directions(2),
                 switch_option("class_mask", "leave texts with the query's label out of the denominator"),
                 {"false_negative_margin", 2, 0, 2, false,
                  "leave out texts whose cosine beats the positive's by more than this; 2: none"}},
     .formula =
         "mean −ln(e^(s(q,p)/τ) / Σ e^(s(q,d)/τ)), d: all positives and negatives of the batch; plus the same from "
         "p over all queries",
     .source = "arXiv 2409.10173, L_pairs and L_triplet",
     .has_prefixes = true,
     .compute = info_nce},
    {.name = "cosent",
     .columns = "query positive score",
     .options = {},
     .formula = "ln(1 + Σ e^((s_j − s_i)/τ)) over i, j with score_i > score_j",
     .source = "Su 2022, bojone/CoSENT; arXiv 2409.10173, L_co",
     .has_prefixes = true,
     .compute = cosent},
    {.name = "pearson",
     .columns = "query positive score",
     .options = {},
     .formula = "1 − Pearson's correlation of s(q,p) with score",
     .source = "arXiv 2402.17016",
     .has_prefixes = true,
     .compute = pearson},
    {.name = "separation",
     .columns = "query label | positive",
     .options = {},
     .formula = "ln(1 + Σ e^(−s/τ) over pairs of one class · Σ e^(s/τ) over pairs of two)",
     .source = "arXiv 2409.10173, separation adapter",
     .has_prefixes = true,
     .compute = separation},
    {.name = "late_interaction",
     .columns = "query_tokens positive_tokens",
     .options = {directions(1)},
     .formula = "info_nce on s(Q,D) = mean over q of max over d of q·d",
     .source = "arXiv 2506.18902, L_NCE(S'_late)",
     .has_prefixes = false,
     .compute = late_interaction},
    {.name = "kl_dense_late",
     .columns = "query positive query_tokens positive_tokens",
     .options = {switch_option("detach_dense", "no gradient to the dense vectors")},
     .formula = "mean KL(softmax(dense/τ) ‖ softmax(late/τ)) over the positives of the batch",
     .source = "arXiv 2506.18902, L_D",
     .has_prefixes = false,
     .compute = kl_dense_late},
    {.name = "cosine",
     .columns = "query teacher_query | positive teacher_positive",
     .options = {},
     .formula = "mean 1 − s(z, teacher's z)",
     .source = "arXiv 2412.19048",
     .has_prefixes = false,
     .compute = cosine},
    {.name = "mse",
     .columns = "query teacher_query | positive teacher_positive",
     .options = {},
     .formula = "mean (z − teacher's z)², not normalised",
     .source = "arXiv 2004.09813",
     .has_prefixes = false,
     .compute = mse},
    {.name = "relational",
     .columns = "query teacher_query | positive teacher_positive",
     .options = {},
     .formula = "mean KL(softmax(teacher's s(z,·)/τ) ‖ softmax(s(z,·)/τ)) over the other texts of the batch",
     .source = "arXiv 1904.05068, on similarities",
     .has_prefixes = true,
     .compute = relational},
    {.name = "layer_states",
     .columns = "layers teacher_layers",
     .options = {},
     .formula = "mean over layers of Σ(h − teacher's h)² / Σ(teacher's h)²",
     .source = "arXiv 1909.10351, relative",
     .has_prefixes = false,
     .compute = layer_states},
    {.name = "margin_mse",
     .columns = "query positive negatives score",
     .options = {{"scale", 1, kSmallest, kLargest, false, "of the cosines, to the teacher's range"}},
     .formula = "mean (scale·(s(q,p) − s(q,n)) − teacher's margin)²",
     .source = "arXiv 2010.02666",
     .has_prefixes = true,
     .compute = margin_mse},
    {.name = "distil_kl",
     .columns = "query positive negatives score",
     .options = {{"teacher_temperature", 1, kSmallest, kLargest, false, "divides the teacher's scores"}},
     .formula = "mean KL(softmax(score/τ_teacher) ‖ softmax(s(q,·)/τ)) over positive and negatives of the row",
     .source = "arXiv 1503.02531, on scores",
     .has_prefixes = true,
     .compute = distil_kl},
    {.name = "gor",
     .columns = "query | positive",
     .options = {{"mean_weight", 1, 0, kLargest, false, "of the first term"},
                 {"second_moment_weight", 1, 0, kLargest, false, "of the second term"}},
     .formula = "m² + max(0, M − 1/dimensions), m and M: mean and mean square of s between different texts",
     .source = "arXiv 1708.06320",
     .has_prefixes = true,
     .compute = gor},
};

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  while (true) {
    const size_t begin = std::min(text.find_first_not_of(' '), text.size());
    if (begin == text.size()) return words;
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

std::string options_text(const LossEntry& entry) {
  std::vector<std::string> options;
  for (const LossOption& option : entry.options) {
    options.push_back(fmt::format("`{}` ({}): {}", option.name, option.otherwise, option.meaning));
  }
  return options.empty() ? "–" : fmt::format("{}", fmt::join(options, "<br>"));
}

std::string columns_text(const LossEntry& entry) {
  const LossColumns columns = columns_of(entry);
  const std::string needed = fmt::format("{}", fmt::join(columns.needed, ", "));
  return columns.optional.empty() ? needed : fmt::format("{} ({})", needed, fmt::join(columns.optional, ", "));
}

}  // namespace

std::vector<LossEntry> all_losses() { return {std::begin(kLosses), std::end(kLosses)}; }

const LossEntry& find_loss(std::string_view name) {
  const auto* found = std::ranges::find(kLosses, name, &LossEntry::name);
  if (found != std::end(kLosses)) return *found;
  std::vector<std::string_view> known;
  for (const LossEntry& entry : kLosses) known.push_back(entry.name);
  fail(ErrorKind::kInvalidInput, {}, "unknown loss '{}'; known are: {}", name, fmt::join(known, ", "));
}

LossColumns columns_of(const LossEntry& entry) {
  const size_t bar = std::min(entry.columns.find('|'), entry.columns.size());
  const size_t rest = std::min(bar + 1, entry.columns.size());
  return {split_words(entry.columns.substr(0, bar)), split_words(entry.columns.substr(rest))};
}

std::string losses_table() {
  std::string table =
      "| loss | needs (uses) | options (default) | formula | on prefixes | source |\n|---|---|---|---|---|---|\n";
  for (const LossEntry& entry : kLosses) {
    table += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", entry.name, columns_text(entry), options_text(entry),
                         entry.formula, entry.has_prefixes ? "yes" : "no", entry.source);
  }
  return table;
}

}  // namespace jina
