#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "support/failure_texts.h"
#include "support/jina_command.h"
#include "weights/safetensors.h"

// Whole runs of `jina train` with the real library, where the build has it.
namespace jina {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kData = R"(
[run]
seed = 5
precision = "f32"
threads = 1
data_folder = "{data}"
checkpoint_every = 3

[model]
from = "{model}"
initialise = "random"

[[data]]
name = "sentences"
files = ["questions.jsonl"]
columns = { text = "positive" }

[[data]]
name = "questions"
files = ["questions.jsonl"]
columns = { query = "query", positive = "positive", negatives = "negative" }
)";

constexpr const char* kStages = R"(
[[stage]]
kind = "mlm"
data = "sentences"
steps = 8
batch = 4
max_tokens = 32
dropout = 0.1

[[stage]]
kind = "pairs"
data = "questions"
steps = 8
batch = 8
max_tokens = 32
chunk_tokens = 200
dropout = 0.1

[[stage]]
name = "retrieval"
kind = "adapters"
data = "questions"
loss = "info_nce"
query_task = "retrieval.query"
positive_task = "retrieval.passage"
steps = 8
batch = 8
max_tokens = 32
checkpointing = true
)";

constexpr const char* kJoint = R"(
[[stage]]
kind = "joint"
data = "questions"
steps = 60
batch = 16
max_tokens = 32
chunk_tokens = 200
learning_rate = 1e-3
)";

constexpr const char* kDistillation = R"(
[[stage]]
kind = "distil"
steps = 30
batch = 8
max_tokens = 32
learning_rate = 3e-3
teacher = "{model}"

[[stage.objective]]
data = "questions"

[[stage.objective.loss]]
name = "cosine"
weight = 10

[[stage.objective.loss]]
name = "layer_states"

[[stage.objective.loss]]
name = "relational"
)";

/// Made rows of every kind, some of them in two objectives, and made ones that are held out.
constexpr const char* kFailures = R"(
[run]
seed = 5
precision = "f32"
threads = 1

[model]
from = "{model}"
initialise = "random"

[[data]]
name = "corpus"
files = ["corpus.jsonl"]
is_filtered = false

[[data]]
name = "answers"
files = ["answers.jsonl"]
columns = { query = "query", positive = "answer", score = "rating" }

[[data]]
name = "look-alikes"
failures = "lookalike"
from = "corpus"
most_rows = 60

[[data]]
name = "misread"
failures = "names"
from = ["corpus", "answers"]
most_rows = 60

[[data]]
name = "yes-or-no"
failures = "polar"
from = "corpus"
most_rows = 60

[[data]]
name = "rated"
failures = "rated"
from = "answers"

[[data]]
name = "held-out"
failures = "names"
from = "corpus"
most_rows = 20
held_out = true

[[stage]]
kind = "pairs"
steps = 16
batch = 4
max_tokens = 32

[[stage.objective]]
data = ["look-alikes", "misread", "yes-or-no", "rated"]

[[stage.objective]]
data = ["look-alikes", "answers"]

[[evaluate]]
name = "names"
data = "held-out"
metric = "recall@7"

[[evaluate]]
name = "gain"
data = "held-out"
metric = "ndcg@10"
)";

