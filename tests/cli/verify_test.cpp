#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>

#include "base/file.h"
#include "base/json.h"
#include "support/child_process.h"
#include "support/temporary_directory.h"
#include "weights/safetensors.h"

namespace jina::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kGoldens = std::string(JINA_SOURCE_DIR) + "/tests/golden/models/";

test::ChildResult verify(std::vector<std::string> arguments, const std::string& cache = "/nonexistent") {
  arguments.insert(arguments.begin(), {JINA_BINARY, "verify"});
  return test::run_child({.arguments = arguments, .environment = {{"JINA_CACHE", cache}, {"HF_HOME", "/nonexistent"}}});
}

/// A copy of a reference directory whose model can be spoilt.
class Copy {
 public:
  explicit Copy(const std::string& name, const std::string& source = kGoldens) {
    std::filesystem::copy(source + name, directory(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  }

  std::string directory() const { return temporary_.path(); }
  std::string model() const { return temporary_.path("model"); }

  void replace(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = read_file(model() + "/" + file);
    const size_t position = text.find(from);
    ASSERT_NE(position, std::string::npos) << from;
    temporary_.write("model/" + file, text.replace(position, from.size(), to));
  }

  /// Rewrites the weights, each tensor after `change` has had it.
  void change_tensors(const std::function<void(const std::string& name, Tensor& tensor)>& change) const {
    const std::string path = model() + "/model.safetensors";
    std::map<std::string, Tensor> tensors;
    {
      const auto source = open_safetensors_file(path);
      for (const std::string& name : source->names()) {
        const Tensor stored = *source->find(name, {});
        Tensor tensor = make_tensor(stored.dtype(), stored.shape());
        std::memcpy(tensor.raw(), stored.raw(), stored.bytes());
        change(name, tensor);
        tensors[name] = tensor;
      }
    }
    std::filesystem::remove(path);
    write_safetensors(path, tensors);
  }

  void add_to_first_weight(const std::string& tensor_name, float amount) const {
    bool is_found = false;
    change_tensors([&](const std::string& name, Tensor& tensor) {
      if (name != tensor_name) return;
      tensor.data<float>()[0] += amount;
      is_found = true;
    });
    ASSERT_TRUE(is_found) << tensor_name;
  }

  void forget_digests() const { std::filesystem::remove(directory() + "/tensors.json"); }

 private:
  test::TemporaryDirectory temporary_;
};

void swap_adapters(const Copy& copy, int64_t a, int64_t b) {
  copy.change_tensors([&](const std::string& name, Tensor& tensor) {
    if (name.find("lora_") == std::string::npos) return;
    float* values = tensor.data<float>();
    std::swap_ranges(values + a * tensor.width(), values + (a + 1) * tensor.width(), values + b * tensor.width());
  });
}

void expect_cause(const std::string& model, const std::string& cause) {
  const auto result = verify({model});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("\ncause: " + cause));
  EXPECT_THAT(result.output, AllOf(HasSubstr("DIFFERS"), Not(HasSubstr("gives the published results"))));
}

class VerifyGolden : public testing::TestWithParam<const char*> {};

TEST_P(VerifyGolden, Passes) {
  const auto result = verify({kGoldens + GetParam() + "/model"});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("gives the published results"), HasSubstr("tokenizer: ids of"),
                                   HasSubstr("values of "), HasSubstr("f32"), Not(HasSubstr("DIFFERS"))));
}

TEST_P(VerifyGolden, PassesAfterTheWeightsWereWrittenAgain) {
  const Copy copy(GetParam());
  copy.change_tensors([](const std::string&, Tensor&) {});
  const auto result = verify({copy.model()});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
}

INSTANTIATE_TEST_SUITE_P(Families, VerifyGolden,
                         testing::Values("bert-tiny-mean", "bert-tiny-cls", "v2-small-8h", "v2-base-12h", "v2-code-6h",
                                         "v3-tiny", "v3-tiny-bf16"));

TEST(Verify, NamesSwappedAdapters) {
  const Copy copy("v3-tiny");
  swap_adapters(copy, 0, 2);
  expect_cause(copy.model(), "the adapters of retrieval.query and separation are swapped\n");
  copy.forget_digests();
  expect_cause(copy.model(), "the adapters of retrieval.query and separation are swapped\n");
}

