#include "cli/embed_job.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "cli/output_file.h"
#include "cli/row_progress.h"
#include "embedding/output.h"

namespace jina::cli {

namespace {

/// Rows of one call. Windows end by counts that the rows alone decide, so that a continued run cuts them alike and
/// every row meets the same neighbours.
struct Window {
  std::vector<InputRow> rows;
  size_t bytes = 0;
  std::string skipped;  // lines for the list of skipped rows
  int64_t rows_skipped = 0;
  int64_t rows_read = 0;  // of the whole input, up to and with this window

  static constexpr size_t kMostRows = 1024;
  static constexpr size_t kMostBytes = 128 << 10;
  bool is_full() const { return rows.size() >= kMostRows || bytes >= kMostBytes; }
  bool is_empty() const { return rows.empty() && rows_skipped == 0; }
};

/// "1 row", "2 rows"
std::string counted(int64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

/// Whether the input can be read twice, which a pipe cannot.
bool is_rereadable(const EmbedJob& job) {
  return job.texts.empty() && (std::filesystem::is_regular_file(job.input) || std::filesystem::is_directory(job.input));
}

/// Whether writing `path` would change what `input` holds.
bool is_part_of(const std::string& path, const std::string& input) {
  namespace fs = std::filesystem;
  const fs::path target = fs::weakly_canonical(path);
  const fs::path source = fs::weakly_canonical(input);
  if (!fs::is_directory(source)) return target == source;
  return std::mismatch(source.begin(), source.end(), target.begin(), target.end()).first == source.end();
}

/// Finds what would fail later, before the model is loaded.
void check_job(const EmbedJob& job) {
  make_row_writer(job.output);
  if (is_rereadable(job)) {
    read_rows(job.input, job.rows);
    if (!job.path.empty() && is_part_of(job.path, job.input)) {
      fail(ErrorKind::kInvalidArgument, "--output", "'{}' would change the input '{}'; expected another place",
           job.path, job.input);
    }
  }
  if (!job.path.empty()) OutputFile::check(job.path);
}

/// The work of one `jina embed`.
class EmbedRun {
 public:
  EmbedRun(EmbedJob job, const Environment& environment)
      : job_(std::move(job)), environment_(environment), embedder_(open_embedder(job_.model, environment)) {
    job_.output.dimensions = job_.embed.dimensions > 0 ? job_.embed.dimensions : embedder_.info().dimensions;
    writer_ = make_row_writer(job_.output);
    check_options();
  }

  void run();

 private:
  std::unique_ptr<RowReader> open_input() const {
    return job_.texts.empty() ? read_rows(job_.input, job_.rows) : read_texts(job_.texts, job_.rows);
  }
  bool is_row_wanted(const InputRow& row) const { return job_.shard.owns(row.index); }

  void check_options() const;
  void check_row(const InputRow& row) const;
  int64_t check_input() const;
  std::string key() const;
  std::string meta() const;
  void begin_output();
  bool read_window(RowReader& reader, Window& window);
  void accept(InputRow row, Window& window);
  void skip_row(const InputRow& row, const Error& error, Window& window);
  std::vector<Embedding> compute(const Window& window) const;
  void write_window(const Window& window, const std::vector<Embedding>& embeddings);
  void write(std::string_view bytes);
  void work(RowReader& reader);
  void finish();

  EmbedJob job_;
  const Environment& environment_;
  Embedder embedder_;
  std::unique_ptr<RowWriter> writer_;
  std::unique_ptr<OutputFile> file_;  // null: standard output
  Checkpoint progress_;
  int64_t rows_read_ = 0;
  int64_t rows_repaired_ = 0;
  bool has_warned_base_ = false;
  std::optional<RowProgress> bar_;
};

/// Throws what is wrong with the task and the options themselves, which is no fault of any row.
void EmbedRun::check_options() const {
  EmbedOptions options = job_.embed;
  options.kind = VectorKind::kPooled;
  embedder_.check({.text = {}, .task = job_.rows.task, .use_prompt = job_.rows.use_prompt}, options);
}

/// Throws what keeps this row from being embedded, naming the row.
void EmbedRun::check_row(const InputRow& row) const {
  const auto name_row = [&](const Error& error, const std::string& where) {
    return Error(error.kind(), fmt::format("row {}: {}", row.index, error.message()), where);
  };
  if (row.error) throw name_row(*row.error, row.error->where());
  try {
    embedder_.check(row.input, job_.embed);
  } catch (const Error& error) {
    throw name_row(error, error.where().empty() ? row.where : row.where + ": " + error.where());
  }
}

/// Looks at every row of a file before the long work starts; → number of rows.
int64_t EmbedRun::check_input() const {
  const auto reader = open_input();
  int64_t count = 0;
  for (InputRow row; reader->next(row); ++count) {
    check_interrupted();
    if (!job_.skips_errors && is_row_wanted(row)) check_row(row);
  }
  return count;
}

/// What must be equal for a run to be continued.
std::string EmbedRun::key() const {
  const auto state = find_file_state(job_.input).value_or(FileState{});
  Sha256 texts;
  for (const std::string& text : job_.texts) texts.update(text + '\0');
  return fmt::format(
      "input {} ({} bytes, written at {}, texts {}), read as {}, text field {}, task {}, prompt {}, shard {}/{}, "
      "format {}, encoding {}, precision {}, chunks {}/{}, truncate {}, skip {}, fingerprint {}",
      job_.input, state.size, state.modified_ns, texts.hex().substr(0, 8),
      job_.rows.format ? static_cast<int>(*job_.rows.format) : -1, job_.rows.text_field,
      job_.rows.task.value_or("(default)"), job_.rows.use_prompt, job_.shard.index, job_.shard.count,
      static_cast<int>(job_.output.format), static_cast<int>(job_.output.encoding), embedder_.precision(),
      job_.embed.chunk_tokens, job_.embed.chunk_sentences, job_.embed.truncate, job_.skips_errors,
      embedder_.fingerprint(job_.rows.task, job_.embed));
}

std::string EmbedRun::meta() const {
  const ModelInfo& info = embedder_.info();
  EmbedInput input;
  input.task = job_.rows.task;
  input.use_prompt = job_.rows.use_prompt;
  const std::string task = job_.rows.task.value_or(info.default_task.value_or(""));
  std::string json = "{\"model\": ";
  append_json_string(json, info.name);
  json += ", \"task\": ";
  task.empty() ? void(json += "null") : append_json_string(json, task);
  json += ", \"prompt\": ";
  append_json_string(json, embedder_.prompt_of(input, job_.embed));
  json += fmt::format(", \"dimensions\": {}, \"normalized\": {}, \"precision\": \"{}\", \"fingerprint\": \"{}\"}}",
                      job_.output.dimensions, job_.embed.normalize && job_.embed.kind != VectorKind::kTokens,
                      embedder_.precision(), embedder_.fingerprint(job_.rows.task, job_.embed));
  return json;
}

void EmbedRun::begin_output() {
  if (!job_.path.empty()) {
    file_ = std::make_unique<OutputFile>(job_.path, key(), job_.is_resumed);
    progress_ = file_->resumed();
  }
  if (progress_.output_bytes > 0) return;
  if (job_.has_meta && file_ == nullptr) write("{\"meta\": " + meta() + "}\n");
  write(writer_->header());
}

void EmbedRun::write(std::string_view bytes) {
  if (file_ != nullptr) {
    file_->write(bytes);
  } else {
    write_output(bytes);
  }
}

void EmbedRun::skip_row(const InputRow& row, const Error& error, Window& window) {
  ++window.rows_skipped;
  std::string line = fmt::format("{{\"index\": {}, ", row.index);
  if (!row.id.empty()) line += fmt::format("\"id\": {}, ", row.id);
  line += "\"error\": ";
  append_json_string(line, error.what());
  line += "}\n";
  if (file_ != nullptr) {
    window.skipped += line;
  } else {
    warn(fmt::format("skipped: {}", error.what()));
  }
}

void EmbedRun::accept(InputRow row, Window& window) {
  rows_repaired_ += row.is_repaired ? 1 : 0;
  if (!has_warned_base_ && row.input.task.value_or("").empty()) {
    has_warned_base_ = true;
    warn_of_base_model(embedder_.info());
  }
  try {
    if (job_.skips_errors || row.error) check_row(row);
  } catch (const Error& error) {
    if (!job_.skips_errors) throw;
    skip_row(row, error, window);
    return;
  }
  window.bytes += row.input.text.size();
  window.rows.push_back(std::move(row));
}

/// The next rows to embed; false at the end of the input.
bool EmbedRun::read_window(RowReader& reader, Window& window) {
  window = {};
  InputRow row;
  bool has_more = true;
  while (!window.is_full() && (has_more = reader.next(row))) {
    check_interrupted();
    ++rows_read_;
    if (rows_read_ > progress_.rows_read && is_row_wanted(row)) accept(std::move(row), window);
  }
  window.rows_read = rows_read_;
  return has_more || !window.is_empty();
}

std::vector<Embedding> EmbedRun::compute(const Window& window) const {
  std::vector<EmbedInput> inputs;
  inputs.reserve(window.rows.size());
  for (const InputRow& row : window.rows) inputs.push_back(row.input);
  std::stop_source stop;
  auto future = [&] {
    try {
      return embedder_.submit(std::move(inputs), job_.embed, stop.get_token());
    } catch (const Error&) {
      for (const InputRow& row : window.rows) check_row(row);  // the same error, with the row's name
      throw;
    }
  }();
  while (future.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    if (is_interrupted()) stop.request_stop();
  }
  check_interrupted();
  return future.get();
}

void EmbedRun::write_window(const Window& window, const std::vector<Embedding>& embeddings) {
  std::string out;
  int64_t tokens = 0;
  for (size_t i = 0; i < embeddings.size(); ++i) {
    writer_->append(out, window.rows[i], embeddings[i], progress_.rows_written == 0);
    ++progress_.rows_written;
    progress_.rows_truncated += embeddings[i].is_truncated ? 1 : 0;
    tokens += embeddings[i].tokens;
  }
  write(out);
  progress_.rows_skipped += window.rows_skipped;
  if (!window.skipped.empty()) file_->write_skipped(window.skipped);
  progress_.rows_read = window.rows_read;
  if (file_ != nullptr) file_->secure_sometimes(progress_);
  bar_->add(window.rows_read, tokens);
}

/// One window is computed while the one before it is written.
void EmbedRun::work(RowReader& reader) {
  Window window;
  Window previous;
  std::vector<Embedding> embeddings;
  while (read_window(reader, window)) {
    auto computed = std::async(std::launch::async, [&] { return compute(window); });
    if (!previous.is_empty()) write_window(previous, embeddings);
    embeddings = computed.get();
    previous = std::move(window);
  }
  if (!previous.is_empty()) write_window(previous, embeddings);
}

void EmbedRun::finish() {
  write(writer_->footer());
  bar_->finish();
  if (file_ != nullptr) {
    if (const std::string header = writer_->final_header(progress_.rows_written); !header.empty()) {
      file_->overwrite_beginning(header);
    }
    if (job_.has_meta) {
      AtomicFile file(job_.path + ".meta.json");
      file.write(meta() + "\n");
      file.commit();
    }
    file_->commit();
  }
  if (rows_repaired_ > 0) {
    warn(fmt::format("{} held bytes that are not UTF-8; each broken part was read as U+FFFD",
                     counted(rows_repaired_, "text", "texts")));
  }
  if (progress_.rows_truncated > 0) {
    warn(fmt::format("{} cut to the {} tokens that the model takes",
                     counted(progress_.rows_truncated, "text was", "texts were"), embedder_.info().max_tokens));
  }
  if (progress_.rows_skipped > 0) {
    warn(fmt::format("{} skipped{}", counted(progress_.rows_skipped, "row was", "rows were"),
                     file_ == nullptr ? "" : "; they are listed in " + job_.path + ".skipped.jsonl"));
  }
}

void EmbedRun::run() {
  begin_output();
  const int64_t rows = is_rereadable(job_) ? check_input() : 0;
  bar_.emplace(rows, environment_.is_error_terminal);
  const auto reader = open_input();
  try {
    work(*reader);
  } catch (const Interrupted&) {
    if (file_ == nullptr) throw;
    file_->secure(progress_);
    bar_->finish();
    warn(fmt::format("interrupted after {} rows; the same command with --resume goes on from there",
                     progress_.rows_written));
    throw;
  }
  finish();
}

}  // namespace

void run_embed(EmbedJob job, const Environment& environment) {
  const bool is_shard = job.shard.count > 1;
  if (!job.path.empty() && (is_shard || job.is_resumed) && std::filesystem::exists(job.path) &&
      !std::filesystem::exists(job.path + ".part")) {
    warn(fmt::format("'{}' is there already and complete: nothing to do", job.path));
    return;
  }
  check_job(job);
  EmbedRun(std::move(job), environment).run();
}

}  // namespace jina::cli
