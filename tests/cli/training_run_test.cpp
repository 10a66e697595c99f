#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include "support/jina_command.h"

// Whole runs of `jina train` with the real library, where the build has it.
namespace jina {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kRecipe = R"(
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

class TrainingRun : public test::JinaCommand {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(JINA_BINARY).parent_path() / "../lib/libjina_torch.so")) {
      GTEST_SKIP() << "this build has no libjina_torch.so (JINA_TORCH)";
    }
    std::string recipe = kRecipe;
    put(recipe, "{data}", std::string(JINA_SOURCE_DIR) + "/examples/train");
    put(recipe, "{model}", model("v3-tiny"));
    files_.write("r.toml", recipe);
  }

  static void put(std::string& text, const std::string& name, const std::string& value) {
    text.replace(text.find(name), name.size(), value);
  }

  test::ChildOptions train(const std::string& output, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"train", files_.path("r.toml"), "-o", files_.path(output)});
    return command(std::move(more));
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

TEST_F(TrainingRun, OfAnotherRecipeIsNotTakenUp) {
  ASSERT_EQ(test::run_child(train("run", {"--set", "stage.mlm.steps=3"})).exit_code, 0);
  const test::ChildResult result = test::run_child(train("run", {"--resume"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("another recipe"));
}

TEST_F(TrainingRun, LossThatIsNotFiniteEndsItWithStepAndCheckpoint) {
  const test::ChildResult result =
      test::run_child(train("run", {"--set", "stage.mlm.learning_rate=1e30", "--set", "stage.mlm.clip=0", "--set",
                                    "run.checkpoint_every=1"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.errors, HasSubstr("stage 'mlm', step "));
  EXPECT_THAT(result.errors, HasSubstr("last good checkpoint: " + files_.path("run/checkpoints/step-")));
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
