#include "training/losses/inputs.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "training/losses/rows.h"

namespace jina {

namespace {

struct TensorColumn {
  std::string_view name;
  at::Tensor LossBatch::*member;
  int64_t rank;  // 0: the loss says
  at::Tensor LossBatch::*same_width;
};

constexpr TensorColumn kTensorColumns[] = {
    {"query", &LossBatch::queries, 2, &LossBatch::queries},
    {"positive", &LossBatch::positives, 2, &LossBatch::queries},
    {"negatives", &LossBatch::negatives, 3, &LossBatch::queries},
    {"score", &LossBatch::scores, 0, nullptr},
    {"label", &LossBatch::labels, 1, nullptr},
    {"negative_label", &LossBatch::negative_labels, 2, nullptr},
    {"teacher_query", &LossBatch::teacher_queries, 2, &LossBatch::teacher_queries},
    {"teacher_positive", &LossBatch::teacher_positives, 2, &LossBatch::teacher_queries},
};

const TensorColumn* find_tensor_column(std::string_view name) {
  const auto* found = std::ranges::find(kTensorColumns, name, &TensorColumn::name);
  return found == std::end(kTensorColumns) ? nullptr : found;
}

bool has_column(const LossBatch& batch, std::string_view name) {
  if (const TensorColumn* column = find_tensor_column(name)) return (batch.*column->member).defined();
  if (name == "query_tokens") return batch.query_tokens.vectors.defined();
  if (name == "positive_tokens") return batch.positive_tokens.vectors.defined();
  if (name == "layers") return !batch.layers.empty();
  JINA_CHECK(name == "teacher_layers");
  return !batch.teacher_layers.empty();
}

std::string shape_text(at::IntArrayRef sizes) { return fmt::format("({})", fmt::join(sizes, ", ")); }

void check_type(std::string_view loss, const TensorColumn& column, const at::Tensor& values) {
  const bool is_label = column.name == "label" || column.name == "negative_label";
  const bool is_good = is_label ? values.scalar_type() == at::kLong : at::isFloatingType(values.scalar_type());
  if (is_good) return;
  fail(ErrorKind::kInvalidInput, {}, "loss '{}', column {}: expected {}, found {}", loss, column.name,
       is_label ? "int64" : "a floating type", c10::toString(values.scalar_type()));
}

void check_shape(std::string_view loss, const TensorColumn& column, const LossBatch& batch) {
  const at::Tensor& values = batch.*column.member;
  check_type(loss, column, values);
  if (values.dim() == 0 || (column.rank != 0 && values.dim() != column.rank)) {
    fail(ErrorKind::kInvalidInput, {}, "loss '{}', column {}: expected {} dimensions, found shape {}", loss,
         column.name, std::max<int64_t>(column.rank, 1), shape_text(values.sizes()));
  }
  const int64_t rows = batch.queries.size(0);
  if (rows == 0) fail(ErrorKind::kInvalidInput, {}, "loss '{}': the batch has no rows", loss);
  if (values.size(0) != rows) {
    fail(ErrorKind::kInvalidInput, {}, "loss '{}', column {}: expected {} rows as queries have, found shape {}", loss,
         column.name, rows, shape_text(values.sizes()));
  }
  if (column.same_width != nullptr && values.size(-1) != (batch.*column.same_width).size(-1)) {
    fail(ErrorKind::kInvalidInput, {}, "loss '{}', column {}: expected vectors of width {}, found shape {}", loss,
         column.name, (batch.*column.same_width).size(-1), shape_text(values.sizes()));
  }
}

void check_columns(const LossEntry& entry, const LossBatch& batch) {
  LossColumns columns = columns_of(entry);
  for (const std::string_view name : columns.needed) need_column(entry.name, name, batch);
  columns.needed.insert(columns.needed.end(), columns.optional.begin(), columns.optional.end());
  for (const std::string_view name : columns.needed) {
    const TensorColumn* column = find_tensor_column(name);
    if (column != nullptr && has_column(batch, name)) check_shape(entry.name, *column, batch);
  }
}

void check_option(const LossEntry& entry, const LossOption& option, double value) {
  const bool is_within = value >= option.least && value <= option.most;  // false for what is not a number
  if (is_within && (!option.is_whole || value == std::floor(value))) return;
  fail(ErrorKind::kInvalidInput, {}, "loss '{}', option {}: expected a {}number from {} to {}, found {}", entry.name,
       option.name, option.is_whole ? "whole " : "", option.least, option.most, value);
}

[[noreturn]] void reject_option(const LossEntry& entry, std::string_view name) {
  std::vector<std::string_view> known{"temperature"};
  for (const LossOption& option : entry.options) known.push_back(option.name);
  fail(ErrorKind::kInvalidInput, {}, "loss '{}' has no option '{}'; it has: {}", entry.name, name,
       fmt::join(known, ", "));
}

LossSettings settings_of(const LossEntry& entry, const LossRecipe& recipe) {
  if (!(recipe.temperature > 0) || !std::isfinite(recipe.temperature)) {
    fail(ErrorKind::kInvalidInput, {}, "loss '{}', temperature: expected a number above 0, found {}", entry.name,
         recipe.temperature);
  }
  LossSettings settings{.temperature = recipe.temperature, .options = {}};
  for (const LossOption& option : entry.options) settings.options.emplace(option.name, option.otherwise);
  for (const auto& [name, value] : recipe.options) {
    const auto option = std::ranges::find(entry.options, name, &LossOption::name);
    if (option == entry.options.end()) reject_option(entry, name);
    check_option(entry, *option, value);
    settings.options.insert_or_assign(name, value);
  }
  return settings;
}

}  // namespace

void check_loss(const LossRecipe& recipe) { settings_of(find_loss(recipe.name), recipe); }

LossSettings check_inputs(std::string_view name, const LossBatch& batch, const LossRecipe& recipe) {
  const LossEntry& entry = find_loss(name);
  LossSettings settings = settings_of(entry, recipe);
  check_columns(entry, batch);
  return settings;
}

void need_column(std::string_view loss, std::string_view column, const LossBatch& batch) {
  if (has_column(batch, column)) return;
  fail(ErrorKind::kInvalidInput, {}, "loss '{}' needs column {}", loss, column);
}

void need_shape(std::string_view loss, std::string_view column, const at::Tensor& values, at::IntArrayRef sizes) {
  if (values.sizes() == sizes) return;
  fail(ErrorKind::kInvalidInput, {}, "loss '{}', column {}: expected shape {}, found {}", loss, column,
       shape_text(sizes), shape_text(values.sizes()));
}

at::Tensor document_scores(const LossBatch& batch) {
  const at::Tensor documents =
      at::cat({batch.positives.unsqueeze(1), batch.negatives}, 1);  // (rows, 1 + n, dimensions)
  return (unit_rows(batch.queries).unsqueeze(1) * unit_rows(documents)).sum(2);
}

TaughtRows taught_rows(std::string_view loss, const LossBatch& batch) {
  std::vector<at::Tensor> student{at_least_f32(batch.queries)};
  std::vector<at::Tensor> teacher{batch.teacher_queries};
  if (batch.positives.defined() || batch.teacher_positives.defined()) {
    need_column(loss, "positive", batch);
    need_column(loss, "teacher_positive", batch);
    student.push_back(at_least_f32(batch.positives));
    teacher.push_back(batch.teacher_positives);
  }
  TaughtRows rows{.student = at::cat(student), .teacher = {}};
  rows.teacher = at::cat(teacher).detach().to(rows.student.scalar_type());
  return rows;
}

void need_same_width(std::string_view loss, const TaughtRows& rows) {
  if (rows.student.size(1) == rows.teacher.size(1)) return;
  fail(ErrorKind::kInvalidInput, {},
       "loss '{}' compares vectors of one width: the model's have {} dimensions, the teacher's {}", loss,
       rows.student.size(1), rows.teacher.size(1));
}

}  // namespace jina
