#include <gmock/gmock.h>

#include <filesystem>

#include "support/failure_texts.h"
#include "support/jina_command.h"

// The recipes of the papers, stage by stage, on a tiny model and some sixty rows of every data set.
namespace jina {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class PaperRecipes : public test::JinaCommand {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(JINA_BINARY).parent_path() / "../lib/libjina_torch.so")) {
      GTEST_SKIP() << "this build has no libjina_torch.so (JINA_TORCH)";
    }
    const std::vector<std::string> texts = test::failure_sentences();
    std::string lines, pairs, triplets, graded = "sentence1\tsentence2\tscore\n", rated_pairs, labels;
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string question = "Who came at " + std::to_string(i) + " o'clock?";
      const std::string pair = R"({"query": ")" + question + R"(", "positive": ")" + texts[i] + "\"";
      std::string negatives;
      for (size_t k = 1; k <= 7; ++k) negatives += (k > 1 ? ", \"" : "\"") + texts[(i + k) % texts.size()] + "\"";
      lines += R"({"text": ")" + texts[i] + "\"}\n";
      pairs += pair + "}\n";
      triplets += pair + ", \"negatives\": [" + negatives + "]}\n";
      graded += texts[i] + "\t" + texts[(i + 1) % texts.size()] + "\t" + std::to_string(i % 6) + "\n";
      rated_pairs += texts[i] + "," + texts[(i + 2) % texts.size()] + "," + std::to_string(i % 6) + "\n";
      labels += R"({"text": ")" + texts[i] + R"(", "label": "group )" + std::to_string(i % 4) + "\"}\n";
    }
    for (const char* language : {"en", "de", "es", "zh", "ar"}) put("culturax/" + std::string(language), lines);
    put("c4/en", lines);
    for (const char* name : {"pairs/short", "pairs/parallel", "pairs/long"}) put(name, pairs);
    for (const char* name : {"triplets/retrieval", "triplets/nli", "triplets/classification"}) put(name, triplets);
    put("triplets/ratings", test::rated_lines());
    put("labels/separation", labels);
    files_.write("data/sts/sts12-train.tsv.gz", graded);  // what is packed is told by its bytes
    files_.write("data/sts/sick-train.tsv.gz", graded);
    files_.write("data/sts/stsb-multi-mt/stsb-en-dev.csv", rated_pairs);
    files_.write("data/test/mteb-texts.txt.gz", "A text that no row has.\n");
    files_.write("data/test/held-out.txt.gz", "Some words to guess.\nAnd a few more of them.\n");
  }

  void put(const std::string& name, const std::string& lines) const {
    files_.write("data/" + name + ".jsonl.gz", lines);
  }

  /// Two steps of eight rows for each stage.
  test::ChildResult train(const std::string& recipe, const std::string& base, const std::vector<std::string>& stages,
                          std::vector<std::string> changes) const {
    for (const std::string& stage : stages) {
      for (const char* change : {"steps=2", "batch=8", "max_tokens=64"}) {
        changes.push_back("stage." + stage + "." + change);
      }
    }
    for (const std::string& change : {"run.data_folder=" + files_.path("data"), "model.from=" + model(base),
                                      std::string("run.device=cpu"), std::string("run.evaluate_every=0")}) {
      changes.push_back(change);
    }
    std::vector<std::string> arguments{"train", std::string(JINA_SOURCE_DIR) + "/recipes/" + recipe, "-o",
                                       files_.path("run")};
    for (const std::string& change : changes) arguments.insert(arguments.end(), {"--set", change});
    return run(arguments);
  }
};

TEST_F(PaperRecipes, V3GoesThroughAllItsStages) {
  const std::vector<std::string> stages{"mlm-short", "mlm-long",      "pairs-short",    "pairs-long",
                                        "retrieval", "text-matching", "classification", "separation"};
  std::vector<std::string> changes{"model.matryoshka=[16,48]"};
  for (const char* stage : {"retrieval", "text-matching", "classification", "separation"}) {
    changes.push_back("stage." + std::string(stage) + ".matryoshka=[16,48]");
  }
  const test::ChildResult result = train("v3.toml", "bert-tiny-mean", stages, changes);
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const std::string& stage : stages) EXPECT_THAT(result.errors, HasSubstr(stage + " 2/2")) << stage;
  EXPECT_THAT(result.errors, HasSubstr("look-alikes after step 16: ndcg@10 "));
  for (const char* task : {"retrieval.query", "retrieval.passage", "text-matching", "classification", "separation"}) {
    const test::ChildResult embedded = run({"embed", "a text", "-m", files_.path("run/model"), "-t", task});
    EXPECT_EQ(embedded.exit_code, 0) << embedded.errors;
  }
}

TEST_F(PaperRecipes, V2GoesThroughAllItsStages) {
  const std::vector<std::string> stages{"mlm", "pairs", "negatives"};
  const test::ChildResult result = train("v2.toml", "v2-small-8h", stages, {});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  for (const std::string& stage : stages) EXPECT_THAT(result.errors, HasSubstr(stage + " 2/2")) << stage;
  EXPECT_THAT(result.errors, HasSubstr("stsb-dev after step 6: spearman "));
}

}  // namespace
}  // namespace jina
