#include "training/recipe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "training/recipe_reader.h"

namespace jina {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, Column>, 6> kColumns{{{"text", Column::kText},
                                                                       {"query", Column::kQuery},
                                                                       {"positive", Column::kPositive},
                                                                       {"negatives", Column::kNegatives},
                                                                       {"score", Column::kScore},
                                                                       {"label", Column::kLabel}}};

constexpr std::array<std::pair<std::string_view, Initialise>, 4> kInitialise{{{"checkpoint", Initialise::kCheckpoint},
                                                                              {"random", Initialise::kRandom},
                                                                              {"rotary", Initialise::kRotary},
                                                                              {"alibi", Initialise::kAlibi}}};

void read_word(RecipeTable& table, std::string_view key, std::string& value,
               std::initializer_list<std::string_view> known) {
  table.read(key, value);
  if (std::ranges::find(known, value) != known.end()) return;
  std::string list;
  for (const std::string_view word : known) list += (list.empty() ? "" : ", ") + std::string(word);
  table.reject(key, "one of " + list);
}

/// A relative path starts from `folder`; an empty one stays empty.
std::string from_folder(const std::string& folder, const std::string& path) {
  return path.empty() ? path : (fs::path(folder) / path).lexically_normal().string();
}

void check_exists(const RecipeTable& table, std::string_view key, const std::string& path) {
  if (!fs::exists(path)) fail(ErrorKind::kInvalidInput, table.where(key), "'{}': there is no file '{}'", key, path);
}

/// Reads the recipe and knows from where its paths start and whether they are checked.
class Reader {
 public:
  Reader(const std::string& path, const RecipeReading& reading) : reading_(reading) {
    recipe_.path = path;
    const std::string folder = fs::path(path).parent_path().string();
    folder_ = folder.empty() ? "." : folder;
  }

  Recipe read(const toml::table& parsed) {
    RecipeTable root(parsed, recipe_.path);
    read_run(root);
    read_model(root);
    read_all_data(root);
    read_filter(root);
    read_stages(root);
    for (RecipeTable& table : root.tables("evaluate")) recipe_.evaluations.push_back(read_evaluation(table));
    root.finish();
    return std::move(recipe_);
  }

 private:
  void read_run(RecipeTable& root) {
    recipe_.output = fs::path(recipe_.path).stem().string() + ".run";
    std::string data_folder;
    if (std::optional<RecipeTable> run = root.table("run")) {
      run->read("seed", recipe_.seed, kZeroOrMore);
      run->read("output", recipe_.output);
      run->read("data_folder", data_folder);
      read_word(*run, "precision", recipe_.precision, {"auto", "f32", "bf16"});
      read_word(*run, "device", recipe_.device, {"auto", "cpu", "cuda"});
      run->read("threads", recipe_.threads, kZeroOrMore);
      run->read("checkpoint_every", recipe_.checkpoint_every, kZeroOrMore);
      run->read("keep_checkpoints", recipe_.keep_checkpoints, kOneOrMore);
      run->read("evaluate_every", recipe_.evaluate_every, kZeroOrMore);
      if (recipe_.output.empty()) run->reject("output", "the folder of the run");
      run->finish();
    }
    recipe_.output = from_folder(folder_, recipe_.output);
    recipe_.data_folder = data_folder.empty() ? folder_ : from_folder(folder_, data_folder);
  }

  void read_model(RecipeTable& root) {
    std::optional<RecipeTable> table = root.table("model");
    if (!table) root.reject("model", "a table ([model]) that says what is trained");
    ModelRecipe& model = recipe_.model;
    table->read("from", model.from);
    if (model.from.empty()) table->reject("from", "a model directory");
    model.from = find_model(*table, "from", model.from);
    table->read("initialise", model.initialise, std::span<const std::pair<std::string_view, Initialise>>(kInitialise));
    table->read("max_tokens", model.max_tokens, kZeroOrMore);
    table->read("rotary_base", model.rotary_base, kAboveZero);
    table->read("align_heads", model.align_heads);
    table->read("align_data", model.align_data);
    table->read("align_texts", model.align_texts, kAboveZero);
    table->read("matryoshka", model.matryoshka, kAboveZero);
    table->finish();
    align_data_place_ = table->where("align_data");
  }