TEST(Verify, NamesTheAdapterThatDiffers) {
  const Copy copy("v3-tiny");
  copy.change_tensors([](const std::string& name, Tensor& tensor) {
    constexpr int64_t kClassification = 3;
    if (name == "roberta.encoder.layers.1.mlp.fc1.parametrizations.weight.0.lora_B") {
      tensor.row<float>(kClassification)[0] += 1;
    }
  });
  copy.forget_digests();
  expect_cause(copy.model(), "the adapter of classification differs; the base model is right\n");
}

TEST(Verify, NamesTheRotaryBase) {
  const Copy copy("v3-tiny");
  copy.replace("config.json", "\"rotary_emb_base\": 20000.0", "\"rotary_emb_base\": 10000.0");
  expect_cause(copy.model(), "the rotary base (rotary_emb_base in config.json) is 10000, expected 20000\n");
}

TEST(Verify, SuspectsARotaryBaseThatIsNotStated) {
  const Copy copy("v3-tiny");
  copy.replace("config.json", "\"rotary_emb_base\": 20000.0,", "");
  expect_cause(copy.model(), "rotary_emb_base = 20000, which config.json does not state: by the published token ids");
  copy.forget_digests();
  expect_cause(copy.model(), "a weight differs, or rotary_emb_base = 20000, which config.json does not state");
}

TEST(Verify, SuspectsTheRestOfConfigWhenTheWeightsAreAsPublished) {
  const Copy copy("bert-tiny-mean");
  copy.replace("config.json", "\"layer_norm_eps\": 1e-12", "\"layer_norm_eps\": 0.1");
  expect_cause(copy.model(), "config.json differs (the weights are as published)");
}

TEST(Verify, NamesADroppedInstruction) {
  const Copy copy("v3-tiny");
  copy.replace("config.json", "\"Represent the query for retrieving evidence documents: \"", "\"\"");
  expect_cause(copy.model(), "the instruction of retrieval.query is dropped, expected \"Represent the query");
}

TEST(Verify, NamesAChangedInstruction) {
  const Copy copy("v3-tiny");
  copy.replace("config.json", "\"Represent the document for retrieval: \"", "\"passage: \"");
  expect_cause(copy.model(), "the instruction of retrieval.passage is \"passage: \", expected \"Represent");
}

TEST(Verify, NamesThePooling) {
  const Copy copy("bert-tiny-mean");
  copy.replace("1_Pooling/config.json", "\"pooling_mode_cls_token\": false", "\"pooling_mode_cls_token\": true");
  copy.replace("1_Pooling/config.json", "\"pooling_mode_mean_tokens\": true", "\"pooling_mode_mean_tokens\": false");
  expect_cause(copy.model(), "pooling is cls, expected mean\n");
}

TEST(Verify, NamesTheTensorOfOneWeightThatIsOffByAThousandth) {
  const Copy copy("v2-small-8h");
  copy.add_to_first_weight("encoder.layer.1.attention.self.value.weight", 1e-3F);
  expect_cause(copy.model(),
               "weights differ: tensor encoder.layer.1.attention.self.value.weight (the sum of its values is off by "
               "0.001)\n");
}

TEST(Verify, SaysThatAWeightDiffersWithoutDigests) {
  const Copy copy("bert-tiny-mean");
  copy.forget_digests();
  copy.add_to_first_weight("encoder.layer.1.output.LayerNorm.weight", 1e-3F);
  expect_cause(copy.model(), "a weight differs: by the published token ids and pooling still off by");
}

TEST(Verify, NamesAnotherTokenizer) {
  const Copy copy("bert-tiny-cls");
  std::filesystem::copy(kGoldens + "bert-tiny-mean/model/tokenizer.json", copy.model() + "/tokenizer.json",
                        std::filesystem::copy_options::overwrite_existing);
  expect_cause(copy.model(), "the tokenizer differs: text 0: token ");
}

TEST(Verify, NamesATokenizerTooLarge) {
  const Copy copy("bert-tiny-mean");
  std::filesystem::copy(kGoldens + "bert-tiny-cls/model/tokenizer.json", copy.model() + "/tokenizer.json",
                        std::filesystem::copy_options::overwrite_existing);
  const auto result = verify({copy.model()});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("the tokenizer of another model?"));
}

