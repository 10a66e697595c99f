#include <cstring>
#include <filesystem>

#include "embedding/output.h"
#include "support/golden.h"
#include "support/jina_command.h"

namespace jina {
namespace {

using test::ChildOptions;
using test::ChildResult;
using test::Golden;
using test::max_difference;
using test::parse_lines;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-5;  // ../shared/golden/README.md

class EmbedCommand : public test::JinaCommand {
 protected:
  /// `jina embed` in float32 on a tiny model.
  ChildResult embed(const std::string& name, std::vector<std::string> arguments) const {
    const std::vector<std::string> common = {"embed", "-m", model(name), "--precision", "f32", "--threads", "2"};
    arguments.insert(arguments.begin(), common.begin(), common.end());
    return run(arguments);
  }
  void expect_failure(const ChildResult& result, int exit_code, const std::string& part) const {
    EXPECT_EQ(result.exit_code, exit_code) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr(part));
    EXPECT_EQ(result.output, "");
  }
  void expect_wrong(const std::vector<std::string>& arguments, const std::string& part) const {
    expect_failure(embed("bert-tiny-mean", arguments), 2, part);
  }
  std::vector<std::string> names_in(const std::string& directory) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(files_.path(directory))) names.push_back(entry.path().filename());
    return names;
  }
};

/// The texts of a golden as rows of JSON.
std::string golden_rows(const Json& texts) {
  std::string rows;
  for (const Json& text : texts.as_array()) {
    rows += "{\"text\": " +
            test::json_string(std::string(text.is_object() ? text.at("text").as_string() : text.as_string())) + "}\n";
  }
  return rows;
}

void expect_rows(const std::string& output, const Tensor& expected) {
  const auto rows = parse_lines(output);
  ASSERT_EQ(static_cast<int64_t>(rows.size()), expected.shape()[0]);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto width = static_cast<size_t>(expected.width());
    const std::span<const float> row(expected.row<float>(static_cast<int64_t>(i)), width);
    EXPECT_LE(max_difference(test::floats(rows[i]->root().at("embedding")), row), kTolerance) << "row " << i;
  }
}