  void read_all_data(RecipeTable& root) {
    std::vector<RecipeTable> tables = root.tables("data");
    for (RecipeTable& table : tables) recipe_.data.push_back(read_data(table));
    for (size_t i = 0; i < tables.size(); ++i) check_failures(tables[i], recipe_.data[i], recipe_.data);
  }

  DataRecipe read_data(RecipeTable& table) {
    DataRecipe data;
    data.name = read_name(table);
    const bool is_taken = std::ranges::find(recipe_.data, data.name, &DataRecipe::name) != recipe_.data.end();
    if (is_taken) table.reject("name", "a name that no other [[data]] has");
    read_failures(table, data);
    if (!data.failures) {
      table.read("files", data.files);
      if (data.files.empty()) table.reject("files", "one file or more");
      resolve_files(table, "files", data.files);
      data.columns = read_columns(table, {{Column::kText, "text"}});
    }
    table.read("rate", data.rate, kAboveZero);
    table.read("language", data.language);
    if (!data.failures || data.failures->kind == FailureKind::kRated) {
      table.read("most_rows", data.most_rows, kZeroOrMore);
    } else {
      table.read("most_rows", data.most_rows, kOneOrMore);
    }
    table.read("is_filtered", data.is_filtered);
    table.finish();
    return data;
  }

  void read_filter(RecipeTable& root) {
    std::optional<RecipeTable> table = root.table("filter");
    if (!table) return;
    FilterRecipe& filter = recipe_.filter;
    table->read("substring", filter.substring, kShare);
    table->read("substring_words", filter.substring_words, kZeroOrMore);
    table->read("exact_duplicates", filter.exact_duplicates);
    table->read("near_duplicates", filter.near_duplicates);
    table->read("decontaminate", filter.decontaminate);
    resolve_files(*table, "decontaminate", filter.decontaminate);
    table->finish();
  }

  void read_stages(RecipeTable& root) {
    for (RecipeTable& table : root.tables("stage")) {
      StageRecipe stage = read_stage(table);
      for (const StageRecipe& other : recipe_.stages) {
        if (other.name == stage.name) table.reject("name", "a name that no other [[stage]] has");
      }
      for (const ObjectiveRecipe& objective : stage.objectives) {
        for (const std::string& name : objective.data) {
          find_named_data(recipe_.data, name, "data", table.where("data"));
        }
      }
      if (!stage.teacher.empty()) stage.teacher = find_model(table, "teacher", stage.teacher);
      recipe_.stages.push_back(std::move(stage));
    }
    if (recipe_.stages.empty()) root.reject("stage", "one [[stage]] or more");
    const std::string& align_data = recipe_.model.align_data;
    if (!align_data.empty()) find_named_data(recipe_.data, align_data, "align_data", align_data_place_);
  }

  EvaluationRecipe read_evaluation(RecipeTable& table) {
    EvaluationRecipe evaluation;
    evaluation.name = read_name(table);
    for (const EvaluationRecipe& other : recipe_.evaluations) {
      if (other.name == evaluation.name) table.reject("name", "a name that no other [[evaluate]] has");
    }
    table.read("metric", evaluation.metric);
    if (!is_metric(evaluation.metric)) {
      table.reject("metric", "one of spearman, pearson, recall@K, ndcg@K, map, mlm_loss");
    }
    table.read("data", evaluation.data);
    if (evaluation.data.empty()) {
      read_evaluation_file(table, evaluation);
    } else {
      check_evaluation_data(table, evaluation);
    }
    table.read("query_task", evaluation.query_task);
    table.read("positive_task", evaluation.positive_task);
    table.read("dimensions", evaluation.dimensions, kZeroOrMore);
    table.read("keeps_best", evaluation.keeps_best);
    check_single_best(table, evaluation);
    table.finish();
    return evaluation;
  }

  void read_evaluation_file(RecipeTable& table, EvaluationRecipe& evaluation) const {
    table.read("file", evaluation.file);
    if (evaluation.file.empty()) table.reject("file", "a file, or 'data' with the name of a [[data]]");
    evaluation.file = from_folder(recipe_.data_folder, evaluation.file);
    if (reading_.checks_files) check_exists(table, "file", evaluation.file);
    evaluation.columns = read_columns(table, columns_for(evaluation.metric));
  }