TEST(Verify, ComparesWithADirectoryThatIsNamed) {
  const Copy copy("v2-small-8h");
  const test::TemporaryDirectory elsewhere;
  std::filesystem::rename(copy.model(), elsewhere.path("tiny"));
  const auto named = verify({elsewhere.path("tiny"), "--expected", copy.directory()});
  EXPECT_EQ(named.exit_code, 0) << named.output << named.errors;
  const auto other = verify({elsewhere.path("tiny"), "--expected", kGoldens + "bert-tiny-mean/expected.json"});
  EXPECT_EQ(other.exit_code, 1) << other.output << other.errors;
  const auto unknown = verify({elsewhere.path("tiny")});
  EXPECT_EQ(unknown.exit_code, 2) << unknown.output;
  EXPECT_THAT(unknown.errors, AllOf(HasSubstr("no published vectors are known"), HasSubstr("--expected"),
                                    HasSubstr("all-MiniLM-L6-v2"), HasSubstr("jina-embeddings-v3")));
}

TEST(Verify, RefusesWhatIsNoModel) {
  EXPECT_EQ(verify({kGoldens}).exit_code, 2);
  const auto result = verify({kGoldens + "v3-tiny/model", "--expected", "nothing-of-the-kind"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, HasSubstr("neither a known name nor a directory"));
}

TEST(Verify, ReportsAsJson) {
  const Copy copy("bert-tiny-mean");
  copy.add_to_first_weight("embeddings.LayerNorm.weight", 1e-3F);
  const auto result = verify({copy.model(), "--json"});
  EXPECT_EQ(result.exit_code, 1) << result.errors;
  const JsonDocument document = JsonDocument::parse(result.output, "verify --json", ErrorKind::kInvalidInput);
  EXPECT_FALSE(document.root().at("ok").as_bool());
  EXPECT_EQ(document.root().at("causes").as_array().size(), 1U);
  const Json vectors = document.root().at("checks").as_array().back();
  EXPECT_EQ(vectors.at("name").as_string(), "vectors");
  EXPECT_GT(vectors.at("difference").as_double(), vectors.at("tolerance").as_double());
}

/// The default model where ./run.sh or JINA_TEST_MINILM has put it; "" when it is not there.
std::string default_model() {
  if (const char* directory = std::getenv("JINA_TEST_MINILM")) return directory;
  const char* home = std::getenv("HOME");
  const char* cache = std::getenv("JINA_CACHE");
  const std::string path = (cache != nullptr ? cache : std::string(home != nullptr ? home : "") + "/.cache/jina") +
                           std::string("/models/all-MiniLM-L6-v2");
  return std::filesystem::exists(path + "/model.safetensors") ? path : "";
}

TEST(Verify, TheDefaultModelGivesItsPublishedVectors) {
  const std::string model = default_model();
  if (model.empty()) GTEST_SKIP() << "all-MiniLM-L6-v2 is not here: tools/fetch_default_model.sh, or JINA_TEST_MINILM";
  const auto result = verify({model});
  EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("against all-MiniLM-L6-v2"));
  const auto all = verify({model, "--expected", kGoldens + "all-minilm-l6-v2"});
  EXPECT_EQ(all.exit_code, 0) << all.output << all.errors;
  EXPECT_THAT(all.output, HasSubstr("ids of 52 texts"));
}

TEST(Verify, TheDefaultModelWithOneWeightOffByAThousandth) {
  const std::string model = default_model();
  if (model.empty()) GTEST_SKIP() << "all-MiniLM-L6-v2 is not here: tools/fetch_default_model.sh, or JINA_TEST_MINILM";
  const Copy copy("", model);
  std::filesystem::create_directory(copy.model());
  for (const auto& entry : std::filesystem::directory_iterator(copy.directory())) {
    if (entry.path().filename() != "model")
      std::filesystem::rename(entry, std::filesystem::path(copy.model()) / entry.path().filename());
  }
  copy.add_to_first_weight("encoder.layer.3.attention.self.query.weight", 1e-3F);
  const auto result = verify({copy.model(), "--expected", "all-MiniLM-L6-v2"});
  EXPECT_EQ(result.exit_code, 1) << result.output << result.errors;
  EXPECT_THAT(result.output, HasSubstr("cause: weights differ: tensor encoder.layer.3.attention.self.query.weight"));
}

}  // namespace
}  // namespace jina::cli