class TrainingRun : public test::JinaCommand {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(JINA_BINARY).parent_path() / "../lib/libjina_torch.so")) {
      GTEST_SKIP() << "this build has no libjina_torch.so (JINA_TORCH)";
    }
    write_recipe(kStages);
  }

  void write_recipe(const std::string& stages) const {
    std::string recipe = kData + stages;
    put(recipe, "{data}", std::string(JINA_SOURCE_DIR) + "/examples/train");
    put(recipe, "{model}", model("v3-tiny"));
    files_.write("r.toml", recipe);
  }

  static void put(std::string& text, const std::string& name, const std::string& value) {
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
      text.replace(at, name.size(), value);
    }
  }

  test::ChildOptions train(const std::string& output, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"train", files_.path("r.toml"), "-o", files_.path(output)});
    return command(std::move(more));
  }

  /// The same command as `ranks` processes.
  static test::ChildOptions under_mpi(int ranks, test::ChildOptions options) {
    const std::vector<std::string> launcher{
        "/usr/bin/mpirun", "-n", std::to_string(ranks), "--oversubscribe", "--allow-run-as-root", "--bind-to", "none"};
    options.arguments.insert(options.arguments.begin(), launcher.begin(), launcher.end());
    return options;
  }

  /// Ends, without warning, the process that mpirun started as rank 1 of a run in this test's folder.
  void kill_second_rank() const {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string pid = entry.path().filename();
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream command(entry.path() / "cmdline"), environment(entry.path() / "environ");
      const std::string line{std::istreambuf_iterator<char>(command), {}};
      const std::string variables{std::istreambuf_iterator<char>(environment), {}};
      const bool is_ours = line.starts_with(JINA_BINARY) && line.find(files_.path()) != std::string::npos;
      if (is_ours && variables.find("OMPI_COMM_WORLD_RANK=1") != std::string::npos) kill(std::stoi(pid), SIGKILL);
    }
  }

  /// Whether a checkpoint is there within a minute.
  bool waits_for_checkpoint(const std::string& output) const {
    const fs::path folder = files_.path(output) + "/checkpoints";
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end) {
      std::error_code none;
      for (const auto& entry : fs::directory_iterator(folder, none)) {
        if (entry.path().extension() != ".part") return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  /// |a - b| / |a|
  static double relative_difference(std::span<const float> a, std::span<const float> b) {
    double off = 0, size = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      off += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
      size += static_cast<double>(a[i]) * a[i];
    }
    return std::sqrt(off / size);
  }

  /// The trained models of two runs, tensor by tensor.
  void expect_same_model(const std::string& actual_run, const std::string& expected_run) const {
    const auto expected = open_safetensors(files_.path(expected_run + "/model"));
    const auto actual = open_safetensors(files_.path(actual_run + "/model"));
    ASSERT_EQ(actual->names(), expected->names());
    for (const std::string& name : expected->names()) {
      const Tensor a = *expected->find(name, {}), b = *actual->find(name, {});
      EXPECT_LT(relative_difference(a.span<float>(), b.span<float>()), 1e-5) << name;
    }
  }

  void expect_same_losses(const std::string& actual_run, const std::string& expected_run) const {
    const std::vector<double> actual = losses(actual_run), expected = losses(expected_run);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-5 * expected[i]) << i;
  }

  /// Bytes of every file of the finished model, by relative path.
  std::map<std::string, std::string> model_files(const std::string& output) const {
    std::map<std::string, std::string> files;
    const fs::path folder = files_.path(output) + "/model";
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files[fs::relative(entry.path(), folder)] = read_file(entry.path());
    }
    return files;
  }

  /// Losses of all steps, as they stand in the log.
  std::vector<double> losses(const std::string& output) const {
    std::vector<double> values;
    for (const auto& line : test::parse_lines(read_file(files_.path(output) + "/log.jsonl"))) {
      if (line->root().at("event").as_string() == "step") values.push_back(line->root().at("loss").as_double());
    }
    return values;
  }
};