TEST_F(EmbedCommand, TextsAsLinesOfJson) {
  const ChildResult result = embed("bert-tiny-mean", {"Hello World", "", "[a,b]", "-d", "16"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(result.errors, "");
  const auto rows = parse_lines(result.output);
  ASSERT_EQ(rows.size(), 3u) << "a text in brackets is one text";
  EXPECT_THAT(result.output, testing::StartsWith("{\"index\": 0, \"embedding\": ["));
  EXPECT_EQ(rows[2]->root().at("index").as_int(), 2);
  EXPECT_EQ(rows[0]->root().at("embedding").as_array().size(), 16u);
  EXPECT_EQ(rows[1]->root().at("tokens").as_int(), 2) << "an empty text is its special tokens";
}

TEST_F(EmbedCommand, VectorsAreThoseOfTheReference) {
  for (const std::string name : {"bert-tiny-cls", "v2-small-8h", "v2-code-6h"}) {
    const Golden golden(name);
    files_.write("rows.jsonl", golden_rows(golden.expected().at("texts")));
    const ChildResult result = embed(name, {"-i", files_.path("rows.jsonl"), "--truncate"});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    SCOPED_TRACE(name);
    expect_rows(result.output, golden.tensor("embedding"));
    if (!golden.has("embedding.dim16")) continue;
    const ChildResult cut = embed(name, {"-i", files_.path("rows.jsonl"), "--truncate", "-d", "16"});
    expect_rows(cut.output, golden.tensor("embedding.dim16"));
  }
}

TEST_F(EmbedCommand, OnAGpuOrAClearWordWithoutOne) {
  for (const std::string name : {"bert-tiny-cls", "v2-small-8h", "v2-code-6h"}) {
    const Golden golden(name);
    files_.write("rows.jsonl", golden_rows(golden.expected().at("texts")));
    const ChildResult result = embed(name, {"-i", files_.path("rows.jsonl"), "--truncate", "--device", "cuda"});
    if (result.exit_code == 0) {
      expect_rows(result.output, golden.tensor("embedding"));
    } else {
      EXPECT_THAT(result.errors, testing::AnyOf(HasSubstr("expected a CUDA device and a libtorch with CUDA"),
                                                HasSubstr("libjina_torch.so: not found in")));
    }
  }
}

TEST_F(EmbedCommand, DefaultModelGivesItsPublishedVectors) {
  const char* cache = std::getenv("JINA_CACHE");
  const char* home = std::getenv("HOME");
  const std::string directory =
      (cache != nullptr ? std::string(cache) : std::string(home != nullptr ? home : "") + "/.cache/jina") +
      "/models/all-MiniLM-L6-v2";
  if (!fs::exists(directory)) GTEST_SKIP() << "no model in " << directory << " (tools/fetch_default_model.sh)";
  const Golden golden("all-minilm-l6-v2");
  files_.write("rows.jsonl", golden_rows(golden.expected().at("texts")));
  const ChildResult result =
      run({"embed", "-m", directory, "--precision", "f32", "--truncate", "-i", files_.path("rows.jsonl")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  expect_rows(result.output, golden.tensor("embedding"));
}

TEST_F(EmbedCommand, TasksMayDifferFromRowToRow) {
  const Golden golden("v3-tiny");
  const auto texts = golden.expected().at("texts").as_array();
  std::string rows;
  for (const Json& row : golden.expected().at("mixed_batch").as_array()) {
    const auto task = row.find("task");
    const std::string text(texts[static_cast<size_t>(row.at("text").as_int())].as_string());
    rows += fmt::format("{{\"id\": {}, \"task\": {}, \"prompt\": {}, \"text\": {}}}\n", row.at("text").as_int(),
                        task ? task->dump() : "null", row.at("instruction").as_bool(), test::json_string(text));
  }
  files_.write("rows.jsonl", rows);
  const ChildResult result = embed("v3-tiny", {"-i", files_.path("rows.jsonl"), "-t", "classification"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  expect_rows(result.output, golden.tensor("mixed_batch.embedding"));
  EXPECT_THAT(result.errors, HasSubstr("raw base model")) << "two rows have no task";
  EXPECT_EQ(parse_lines(result.output)[0]->root().at("id").as_int(), 3);
}

TEST_F(EmbedCommand, TaskOfTheCommandIsForRowsWithoutOne) {
  const Golden golden("v3-tiny");
  files_.write("rows.jsonl", golden_rows(golden.expected().at("texts")));
  const std::string input = files_.path("rows.jsonl");
  const ChildResult with = embed("v3-tiny", {"-i", input, "-t", "retrieval.passage"});
  expect_rows(with.output, golden.tensor("retrieval.passage.instruction.embedding"));
  EXPECT_EQ(with.errors, "");
  const ChildResult without = embed("v3-tiny", {"-i", input, "-t", "retrieval.passage", "--no-prompt", "-d", "16"});
  expect_rows(without.output, golden.tensor("retrieval.passage.plain.embedding.dim16"));
}

class EmbedLateChunks : public EmbedCommand {
 protected:
  void check(const std::string& name, const std::string& prefix, const std::vector<std::string>& arguments) const {
    const Golden golden(name);
    const Json late = golden.expected().at("late");
    const Json spans = late.at("byte_spans");
    files_.write("late.jsonl", fmt::format("{{\"text\": {}, \"spans\": {}}}\n", late.at("text").dump(), spans.dump()));
    std::vector<std::string> all = {"--late-chunking", "-i", files_.path("late.jsonl")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ChildResult result = embed(name, all);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    const auto rows = parse_lines(result.output);
    ASSERT_EQ(rows.size(), 1u);
    const Json row = rows[0]->root();
    EXPECT_EQ(row.at("spans").dump(), spans.dump());
    const Tensor expected = golden.tensor(prefix + ".extended.embedding");
    const auto vectors = row.at("embeddings").as_array();
    ASSERT_EQ(static_cast<int64_t>(vectors.size()), expected.shape()[0]);
    for (size_t i = 0; i < vectors.size(); ++i) {
      const std::span<const float> wanted(expected.row<float>(static_cast<int64_t>(i)),
                                          static_cast<size_t>(expected.width()));
      EXPECT_LE(max_difference(test::floats(vectors[i]), wanted), kTolerance) << name << " chunk " << i;
    }
  }
};

TEST_F(EmbedLateChunks, OfBert) { check("bert-tiny-cls", "late", {}); }
TEST_F(EmbedLateChunks, OfV2) { check("v2-small-8h", "late", {}); }
TEST_F(EmbedLateChunks, OfV3WithoutTask) { check("v3-tiny", "late.none", {}); }
TEST_F(EmbedLateChunks, OfV3WithAdapter) { check("v3-tiny", "late.text-matching", {"-t", "text-matching"}); }
TEST_F(EmbedLateChunks, OfV3WithInstruction) {
  check("v3-tiny", "late.retrieval.passage", {"-t", "retrieval.passage"});
}

TEST_F(EmbedLateChunks, CutByTokensOrSentences) {
  const std::string text = "One small dog. Two small cats! Three men?";
  const ChildResult tokens = embed("v2-small-8h", {"--late-chunking", "--chunk-tokens", "4", text});
  EXPECT_EQ(tokens.exit_code, 0) << tokens.errors;
  const auto rows = parse_lines(tokens.output);
  const auto spans = rows.at(0)->root().at("spans").as_array();
  ASSERT_GT(spans.size(), 2u);
  int64_t place = 0;
  for (const Json& span : spans) {
    EXPECT_EQ(span.as_array()[0].as_int(), place);
    place = span.as_array()[1].as_int();
  }
  EXPECT_EQ(place, static_cast<int64_t>(text.size()));
  const ChildResult sentences = embed("v2-small-8h", {"--late-chunking", "--chunk-sentences", "1", text});
  EXPECT_EQ(parse_lines(sentences.output).at(0)->root().at("embeddings").as_array().size(), 3u);

  expect_failure(embed("v2-small-8h", {"--late-chunking", text}), 2, "row 0: no chunks: expected spans");
  files_.write("bad.jsonl", "{\"text\": \"abc\", \"spans\": [[0, 9]]}\n");
  expect_failure(embed("v2-small-8h", {"--late-chunking", "-i", files_.path("bad.jsonl")}), 2,
                 "bad.jsonl:1: span 0: row 0: [0, 9]: expected start < end <= 3");
}

TEST_F(EmbedCommand, TokenVectorsAreTheHiddenStates) {
  const Golden golden("v2-small-8h");
  files_.write("rows.jsonl", golden_rows(golden.expected().at("texts")));
  const ChildResult result = embed("v2-small-8h", {"-i", files_.path("rows.jsonl"), "--truncate", "--token-vectors"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  const auto rows = parse_lines(result.output);
  for (const size_t i : {size_t{0}, size_t{1}}) {
    const Tensor hidden = golden.tensor("hidden." + std::to_string(i));
    const auto vectors = rows.at(i)->root().at("embeddings").as_array();
    ASSERT_EQ(static_cast<int64_t>(vectors.size()), hidden.shape()[0]);
    EXPECT_EQ(rows[i]->root().at("tokens").as_int(), hidden.shape()[0]);
    for (size_t token = 0; token < vectors.size(); ++token) {
      const std::span<const float> wanted(hidden.row<float>(static_cast<int64_t>(token)),
                                          static_cast<size_t>(hidden.width()));
      EXPECT_LE(max_difference(test::floats(vectors[token]), wanted), 1e-4);
    }
  }
}

TEST_F(EmbedCommand, EncodingsOfOneVector) {
  const auto field = [&](const std::string& encoding) {
    const ChildResult result = embed("bert-tiny-mean", {"Hello World", "--encoding", encoding});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return parse_lines(result.output).at(0)->root().at("embedding").dump();
  };
  const auto parsed = parse_lines(field("float"));
  const std::vector<float> vector = test::floats(parsed.at(0)->root());
  for (const std::string name : {"base64", "binary", "ubinary", "int8"}) {
    std::string expected;
    append_vector(expected, vector, parse_vector_encoding(name));
    EXPECT_EQ(field(name), expected) << name << ": also shows that the decimals read back as the same floats";
  }
}

TEST_F(EmbedCommand, EveryFormatReadsBack) {
  files_.write("rows.jsonl", "{\"id\": \"a \\\"b\\\"\", \"text\": \"one\"}\n{\"id\": [1], \"text\": \"two words\"}\n");
  const std::string input = files_.path("rows.jsonl");
  const auto lines = parse_lines(embed("bert-tiny-mean", {"-i", input, "--format", "jsonl"}).output);
  ASSERT_EQ(lines.size(), 2u);

  const ChildResult json = embed("bert-tiny-mean", {"-i", input, "--format", "json"});
  const auto array = JsonDocument::parse(json.output, "output", ErrorKind::kInvalidInput);
  ASSERT_EQ(array.root().as_array().size(), 2u);
  EXPECT_EQ(array.root().as_array()[1].dump(), lines[1]->root().dump());

  const ChildResult csv = embed("bert-tiny-mean", {"-i", input, "--format", "csv"});
  EXPECT_THAT(csv.output, testing::StartsWith("index,id,tokens,0,1,2,"));
  EXPECT_THAT(csv.output, HasSubstr("\n0,\"a \"\"b\"\"\",3,"));
  EXPECT_THAT(csv.output, HasSubstr("\n1,\"[1]\",6,"));

  const ChildResult table = embed("bert-tiny-mean", {"-i", input, "--format", "table"});
  EXPECT_THAT(table.output, testing::ContainsRegex("1 +48 +6 +1\\.000 "));

  const ChildResult npy = embed("bert-tiny-mean", {"-i", input, "-o", files_.path("v.npy")});
  EXPECT_EQ(npy.exit_code, 0) << npy.errors;
  const std::string bytes = read_file(files_.path("v.npy"));
  const std::vector<float> second = test::floats(lines[1]->root().at("embedding"));
  ASSERT_EQ(bytes.size(), 128 + 2 * second.size() * sizeof(float));
  std::string header =
      std::string("\x93NUMPY\x01\x00\x76\x00", 10) + "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 48), }";
  header.resize(127, ' ');
  EXPECT_EQ(bytes.substr(0, 128), header + "\n");
  EXPECT_EQ(
      std::memcmp(bytes.data() + 128 + second.size() * sizeof(float), second.data(), second.size() * sizeof(float)), 0);
}

TEST_F(EmbedCommand, EmptyInputIsNoRow) {
  files_.write("empty.txt", "");
  const std::string input = files_.path("empty.txt");
  EXPECT_EQ(embed("bert-tiny-mean", {"-i", input}).output, "");
  EXPECT_EQ(embed("bert-tiny-mean", {"-i", input, "--format", "json"}).output, "[\n]\n");
  EXPECT_EQ(embed("bert-tiny-mean", {"-i", input, "-o", files_.path("v.npy")}).exit_code, 0);
  EXPECT_THAT(read_file(files_.path("v.npy")), HasSubstr("'shape': (0, 48)"));
}

TEST_F(EmbedCommand, MetaTellsWhatMadeTheVectors) {
  const ChildResult shown = embed("v3-tiny", {"x", "--meta", "-t", "retrieval.query"});
  const auto rows = parse_lines(shown.output);
  ASSERT_EQ(rows.size(), 2u);
  const Json meta = rows[0]->root().at("meta");
  EXPECT_EQ(meta.at("task").as_string(), "retrieval.query");
  EXPECT_THAT(std::string(meta.at("prompt").as_string()), HasSubstr("Represent the query"));
  EXPECT_EQ(meta.at("dimensions").as_int(), 64);
  EXPECT_EQ(meta.at("precision").as_string(), "f32");
  EXPECT_EQ(meta.at("fingerprint").as_string().size(), 16u);
  embed("v3-tiny", {"x", "--meta", "-t", "retrieval.query", "-o", files_.path("v.jsonl")});
  const auto beside = parse_lines(read_file(files_.path("v.jsonl.meta.json")));
  EXPECT_EQ(beside.at(0)->root().dump(), meta.dump());
  EXPECT_EQ(read_file(files_.path("v.jsonl")), shown.output.substr(shown.output.find('\n') + 1));
}

TEST_F(EmbedCommand, StrangeTextsAreTextsToo) {
  files_.write("t.txt", std::string("a\0b\n", 4) + "caf\xE9\n");
  const ChildResult result = embed("v3-tiny", {"-i", files_.path("t.txt"), "-t", "separation"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(parse_lines(result.output).size(), 2u);
  EXPECT_THAT(result.errors, HasSubstr("1 text held bytes that are not UTF-8"));
}

TEST_F(EmbedCommand, StandardInputAndPipes) {
  const std::string tail = " -m " + model("bert-tiny-mean");
  EXPECT_EQ(parse_lines(shell("printf 'one\\ntwo\\n' | jina embed" + tail).output).size(), 2u);
  EXPECT_EQ(parse_lines(shell("printf '{\"text\": \"a\"}\\n' | jina embed -i - --jsonl" + tail).output).size(), 1u);
  const ChildResult substituted = shell("jina embed -i <(printf 'one\\ntwo\\n')" + tail);
  EXPECT_EQ(parse_lines(substituted.output).size(), 2u) << "a pipe under a file name is read once";
}

TEST_F(EmbedCommand, WhoeverReadsMayStop) {
  const std::string rows = files_.path("rows.txt");
  const ChildResult result = shell("seq 20000 >" + rows + "; jina embed -i " + rows + " -m " + model("bert-tiny-mean") +
                                   " | head -n 1 | wc -l");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "1\n");
  EXPECT_EQ(result.errors, "");
}

TEST_F(EmbedCommand, WrongOptionsEndWithTwo) {
  expect_wrong({"x", "--format", "xml"}, "--format");
  expect_wrong({"x", "-d", "0"}, "--dimensions");
  expect_wrong({"x", "-d", "65"}, "expected 1 to 48, found 65");
  expect_wrong({"x", "--encoding", "hex"}, "--encoding");
  expect_wrong({"x", "--shard", "2/2"}, "expected I/N with 0 <= I < N");
  expect_wrong({"x", "--shard", "1"}, "expected I/N");
  expect_wrong({"x", "-i", "file"}, "found both");
  expect_wrong({"x", "--prompt", "a", "--no-prompt"}, "found both");
  expect_wrong({"x", "--chunk-tokens", "3"}, "--late-chunking");
  expect_wrong({"x", "--resume"}, "it needs an output file");
  expect_wrong({"x", "--format", "npy"}, "it needs an output file");
  expect_wrong({"x", "--late-chunking", "--format", "csv"}, "one vector per text");
  expect_wrong({"x", "--format", "csv", "--encoding", "base64"}, "holds numbers");
  expect_wrong({"x", "--multi-vector"}, "--late-chunking");
  expect_wrong({"x", "--no-such-option"}, "--no-such-option");
  expect_failure(run({"embed", "x", "--precision", "f64"}), 2, "expected auto, f32 or bf16");
  expect_wrong({"x", "--device", "tpu"}, "unknown device 'tpu'; expected cpu, cuda or cuda:N");
  for (const std::string device : {"cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda:999"}) {
    expect_wrong({"x", "--device", device}, "unknown device '" + device + "'; expected cpu, cuda or cuda:N");
  }
  expect_wrong({"x", "-t", "poetry"}, "unknown task 'poetry'");
  expect_wrong({"-i", files_.path("absent.txt")}, "absent.txt: cannot open");
  expect_failure(run({"embed", "x", "-m", "no/model"}), 2, "no/model");
  const ChildResult task = embed("v3-tiny", {"x", "-t", "poetry", "--on-error", "skip"});
  expect_failure(task, 2, "known tasks: retrieval.query, retrieval.passage, separation, classification, text-matching");
}

TEST_F(EmbedCommand, BrokenRowsAreNamedBeforeTheWorkStarts) {
  files_.write("rows.jsonl", "{\"text\": \"a\"}\n\n{\"text\": 5}\n");
  const std::string output = files_.path("out/v.jsonl");
  fs::create_directories(files_.path("out"));
  expect_wrong({"-i", files_.path("rows.jsonl"), "-o", output}, "rows.jsonl:3: row 1: 'text': expected a string");
  files_.write("rows.jsonl", "{\"text\": \"a\", \"task\": \"poetry\"}\n");
  expect_wrong({"-i", files_.path("rows.jsonl"), "-o", output}, "rows.jsonl:1: task: row 0: unknown task 'poetry'");
  files_.write("rows.jsonl", "{\"image\": \"a.png\"}\n");
  expect_wrong({"-i", files_.path("rows.jsonl"), "-o", output}, "this build takes text only");
  files_.write("rows.csv", "text\n\"never closed\n");
  expect_wrong({"-i", files_.path("rows.csv"), "-o", output}, "rows.csv:2: a quoted field is never closed");
  files_.write("rows.csv", "body\nx\n");
  expect_wrong({"-i", files_.path("rows.csv"), "-o", output}, "no column 'text'");
  EXPECT_THAT(names_in("out"), testing::IsEmpty());
}

TEST_F(EmbedCommand, TooLongATextNamesBothLengths) {
  std::string line;
  while (line.size() < 2'000'000) line += "word and ";
  files_.write("t.txt", "short\n" + line + "\nlast\n");
  const std::string input = files_.path("t.txt");
  const ChildResult refused = embed("bert-tiny-mean", {"-i", input});
  expect_failure(refused, 2, "t.txt:2: row 1: text is too long: ");
  EXPECT_THAT(refused.errors, HasSubstr("tokens, the model takes "));
  EXPECT_LT(refused.errors.size(), 500u);

  const ChildResult cut = embed("bert-tiny-mean", {"-i", input, "--truncate"});
  EXPECT_EQ(parse_lines(cut.output).size(), 3u);
  EXPECT_THAT(cut.errors, HasSubstr("1 text was cut to the "));

  const ChildResult skipped =
      embed("bert-tiny-mean", {"-i", input, "--on-error", "skip", "-o", files_.path("v.jsonl")});
  EXPECT_EQ(skipped.exit_code, 0) << skipped.errors;
  EXPECT_EQ(parse_lines(read_file(files_.path("v.jsonl"))).size(), 2u);
  const auto list = parse_lines(read_file(files_.path("v.jsonl.skipped.jsonl")));
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]->root().at("index").as_int(), 1);
  EXPECT_THAT(std::string(list[0]->root().at("error").as_string()), HasSubstr("t.txt:2: row 1: text is too long"));
}

TEST_F(EmbedCommand, PlacesThatCannotBeWritten) {
  files_.write("in/t.txt", "one\n");
  const auto to = [&](const std::string& output) {
    return embed("bert-tiny-mean", {"-i", files_.path("in/t.txt"), "-o", output});
  };
  expect_failure(to(files_.path("absent/v.jsonl")), 1, "cannot create: No such file or directory");
  expect_failure(to(files_.path("in")), 2, "found a directory");
  expect_failure(to(files_.path("in/t.txt")), 2, "would change the input");
  expect_failure(to("/dev/full"), 2, "not a regular file");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  expect_failure(embed("bert-tiny-mean", {"-i", files_.path("in"), "-o", files_.path("in/v.jsonl")}), 2,
                 "would change the input");
  EXPECT_THAT(names_in("in"), testing::ElementsAre("t.txt"));
}

TEST_F(EmbedCommand, FullDiskLeavesNothing) {
  const ChildResult shown = shell("jina embed hello -m " + model("bert-tiny-mean") + " > /dev/full");
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_THAT(shown.errors, HasSubstr("standard output: cannot write: No space left on device"));

  fs::create_directories(files_.path("out"));
  ChildOptions options = command({"embed", "hello", "-m", model("bert-tiny-mean"), "-o", files_.path("out/v.jsonl")});
  options.max_file_bytes = 100;
  const ChildResult result = run_child(options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("out/v.jsonl: cannot write"));
  EXPECT_THAT(names_in("out"), testing::IsEmpty());
}

}  // namespace
}  // namespace jina
