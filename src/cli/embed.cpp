#include <unistd.h>

#include <charconv>
#include <memory>

#include "cli/command.h"
#include "cli/embed_job.h"

namespace jina::cli {

namespace {

/// Options as the command line gives them.
struct EmbedFlags {
  EmbedJob job;
  std::string task;
  std::string prompt;
  std::string encoding = "float";
  std::string format;
  std::string shard;
  std::string on_error = "stop";
  bool is_jsonl = false, is_csv = false, is_tsv = false;
  bool no_normalize = false, no_prompt = false;
  bool late_chunking = false, multi_vector = false, token_vectors = false;
  bool has_task = false, has_prompt = false;
};

void refuse(bool is_wrong, std::string_view options, std::string_view reason) {
  if (is_wrong) fail(ErrorKind::kInvalidArgument, std::string(options), "{}", reason);
}

void check_flags(const EmbedFlags& flags) {
  const EmbedJob& job = flags.job;
  refuse(!job.texts.empty() && !job.input.empty(), "TEXT, --input", "expected texts or an input, found both");
  refuse(flags.has_prompt && flags.no_prompt, "--prompt, --no-prompt", "expected one of them, found both");
  refuse(flags.late_chunking && flags.token_vectors, "--late-chunking, --token-vectors",
         "expected one of them, found both");
  const bool has_chunks = job.embed.chunk_tokens > 0 || job.embed.chunk_sentences > 0;
  refuse(has_chunks && !flags.late_chunking, "--chunk-tokens, --chunk-sentences", "they go with --late-chunking");
  refuse(job.embed.chunk_tokens > 0 && job.embed.chunk_sentences > 0, "--chunk-tokens, --chunk-sentences",
         "expected one of them, found both");
  refuse(int{flags.is_jsonl} + int{flags.is_csv} + int{flags.is_tsv} > 1, "--jsonl, --csv, --tsv",
         "expected one of them, found several");
  refuse(job.is_resumed && job.path.empty(), "--resume", "it needs an output file (-o)");
  if (flags.multi_vector) {
    fail(ErrorKind::kUnsupported, "--multi-vector",
         "no model that is built here gives several vectors a text for late interaction; see --late-chunking and "
         "--token-vectors");
  }
}

OutputFormat choose_format(const EmbedFlags& flags, const Environment& environment) {
  if (!flags.format.empty()) return parse_output_format(flags.format);
  if (flags.job.path.ends_with(".npy")) return OutputFormat::kNpy;
  if (flags.job.path.ends_with(".json")) return OutputFormat::kJson;
  if (flags.job.path.ends_with(".csv")) return OutputFormat::kCsv;
  return flags.job.path.empty() && environment.is_output_terminal ? OutputFormat::kTable : OutputFormat::kJsonl;
}

EmbedJob make_job(EmbedFlags flags, const Environment& environment) {
  check_flags(flags);
  EmbedJob job = flags.job;
  if (job.texts.empty() && job.input.empty()) {
    refuse(isatty(STDIN_FILENO) != 0, "TEXT", "expected texts, or a file (-i), or text on standard input");
    job.input = "-";
  }
  if (flags.is_jsonl) job.rows.format = RowFormat::kJsonl;
  if (flags.is_csv) job.rows.format = RowFormat::kCsv;
  if (flags.is_tsv) job.rows.format = RowFormat::kTsv;
  if (flags.has_task) job.rows.task = flags.task;
  job.rows.use_prompt = !flags.no_prompt;
  if (flags.has_prompt) job.embed.prompt = flags.prompt;
  job.embed.normalize = !flags.no_normalize;
  if (flags.late_chunking) job.embed.kind = VectorKind::kLateChunks;
  if (flags.token_vectors) job.embed.kind = VectorKind::kTokens;
  job.output = {.format = choose_format(flags, environment),
                .encoding = parse_vector_encoding(flags.encoding),
                .kind = job.embed.kind};
  refuse(job.has_meta && job.path.empty() && job.output.format != OutputFormat::kJsonl, "--meta",
         "on standard output it goes with --format jsonl; or give an output file (-o)");
  refuse(job.path.empty() && job.output.format == OutputFormat::kNpy, "--format npy", "it needs an output file (-o)");
  if (!flags.shard.empty()) job.shard = parse_shard(flags.shard);
  job.skips_errors = flags.on_error == "skip";
  return job;
}

void add_input_options(CLI::App& command, EmbedFlags& flags) {
  EmbedJob& job = flags.job;
  command.add_option("TEXT", job.texts, "Texts to embed");
  command.add_option("-i,--input", job.input,
                     "A file (one text a line; .jsonl, .csv, .tsv by their ending), a directory of text files, or -");
  command.add_flag("--jsonl", flags.is_jsonl, "The input is JSON lines, whatever its name");
  command.add_flag("--csv", flags.is_csv, "The input is CSV with a header line");
  command.add_flag("--tsv", flags.is_tsv, "The input is tab-separated with a header line");
  command.add_option("--text-field", job.rows.text_field, "Field or column of the text")->capture_default_str();
  command.add_option("--shard", flags.shard, "I/N: only the rows r with r mod N = I");
  command.add_option("--on-error", flags.on_error, "What to do with a row that cannot be embedded")
      ->check(CLI::IsMember({"stop", "skip"}))
      ->capture_default_str();
}

void add_vector_options(CLI::App& command, EmbedFlags& flags) {
  EmbedJob& job = flags.job;
  command.add_option("-t,--task", flags.task, "One of the model's tasks (jina show lists them)");
  command.add_option("-d,--dimensions", job.embed.dimensions, "Cut vectors to this size, then normalise")
      ->check(CLI::PositiveNumber);
  command.add_flag("--no-normalize", flags.no_normalize, "Leave vectors as pooled, not of unit length");
  command.add_flag("--truncate", job.embed.truncate, "Cut texts that are too long instead of refusing them");
  command.add_flag("--no-prompt", flags.no_prompt, "Leave out the task's instruction");
  command.add_option("--prompt", flags.prompt, "Put this in front of every text instead of the task's instruction");
  command.add_flag(
      "--late-chunking", flags.late_chunking,
      "One vector per chunk of a text that is read whole; chunks from 'spans' of a JSONL row, or cut here");
  command.add_option("--chunk-tokens", job.embed.chunk_tokens, "Late chunking: tokens per chunk")
      ->check(CLI::PositiveNumber);
  command.add_option("--chunk-sentences", job.embed.chunk_sentences, "Late chunking: sentences per chunk")
      ->check(CLI::PositiveNumber);
  command.add_flag("--multi-vector", flags.multi_vector, "Several vectors a text for late interaction");
  command.add_flag("--token-vectors", flags.token_vectors, "The last hidden state of every token, not normalised");
}

void add_output_options(CLI::App& command, EmbedFlags& flags) {
  EmbedJob& job = flags.job;
  command.add_option("-o,--output", job.path, "Output file; appears under its name only when it is complete");
  command
      .add_option("--format", flags.format, "jsonl, json, npy, csv or table (default: table on a terminal, else jsonl)")
      ->check(CLI::IsMember({"jsonl", "json", "npy", "csv", "table"}));
  command.add_option("--encoding", flags.encoding, "How numbers are written")
      ->check(CLI::IsMember({"float", "base64", "binary", "ubinary", "int8"}))
      ->capture_default_str();
  command.add_flag("--meta", job.has_meta,
                   "Tell model, task, prompt, dimensions, precision and fingerprint: one line in "
                   "front, or FILE.meta.json beside the output file");
  command.add_flag("--resume", job.is_resumed, "Go on where an interrupted run with the same options stopped");
}

}  // namespace

Shard parse_shard(const std::string& text) {
  Shard shard;
  const auto is_number = [](std::string_view digits, int64_t& value) {
    const char* end = digits.data() + digits.size();
    const auto [stop, code] = std::from_chars(digits.data(), end, value);
    return code == std::errc() && stop == end;
  };
  const size_t slash = std::min(text.find('/'), text.size());
  const auto view = std::string_view(text);
  if (!is_number(view.substr(0, slash), shard.index) || slash == text.size() ||
      !is_number(view.substr(slash + 1), shard.count) || shard.count < 1 || shard.index < 0 ||
      shard.index >= shard.count) {
    fail(ErrorKind::kInvalidArgument, "--shard", "'{}': expected I/N with 0 <= I < N, for example 0/4", text);
  }
  return shard;
}

void add_embed(CLI::App& command, const Environment& environment) {
  auto flags = std::make_shared<EmbedFlags>();
  add_input_options(command, *flags);
  add_vector_options(command, *flags);
  add_output_options(command, *flags);
  add_model_options(command, flags->job.model, environment);
  command.callback([flags, environment, &command] {
    flags->has_task = command.count("--task") > 0;
    flags->has_prompt = command.count("--prompt") > 0;
    run_embed(make_job(*flags, environment), environment);
  });
}

}  // namespace jina::cli