TEST_F(TrainingRun, GoesThroughAllStagesAndWritesAModelThatEmbeds) {
  const test::ChildResult result = test::run_child(train("run"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_EQ(losses("run").size(), 24U);
  EXPECT_TRUE(fs::exists(files_.path("run/report.html")));
  const test::ChildResult embedded =
      run({"embed", "a question", "-m", files_.path("run/model"), "-t", "retrieval.query", "--jsonl"});
  EXPECT_EQ(embedded.exit_code, 0) << embedded.errors;
  const test::ChildResult again = test::run_child(train("run"));
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.errors, HasSubstr("--resume"));
}

TEST_F(TrainingRun, MakesRowsOfFailuresAndIsJudgedByThem) {
  std::string recipe = kFailures;
  put(recipe, "{model}", model("v3-tiny"));
  files_.write("r.toml", recipe);
  files_.write("corpus.jsonl", test::failure_lines());
  files_.write("answers.jsonl", test::rated_lines() + test::rated_lines());
  const test::ChildResult result = test::run_child(train("run"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("yes-or-no: rows 60,"));
  EXPECT_THAT(result.errors, HasSubstr("made of a corpus with 20 things, 20 names and 60 sentences that have one"));
  EXPECT_EQ(losses("run").size(), 16U);
  std::vector<std::string> data;
  std::map<std::string, double> values;
  int evaluations = 0;
  for (const auto& line : test::parse_lines(read_file(files_.path("run/log.jsonl")))) {
    const Json root = line->root();
    if (root.at("event").as_string() == "data") {
      data.emplace_back(root.at("name").as_string());
      if (data.back() == "answers") {
        EXPECT_EQ(root.at("removed").at("exact duplicate of an earlier row").as_int(), 24);
      }
    } else if (root.at("event").as_string() == "evaluation") {
      ++evaluations;
      values[std::string(root.at("name").as_string())] = root.at("value").as_double();
    }
  }
  EXPECT_THAT(data, testing::ElementsAre("look-alikes", "misread", "yes-or-no", "rated", "answers"));
  EXPECT_EQ(evaluations, 4) << "before the first step and at the end";
  EXPECT_GT(values.at("names"), 0) << "of eight, not of twenty positives";
  EXPECT_LT(values.at("gain"), 1);
  EXPECT_GT(values.at("gain"), 1 / std::log2(9) - 1e-9) << "the least when eight are ranked";
  EXPECT_THAT(read_file(files_.path("run/report.html")), HasSubstr("<h2>Removed before training</h2>"));
}

TEST_F(TrainingRun, OfAnotherRecipeIsNotTakenUp) {
  ASSERT_EQ(test::run_child(train("run", {"--set", "stage.mlm.steps=3"})).exit_code, 0);
  const test::ChildResult result = test::run_child(train("run", {"--resume"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("another recipe"));
}

TEST_F(TrainingRun, UntilAStageAndOnFromThere) {
  const test::ChildResult wrong = test::run_child(train("run", {"--until", "mlms"}));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.errors, HasSubstr("expected the name of a stage of the recipe, found 'mlms'"));
  const test::ChildResult first = test::run_child(train("run", {"--until", "mlm"}));
  ASSERT_EQ(first.exit_code, 0) << first.errors;
  EXPECT_EQ(losses("run").size(), 8U);
  EXPECT_TRUE(fs::exists(files_.path("run/stage-1/model.safetensors")));
  EXPECT_FALSE(fs::exists(files_.path("run/model")));
  ASSERT_EQ(test::run_child(train("run", {"--resume"})).exit_code, 0);
  ASSERT_EQ(test::run_child(train("whole")).exit_code, 0);
  EXPECT_EQ(model_files("run"), model_files("whole"));
}

TEST_F(TrainingRun, FullDiskEndsItAndNothingIsHalfWritten) {
  ASSERT_EQ(test::run_child(train("whole")).exit_code, 0);
  test::ChildOptions options = train("run");
  // Room for the model, not for the moments of its optimiser, which are twice as large.
  options.max_file_bytes = static_cast<long>(fs::file_size(files_.path("whole/initial/model.safetensors"))) + 4096;
  const test::ChildResult result = test::run_child(options);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("training.safetensors: cannot write: "));
  for (const auto& entry : fs::directory_iterator(files_.path("run/checkpoints"))) ADD_FAILURE() << entry.path();
  ASSERT_EQ(test::run_child(train("run", {"--resume"})).exit_code, 0);
  EXPECT_EQ(model_files("run"), model_files("whole"));
}

/// Dense and late interaction; stopped on the way, so that the head of the token vectors comes out of a checkpoint.
TEST_F(TrainingRun, JointStageLearnsBothKindsOfVectors) {
  write_recipe(kJoint);
  ASSERT_EQ(test::run_child(train("whole")).exit_code, 0);
  std::map<std::string, std::vector<double>> terms;
  for (const auto& line : test::parse_lines(read_file(files_.path("whole/log.jsonl")))) {
    if (line->root().at("event").as_string() != "step") continue;
    for (const auto& [name, value] : line->root().at("terms").as_object()) {
      terms[std::string(name)].push_back(value.get_double());
    }
  }
  ASSERT_EQ(terms.size(), 3U);
  EXPECT_TRUE(terms.contains("kl_dense_late"));
  for (const char* loss : {"info_nce", "late_interaction"}) {
    const std::vector<double>& values = terms[loss];
    const double first = std::accumulate(values.begin(), values.begin() + 10, 0.0);
    const double last = std::accumulate(values.end() - 10, values.end(), 0.0);
    EXPECT_LT(last, 0.5 * first) << loss;
  }

  test::ChildProcess child(train("cut"));
  ASSERT_TRUE(waits_for_checkpoint("cut"));
  child.send_signal(SIGINT);
  EXPECT_EQ(child.wait().exit_code, 130);
  ASSERT_EQ(test::run_child(train("cut", {"--resume"})).exit_code, 0);
  EXPECT_EQ(model_files("cut"), model_files("whole"));
}

TEST_F(TrainingRun, LossThatIsNotFiniteEndsItWithStepAndCheckpoint) {
  const test::ChildResult result =
      test::run_child(train("run", {"--set", "stage.mlm.learning_rate=1e30", "--set", "stage.mlm.clip=0", "--set",
                                    "run.checkpoint_every=1"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("stage 'mlm', step "));
  EXPECT_THAT(result.errors, HasSubstr("last good checkpoint: " + files_.path("run/checkpoints/step-")));
}

TEST_F(TrainingRun, TwoRanksEqualOneWithTheJoinedBatch) {
  const std::vector<std::string> plain{"--set", "stage.mlm.dropout=0", "--set", "stage.pairs.dropout=0"};
  ASSERT_EQ(test::run_child(train("one", plain)).exit_code, 0);
  const test::ChildResult two = test::run_child(under_mpi(2, train("two", plain)));
  ASSERT_EQ(two.exit_code, 0) << two.errors << two.output;
  expect_same_losses("two", "one");
  expect_same_model("two", "one");
}

TEST_F(TrainingRun, ALostRankEndsItAndTheCheckpointLeadsToTheSameModel) {
  const std::vector<std::string> longer{"--set", "stage.mlm.steps=150", "--set", "run.checkpoint_every=10"};
  const test::ChildResult whole = test::run_child(under_mpi(2, train("whole", longer)));
  ASSERT_EQ(whole.exit_code, 0) << whole.errors;
  test::ChildProcess child(under_mpi(2, train("run", longer)));
  ASSERT_TRUE(waits_for_checkpoint("run"));
  kill_second_rank();
  const test::ChildResult result = child.wait();
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.errors, HasSubstr("one of them is lost"));
  EXPECT_LT(losses("run").size(), 150U);
  std::vector<std::string> resuming = longer;
  resuming.emplace_back("--resume");
  const test::ChildResult resumed = test::run_child(under_mpi(2, train("run", resuming)));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.errors;
  EXPECT_THAT(resumed.output + resumed.errors, HasSubstr("resuming after step "));
  expect_same_losses("run", "whole");
  expect_same_model("run", "whole");
}

TEST_F(TrainingRun, DistillationBringsTheStudentNearTheTeacher) {
  write_recipe(kDistillation);
  const test::ChildResult result = test::run_child(train("run"));
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  const std::vector<double> all = losses("run");
  EXPECT_LT(all.back(), 0.7 * all.front());
}

TEST_F(TrainingRun, SlowKilledAtTwentyRandomMomentsGivesTheSameBits) {
  ASSERT_EQ(test::run_child(train("whole")).exit_code, 0);
  const auto expected = model_files("whole");
  const std::vector<double> expected_losses = losses("whole");
  ASSERT_FALSE(expected.empty());
  std::mt19937 random(1);
  int finished = 0;
  for (int kills = 0; kills < 20;) {
    const std::string output = "cut" + std::to_string(finished);
    test::ChildProcess child(train(output, {"--resume"}));
    std::this_thread::sleep_for(std::chrono::milliseconds(200 + random() % 1500));
    child.send_signal(SIGKILL);
    const test::ChildResult result = child.wait();
    if (result.exit_code == -1) {
      ++kills;
      continue;
    }
    ASSERT_EQ(result.exit_code, 0) << result.errors;
    ++finished;
  }
  const std::string output = "cut" + std::to_string(finished);
  const test::ChildResult last = test::run_child(train(output, {"--resume"}));
  ASSERT_EQ(last.exit_code, 0) << last.errors;
  for (int i = 0; i <= finished; ++i) {
    EXPECT_EQ(model_files("cut" + std::to_string(i)), expected) << i;
    EXPECT_EQ(losses("cut" + std::to_string(i)), expected_losses) << i;
  }
}

}  // namespace
}  // namespace jina