  void check_evaluation_data(const RecipeTable& table, const EvaluationRecipe& evaluation) const {
    for (const char* key : {"file", "columns"}) {
      if (!table.has(key)) continue;
      fail(ErrorKind::kInvalidInput, table.where(key), "'{}': the rows are those of 'data'; expected one of the two",
           key);
    }
    const DataRecipe& data = find_named_data(recipe_.data, evaluation.data, "data", table.where("data"));
    for (const auto& [column, field] : columns_for(evaluation.metric)) {
      if (column == Column::kText || data.columns.contains(column)) continue;
      fail(ErrorKind::kInvalidInput, table.where("data"), "the metric '{}' needs '{}', which the data '{}' lack",
           evaluation.metric, to_string(column), data.name);
    }
  }

  void check_single_best(const RecipeTable& table, const EvaluationRecipe& evaluation) const {
    for (const EvaluationRecipe& other : recipe_.evaluations) {
      if (evaluation.keeps_best && other.keeps_best) {
        fail(ErrorKind::kInvalidInput, table.where("keeps_best"),
             "'keeps_best': the evaluation '{}' has it already; one decides which checkpoint is best", other.name);
      }
    }
  }

  static bool is_metric(std::string_view metric) {
    for (const std::string_view plain : {"spearman", "pearson", "map", "mlm_loss"}) {
      if (metric == plain) return true;
    }
    for (const std::string_view prefix : {"recall@", "ndcg@"}) {
      if (!metric.starts_with(prefix)) continue;
      const std::string_view digits = metric.substr(prefix.size());
      int depth = 0;
      const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), depth);
      return code == std::errc() && end == digits.data() + digits.size() && depth > 0;
    }
    return false;
  }

  static std::map<Column, std::string> columns_for(std::string_view metric) {
    if (metric == "mlm_loss") return {{Column::kText, "text"}};
    std::map<Column, std::string> columns = {{Column::kQuery, "query"}, {Column::kPositive, "positive"}};
    if (metric == "spearman" || metric == "pearson") columns[Column::kScore] = "score";
    return columns;
  }

  void resolve_files(const RecipeTable& table, std::string_view key, std::vector<std::string>& files) const {
    for (std::string& file : files) {
      if (file.empty()) table.reject(key, "names of files");
      file = from_folder(recipe_.data_folder, file);
      if (reading_.checks_files) check_exists(table, key, file);
    }
  }

  /// A folder beside the recipe, else what the program knows under this name.
  std::string find_model(const RecipeTable& table, std::string_view key, const std::string& name) const {
    std::string folder = from_folder(folder_, name);
    if (!reading_.checks_files || fs::is_directory(folder)) return folder;
    if (!reading_.find_model) {
      fail(ErrorKind::kInvalidInput, table.where(key), "'{}': there is no model directory '{}'", key, folder);
    }
    try {
      return reading_.find_model(name);
    } catch (const Error& error) {
      fail(ErrorKind::kInvalidInput, table.where(key), "'{}': there is no directory '{}', and: {}", key, folder,
           error.what());
    }
  }

  const RecipeReading& reading_;
  Recipe recipe_;
  std::string folder_;
  std::string align_data_place_;
};

}  // namespace

std::string read_name(RecipeTable& table, const std::string& otherwise) {
  std::string name = otherwise;
  table.read("name", name);
  const bool is_plain = std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (name.empty() || !is_plain) table.reject("name", "a name of letters, digits, '-' and '_'");
  return name;
}

std::string_view to_string(Column column) {
  for (const auto& [name, known] : kColumns) {
    if (known == column) return name;
  }
  return "";
}

std::map<Column, std::string> read_columns(RecipeTable& table, const std::map<Column, std::string>& otherwise) {
  std::optional<RecipeTable> own = table.table("columns");
  if (!own) return otherwise;
  std::map<Column, std::string> columns;
  for (const auto& [name, column] : kColumns) {
    std::string field;
    own->read(name, field);
    if (!own->has(name)) continue;
    if (field.empty()) own->reject(name, "the name of a field");
    columns[column] = field;
  }
  own->finish();
  return columns;
}

Recipe read_recipe(const std::string& path, const std::vector<std::string>& overrides, const RecipeReading& reading) {
  const toml::table parsed = parse_recipe(path, overrides);
  Recipe recipe = Reader(path, reading).read(parsed);
  recipe.text = canonical_text(parsed);
  return recipe;
}

}  // namespace jina
