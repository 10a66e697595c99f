#include "jina/embedder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <thread>

#include "embedding/loader.h"
#include "nn/pooling.h"
#include "support/embedding.h"
#include "support/expect_error.h"
#include "support/golden.h"
#include "support/temporary_directory.h"
#include "text/tokenizer.h"

namespace jina {
namespace {

using test::all_values;
using test::max_difference;
using test::tiny_model;

constexpr double kSame = 1e-5;
constexpr double kDifferent = 1e-3;  // negative controls: what must not be equal

const OpenOptions kTwoThreads{.precision = Precision::kF32, .threads = 2};

/// Texts of very different lengths, the empty one among them.
std::vector<EmbedInput> sample_inputs() {
  std::vector<EmbedInput> inputs;
  for (const char* text : {"A plane is taking off.", "", "x", "The cat sat on the mat, and nobody asked it to move.",
                           "def add(a, b): return a + b", "Ein Satz über etwas anderes."}) {
    inputs.push_back({.text = text});
  }
  std::string long_text;
  for (int i = 0; i < 40; ++i) long_text += "Sentence number " + std::to_string(i) + " of a longer text. ";
  inputs.push_back({.text = long_text});
  return inputs;
}

std::vector<Embedding> embed_alone(const Embedder& embedder, const std::vector<EmbedInput>& inputs) {
  std::vector<Embedding> results;
  for (const EmbedInput& input : inputs) results.push_back(embedder.embed({input}, {.truncate = true}).front());
  return results;
}

class EmbedderProperties : public testing::TestWithParam<const char*> {
 protected:
  const std::string directory = tiny_model(GetParam());
};

TEST_P(EmbedderProperties, ABatchGivesTheVectorsOfSingleTexts) {
  const Embedder embedder = Embedder::open(directory, kTwoThreads);
  const auto inputs = sample_inputs();
  const auto batch = embedder.embed(inputs, {.truncate = true});
  EXPECT_LE(max_difference(all_values(batch), all_values(embed_alone(embedder, inputs))), kSame);
  // Control: the texts as one would not pass for the batch.
  EXPECT_GT(max_difference(batch[0].values, batch[3].values), kDifferent);
  EXPECT_GT(max_difference(embedder.embed({{.text = inputs[0].text + inputs[3].text}})[0].values, batch[0].values),
            kDifferent);
}

TEST_P(EmbedderProperties, TheOrderOfRowsDoesNotMatter) {
  const Embedder embedder = Embedder::open(directory, kTwoThreads);
  const auto inputs = sample_inputs();
  const auto straight = embedder.embed(inputs, {.truncate = true});
  std::vector<size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  for (int round = 0; round < 3; ++round) {
    std::rotate(order.begin(), order.begin() + 1 + round, order.end());
    std::swap(order.front(), order.back());
    std::vector<EmbedInput> shuffled;
    for (const size_t i : order) shuffled.push_back(inputs[i]);
    const auto results = embedder.embed(shuffled, {.truncate = true});
    std::vector<Embedding> restored(inputs.size());
    for (size_t i = 0; i < order.size(); ++i) restored[order[i]] = results[i];
    EXPECT_LE(max_difference(all_values(restored), all_values(straight)), kSame);
    EXPECT_GT(max_difference(all_values(results), all_values(straight)), kDifferent);  // control: not put back
  }
}

TEST_P(EmbedderProperties, TheNumberOfThreadsDoesNotMatter) {
  const auto inputs = sample_inputs();
  const auto run = [&](int threads, const EmbedOptions& options) {
    return all_values(
        Embedder::open(directory, {.precision = Precision::kF32, .threads = threads}).embed(inputs, options));
  };
  const auto one = run(1, {.truncate = true});
  for (const int threads : {2, 3}) EXPECT_LE(max_difference(run(threads, {.truncate = true}), one), kSame) << threads;
  EXPECT_GT(max_difference(run(2, {.normalize = false, .truncate = true}), one), kDifferent);  // control
}

TEST_P(EmbedderProperties, ManySmallPassesGiveTheVectorsOfOneLargePass) {
  const auto inputs = sample_inputs();
  const auto run = [&](int64_t budget) {
    const Embedder embedder =
        Embedder::open(directory, {.precision = Precision::kF32, .threads = 2, .token_budget = budget});
    return embedder.embed(inputs, {.truncate = true});
  };
  const auto large = run(4096);
  const auto small = run(32);
  EXPECT_LE(max_difference(all_values(small), all_values(large)), kSame);
  EXPECT_GT(max_difference(small[0].values, large[3].values), kDifferent);  // control: another row
}

TEST_P(EmbedderProperties, MappedWeightsGiveTheVectorsOfPackedOnes) {
  const auto inputs = sample_inputs();
  const Embedder packed = Embedder::open(directory, kTwoThreads);
  const Embedder mapped = Embedder::open(directory, {.precision = Precision::kF32, .threads = 2, .map_weights = true});
  EXPECT_LE(max_difference(all_values(mapped.embed(inputs, {.truncate = true})),
                           all_values(packed.embed(inputs, {.truncate = true}))),
            kSame);
}

TEST_P(EmbedderProperties, OneLateChunkIsTheMeanOfTheText) {
  const Embedder embedder = Embedder::open(directory, kTwoThreads);
  const std::string text = "The cat sat on the mat, and nobody asked it to move.";
  const auto plain = embedder.embed({{.text = text}});
  const auto chunk = embedder.embed({{.text = text, .spans = {{0, text.size()}}}}, {.kind = VectorKind::kLateChunks});
  ASSERT_EQ(chunk[0].vectors, 1);
  // Negative control for both poolings: two chunks, and for models that pool the first token the mean is another
  // vector.
  const double difference = max_difference(chunk[0].values, plain[0].values);
  if (embedder.info().pooling == "mean") {
    EXPECT_LE(difference, kSame);
  } else {
    EXPECT_GT(difference, kDifferent);
  }
  const auto two =
      embedder.embed({{.text = text, .spans = {{0, 23}, {23, text.size()}}}}, {.kind = VectorKind::kLateChunks});
  ASSERT_EQ(two[0].vectors, 2);
  EXPECT_GT(max_difference(std::span(two[0].values).first(chunk[0].values.size()), chunk[0].values), kDifferent);
}

TEST_P(EmbedderProperties, CuttingComesBeforeNormalising) {
  const Embedder embedder = Embedder::open(directory, kTwoThreads);
  const auto inputs = sample_inputs();
  const int64_t width = embedder.info().dimensions;
  const auto cut = all_values(embedder.embed(inputs, {.dimensions = 16, .truncate = true}));
  const auto pooled = all_values(embedder.embed(inputs, {.normalize = false, .truncate = true}));
  EXPECT_LE(max_difference(cut, truncate_and_normalize(pooled, width, 16, true)), kSame);
  const auto unit = truncate_and_normalize(pooled, width, width, true);
  EXPECT_GT(max_difference(cut, truncate_and_normalize(unit, width, 16, false)), kDifferent);  // control: cut last
}

INSTANTIATE_TEST_SUITE_P(Families, EmbedderProperties,
                         testing::Values("bert-tiny-mean", "bert-tiny-cls", "v2-small-8h", "v2-base-12h", "v2-code-6h",
                                         "v3-tiny", "v3-tiny-bf16"));

TEST(Embedder, MixedTasksEqualSeparateRuns) {
  const Embedder embedder = Embedder::open(tiny_model("v3-tiny"), kTwoThreads);
  const auto texts = sample_inputs();
  std::vector<std::string> tasks{""};
  for (const TaskInfo& task : embedder.info().tasks) tasks.push_back(task.name);
  ASSERT_EQ(tasks.size(), 6U);
  std::vector<EmbedInput> mixed;
  for (size_t i = 0; i < texts.size() * tasks.size(); ++i) {
    mixed.push_back({.text = texts[i % texts.size()].text, .task = tasks[i % tasks.size()], .use_prompt = i % 5 != 0});
  }
  const auto together = embedder.embed(mixed);
  EXPECT_LE(max_difference(all_values(together), all_values(embed_alone(embedder, mixed))), kSame);
  for (size_t i = 0; i < mixed.size(); ++i) {  // control: the neighbour's task gives another vector
    EmbedInput other = mixed[i];
    other.task = tasks[(i + 1) % tasks.size()];
    EXPECT_GT(max_difference(embedder.embed({other})[0].values, together[i].values), kDifferent) << i;
  }
}

/// A copy of a tiny model whose config takes fewer positions.
void copy_with_limit(const std::string& name, const std::string& limit, const test::TemporaryDirectory& target) {
  for (const char* file : {"model.safetensors", "tokenizer.json", "modules.json"}) {
    std::filesystem::copy(tiny_model(name) + "/" + file, target.path(file));
  }
  std::filesystem::copy(tiny_model(name) + "/1_Pooling", target.path("1_Pooling"));
  std::ifstream source(tiny_model(name) + "/config.json");
  std::string config((std::istreambuf_iterator<char>(source)), {});
  const std::string field = "\"max_position_embeddings\": 8192";
  config.replace(config.find(field), field.size(), "\"max_position_embeddings\": " + limit);
  target.write("config.json", config);
}

/// The hidden states of `ids` read in windows: each later one starts `step` tokens after the one before and gives only
/// what the one before did not reach. → (tokens, hidden)
std::vector<float> windowed(const LoadedModel& model, const std::vector<int32_t>& ids, int64_t longest, int64_t step) {
  std::vector<float> hidden;
  const auto tokens = static_cast<int64_t>(ids.size());
  const int64_t width = model.card.dimensions;
  for (int64_t begin = 0; static_cast<int64_t>(hidden.size()) < tokens * width; begin += step) {
    const int64_t end = std::min(begin + longest, tokens);
    TokenBatch batch;
    batch.layout.append(end - begin);
    batch.ids.assign(ids.begin() + begin, ids.begin() + end);
    batch.adapters.by_row = {kNoAdapter};
    const Tensor window = model.encoder->forward(batch, nullptr);
    const int64_t known = static_cast<int64_t>(hidden.size()) / width - begin;
    for (const float value : window.span<float>().subspan(static_cast<size_t>(known * width))) hidden.push_back(value);
  }
  return hidden;
}

std::vector<float> mean_of_rows(std::span<const float> rows, int64_t width, const TokenSpan& span) {
  std::vector<double> sum(static_cast<size_t>(width));
  for (int64_t i = span.begin * width; i < span.end * width; ++i) {
    sum[static_cast<size_t>(i % width)] += rows[static_cast<size_t>(i)];
  }
  std::vector<float> mean;
  for (const double value : sum) mean.push_back(static_cast<float>(value / static_cast<double>(span.end - span.begin)));
  return mean;
}

TEST(Embedder, LongLateChunkingEqualsHandMadeWindows) {
  const test::TemporaryDirectory directory;
  copy_with_limit("v2-small-8h", "64", directory);
  const Embedder embedder = Embedder::open(directory.path(), kTwoThreads);
  ASSERT_EQ(embedder.info().max_tokens, 64);
  const std::string text = sample_inputs().back().text;
  const auto model = load_model(directory.path(), kTwoThreads);
  const Encoding encoding = model->tokenizer->encode(text);
  const auto tokens = static_cast<int64_t>(encoding.ids.size());
  ASSERT_GT(tokens, 300);
  const auto byte_of = [&](int64_t token) { return size_t{encoding.offsets[static_cast<size_t>(token)].begin}; };
  // Chunks within one window, over several, and up to the end.
  const std::vector<TokenSpan> chunks{{0, 40}, {40, 70}, {70, 250}, {250, tokens}};
  const EmbedInput input{
      .text = text,
      .spans = {
          {0, byte_of(40)}, {byte_of(40), byte_of(70)}, {byte_of(70), byte_of(250)}, {byte_of(250), text.size()}}};
  const auto result = embedder.embed({input}, {.kind = VectorKind::kLateChunks, .normalize = false}).front();
  ASSERT_EQ(result.vectors, 4);
  EXPECT_EQ(result.tokens, tokens);
  const auto width = static_cast<size_t>(result.dimensions);
  const auto overlapping = windowed(*model, encoding.ids, 64, 32);  // half a window of overlap: 512 would not fit
  const auto side_by_side = windowed(*model, encoding.ids, 64, 64);
  for (size_t i = 0; i < chunks.size(); ++i) {
    const std::span vector = std::span(result.values).subspan(i * width, width);
    EXPECT_LE(max_difference(vector, mean_of_rows(overlapping, result.dimensions, chunks[i])), kSame) << i;
    if (i == 0) continue;  // lies in the first window, which is the same in both
    EXPECT_GT(max_difference(vector, mean_of_rows(side_by_side, result.dimensions, chunks[i])), kDifferent) << i;
  }
}

TEST(Embedder, ALongTextIsRefusedOrCut) {
  const test::TemporaryDirectory directory;
  copy_with_limit("v2-small-8h", "64", directory);
  const Embedder embedder = Embedder::open(directory.path(), kTwoThreads);
  const EmbedInput input = sample_inputs().back();
  test::expect_error(ErrorKind::kInvalidInput, "input 1: text is too long", [&] {
    embedder.embed({{.text = "short"}, input});
  });
  const Embedding cut = embedder.embed({input}, {.truncate = true}).front();
  EXPECT_TRUE(cut.is_truncated);
  EXPECT_EQ(cut.tokens, 64);
  const auto model = load_model(directory.path(), kTwoThreads);
  std::vector<int32_t> ids = model->tokenizer->encode(input.text).ids;
  ids.erase(ids.begin() + 63, ids.end() - 1);  // 63 tokens from the front and the closing special token
  const auto hidden = windowed(*model, ids, 64, 64);
  const auto unit =
      truncate_and_normalize(mean_of_rows(hidden, cut.dimensions, {0, 64}), cut.dimensions, cut.dimensions, true);
  EXPECT_LE(max_difference(cut.values, unit), kSame);
  const Embedding whole = Embedder::open(tiny_model("v2-small-8h"), kTwoThreads).embed({input}).front();
  EXPECT_FALSE(whole.is_truncated);
  EXPECT_GT(max_difference(cut.values, whole.values), kDifferent);
}

TEST(Embedder, CancelledRowsAreDropped) {
  const Embedder embedder =
      Embedder::open(tiny_model("v2-small-8h"), {.precision = Precision::kF32, .threads = 1, .token_budget = 32});
  std::vector<EmbedInput> many(2000, sample_inputs().back());
  std::stop_source stop;
  auto cancelled = embedder.submit(many, {}, stop.get_token());
  stop.request_stop();
  test::expect_error(ErrorKind::kCancelled, "cancelled", [&] { cancelled.get(); });
  EXPECT_EQ(embedder.submit({{.text = "x"}}).get().size(), 1U);  // the next call is served
}

TEST(Embedder, SubmitFromSeveralThreadsGivesEachCallerItsOwn) {
  const Embedder embedder = Embedder::open(tiny_model("v3-tiny"), kTwoThreads);
  const auto inputs = sample_inputs();
  const auto expected = embed_alone(embedder, inputs);
  std::vector<std::vector<float>> results(inputs.size());
  {
    std::vector<std::jthread> callers;
    for (size_t i = 0; i < inputs.size(); ++i) {
      callers.emplace_back([&, i] {
        for (int round = 0; round < 5; ++round) results[i] = embedder.submit({inputs[i]}).get().front().values;
      });
    }
  }
  for (size_t i = 0; i < inputs.size(); ++i) EXPECT_LE(max_difference(results[i], expected[i].values), kSame) << i;
}

TEST(Embedder, UnknownTasksAndDimensionsAreRefused) {
  const Embedder embedder = Embedder::open(tiny_model("v3-tiny"), kTwoThreads);
  test::expect_error(ErrorKind::kInvalidArgument, "unknown task 'query'",
                     [&] { embedder.embed({{.text = "a", .task = "query"}}); });
  test::expect_error(ErrorKind::kInvalidArgument, "expected 1 to 64, found 65",
                     [&] { embedder.embed({{.text = "a"}}, {.dimensions = 65}); });
  test::expect_error(ErrorKind::kInvalidInput, "not valid UTF-8", [&] { embedder.embed({{.text = "a\xFF"}}); });
}

}  // namespace
}  // namespace jina
