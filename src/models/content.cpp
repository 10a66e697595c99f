#include "models/content.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/file.h"
#include "models/bert/bert.h"
#include "models/bert/names.h"
#include "models/encoder.h"
#include "models/jina_v2/jina_v2.h"
#include "models/jina_v2/names.h"
#include "models/jina_v3/jina_v3.h"
#include "models/jina_v3/native.h"
#include "ops/cpu/cpu_backend.h"
#include "weights/safetensors.h"
#include "weights/sentence_config.h"

namespace jina {

namespace {

/// Keeps what another source gives, by name.
class Recorder final : public WeightSource {
 public:
  explicit Recorder(std::shared_ptr<WeightSource> source) : source_(std::move(source)) {}

  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    const auto found = source_->find(name, shape);
    if (found) taken_.insert_or_assign(name, *found);
    return found;
  }
  std::vector<std::string> names() const override { return source_->names(); }
  const std::string& where() const override { return source_->where(); }
  void release(const Tensor& tensor) override { source_->release(tensor); }

  const std::map<std::string, Tensor>& taken() const { return taken_; }

 private:
  std::shared_ptr<WeightSource> source_;
  std::map<std::string, Tensor> taken_;
};

bool has_rotary(const Json& config) { return is_jina_v3(config); }

/// The config of a directory as it is to be changed.
JsonObject config_of(const ModelDirectory& directory, const ModelContent& content) {
  const auto own = content.files.find("config.json");
  if (own == content.files.end()) return JsonObject(directory.config());
  return JsonObject(JsonDocument::parse(own->second, "config.json", ErrorKind::kModelFile).root());
}

/// How many tokens a directory's own files allow, whatever its positions.
int64_t stated_tokens(const ModelDirectory& directory) {
  const int64_t unused = has_rotary(directory.config()) ? kUnusedPositions : 0;
  int64_t tokens = directory.config().at("max_position_embeddings").as_int() - unused;
  for (const auto limit : {directory.tokenizer_max_length(), directory.max_sequence_length()}) {
    if (limit) tokens = std::min(tokens, *limit);
  }
  return tokens;
}

/// Places in config.json, max_seq_length and model_max_length: what sentence-transformers and tokenizers read.
void set_max_tokens(const ModelDirectory& directory, int64_t tokens, int64_t places, ModelContent& content) {
  content.files["config.json"] = config_of(directory, content).set("max_position_embeddings", places).text();
  std::string name(kSentenceConfigs.front());
  for (const std::string_view other : kSentenceConfigs) {
    if (find_file_state(directory.file(other))) {
      name = other;
      break;
    }
  }
  content.files[name] = JsonObject().set("max_seq_length", tokens).set("do_lower_case", false).text();
  const std::string tokenizer = directory.file("tokenizer_config.json");
  if (!find_file_state(tokenizer)) return;
  JsonObject config(JsonDocument::parse_file(tokenizer).root());
  content.files["tokenizer_config.json"] = config.set("model_max_length", tokens).text();
}

void set_matryoshka(const ModelDirectory& directory, const ContentOptions& options, ModelContent& content) {
  if (options.matryoshka.empty()) return;
  JsonObject config = config_of(directory, content);
  content.files["config.json"] = config.set("matryoshka_dimensions", options.matryoshka).text();
}

void check_limit(const ModelDirectory& directory, int64_t tokens) {
  const Json config = directory.config();
  if (!is_bert(config)) return;
  const int64_t positions = config.at("max_position_embeddings").as_int();
  if (tokens <= positions) return;
  fail(ErrorKind::kInvalidInput, directory.path(),
       "max_tokens {}: the model has learnt {} positions and knows no others; expected at most that many", tokens,
       positions);
}

void check_plain_encoder(const ModelDirectory& directory) {
  const Json config = directory.config();
  if (is_bert(config) && config.string_or("hidden_act", "gelu") == "gelu") return;
  fail(ErrorKind::kUnsupported, directory.file("config.json"),
       "model_type '{}' with position_embedding_type '{}' and hidden_act '{}': expected an encoder with absolute "
       "positions and gelu",
       config.string_or("model_type", "(none)"), config.string_or("position_embedding_type", "(none)"),
       config.string_or("hidden_act", "gelu"));
}

/// The first row of the position table that a token can have: families after fairseq count from the padding id + 1.
int64_t first_position(const Json& config) {
  return config.at("model_type").as_string() == "bert" ? 0 : config.int_or("pad_token_id", 1) + 1;
}

}  // namespace

ModelContent read_content(const ModelDirectory& directory, const ContentOptions& options) {
  ModelContent content;
  if (is_jina_v3(directory.config())) {
    content = native_content(directory);
  } else {
    const auto source = open_safetensors(directory.path());
    for (const std::string& name : source->names()) content.weights.emplace(name, *source->find(name, {}));
  }
  set_matryoshka(directory, options, content);
  if (options.max_tokens == 0) return content;
  check_limit(directory, options.max_tokens);
  const Json config = directory.config();
  const int64_t places = is_bert(config)      ? config.at("max_position_embeddings").as_int()  // the table stays
                         : has_rotary(config) ? options.max_tokens + kUnusedPositions
                                              : options.max_tokens;
  set_max_tokens(directory, options.max_tokens, places, content);
  return content;
}

ModelContent random_content(const ModelDirectory& directory, const ContentOptions& options,
                            const std::shared_ptr<WeightSource>& random) {
  ModelContent content;
  const Json from = directory.config();
  const bool is_rotary = is_jina_v3(from);
  if (is_rotary) {
    const double base = JinaV3Config::read(from).rotary_base;
    content.files["config.json"] = native_config(directory, base).text();
  }
  const int64_t tokens = options.max_tokens > 0 ? options.max_tokens : stated_tokens(directory);
  set_max_tokens(directory, tokens,
                 is_rotary ? tokens + kUnusedPositions : tokens + (is_bert(from) ? first_position(from) : 0), content);
  set_matryoshka(directory, options, content);
  // The model itself tells what tensors it wants.
  const auto shape = ModelDirectory::of_config(content.files.at("config.json"), "random model");
  const auto backend = make_cpu_backend({.policy = PreparePolicy::kMapped});
  const auto recorder = std::make_shared<Recorder>(random);
  build_model({shape, recorder, *backend});
  content.weights = recorder->taken();
  return content;
}

EncoderTensors read_encoder(const ModelDirectory& directory) {
  check_plain_encoder(directory);
  const Json config = directory.config();
  Weights weights(open_safetensors(directory.path()));
  for (const std::string_view prefix : {"bert", "roberta"}) {
    if (weights.has(fmt::format("{}.embeddings.word_embeddings.weight", prefix))) weights = weights / prefix;
  }
  const int64_t types = config.int_or("type_vocab_size", 2);
  EncoderTensors tensors = take_tensors(weights, kBertNames, read_shape(config), types);
  for (const std::string_view unused :
       {"*embeddings.position_ids", "*embeddings.token_type_ids", "*pooler.*", "cls.*", "lm_head.*"}) {
    weights.ignore(unused);
  }
  weights.finish();
  return tensors;
}

void drop_positions(EncoderTensors& tensors, const ModelDirectory& directory) {
  constexpr int64_t kMostRows = 127;  // the places that short texts, and so the training, have seen
  const int64_t first = first_position(directory.config()) + 1;  // not the one of the start token
  const int64_t end = std::min(first + kMostRows, tensors.positions.rows());
  if (first >= end) {
    fail(ErrorKind::kModelFile, directory.file("config.json"), "the position table has {} rows: expected more than {}",
         tensors.positions.rows(), first);
  }
  const int64_t width = tensors.positions.width();
  std::vector<double> mean(static_cast<size_t>(width));
  for (int64_t row = first; row < end; ++row) {
    for (int64_t i = 0; i < width; ++i) mean[static_cast<size_t>(i)] += tensors.positions.row<float>(row)[i];
  }
  const Tensor types = make_tensor(tensors.types.span<float>(), tensors.types.shape());
  for (int64_t row = 0; row < types.rows(); ++row) {
    for (int64_t i = 0; i < width; ++i) {
      types.row<float>(row)[i] += static_cast<float>(mean[static_cast<size_t>(i)] / static_cast<double>(end - first));
    }
  }
  tensors.types = types;
  tensors.positions = {};
}

std::map<std::string, Tensor> positionless_weights(const EncoderTensors& tensors, const ModelDirectory& directory) {
  EncoderTensors whole = tensors;
  const EncoderShape shape = read_shape(directory.config());
  whole.positions = make_tensor(DType::kF32, {shape.positions, shape.hidden});
  whole.pooler.reset();
  return name_tensors(whole, kBertNames);
}

ModelContent rotary_content(const EncoderTensors& tensors, const ModelDirectory& directory,
                            const ContentOptions& options) {
  check_plain_encoder(directory);
  const EncoderShape shape = read_shape(directory.config());
  if (shape.hidden / shape.heads % 2 != 0) {
    fail(ErrorKind::kUnsupported, directory.file("config.json"),
         "hidden_size {} over {} heads: rotary positions want an even width per head", shape.hidden, shape.heads);
  }
  ModelContent content;
  content.weights = name_tensors(tensors, kNativeRotaryNames);
  content.files["config.json"] = native_config(directory, options.rotary_base).text();
  const int64_t tokens = options.max_tokens > 0 ? options.max_tokens : stated_tokens(directory);
  set_max_tokens(directory, tokens, tokens + kUnusedPositions, content);
  set_matryoshka(directory, options, content);
  return content;
}

ModelContent alibi_content(const EncoderTensors& tensors, const ModelDirectory& directory,
                           const ContentOptions& options) {
  check_plain_encoder(directory);
  ModelContent content;
  content.weights = name_tensors(tensors, kPlainAlibiNames);
  JsonObject config(directory.config());
  const std::string code = "jinaai/jina-bert-implementation--";
  config.set("architectures", std::vector<std::string>{"JinaBertModel"}).set("model_type", "bert");
  config.set("auto_map", JsonObject()
                             .set("AutoConfig", code + "configuration_bert.JinaBertConfig")
                             .set("AutoModel", code + "modeling_bert.JinaBertModel"));
  config.set("position_embedding_type", "alibi").set("feed_forward_type", "original").set("emb_pooler", "mean");
  const int64_t tokens = options.max_tokens > 0 ? options.max_tokens : stated_tokens(directory);
  content.files["config.json"] = config.set("model_max_length", tokens).text();
  set_max_tokens(directory, tokens, tokens, content);
  set_matryoshka(directory, options, content);
  return content;
}

AdapterLayout adapter_layout(const ModelDirectory& directory, const std::vector<std::string>& tasks) {
  if (!is_jina_v3(directory.config())) {
    fail(ErrorKind::kUnsupported, directory.path(), "a model of type '{}' has no adapters for tasks",
         directory.config().string_or("model_type", "(none)"));
  }
  AdapterLayout layout = native_adapter_layout(directory, tasks);
  std::map<std::string, std::string> owner;
  for (const auto& [task, folder] : layout.folders) {
    const bool is_plain = !task.empty() && std::ranges::all_of(task, [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
    });
    if (!is_plain) {
      fail(ErrorKind::kInvalidInput, directory.path(),
           "task '{}': expected a name of letters, digits, '_', '-' and '.'", task);
    }
    const auto [place, is_new] = owner.emplace(folder, task);
    if (!is_new) {
      fail(ErrorKind::kInvalidInput, directory.path(), "tasks '{}' and '{}' would share the folder '{}'", place->second,
           task, folder);
    }
  }
  return layout;
}

std::map<std::string, std::string> files_with_tasks(const ModelDirectory& directory,
                                                    const std::vector<std::string>& tasks) {
  const JsonObject instructions = task_instructions(directory, tasks);
  std::map<std::string, std::string> files;
  JsonObject config(directory.config());
  files["config.json"] = config.set("lora_adaptations", tasks).set("task_instructions", instructions).text();
  const std::string prompts = "config_sentence_transformers.json";
  JsonObject sentence;
  if (find_file_state(directory.file(prompts))) {
    sentence = JsonObject(JsonDocument::parse_file(directory.file(prompts)).root());
  }
  files[prompts] = sentence.set("prompts", instructions).text();
  return files;
}

}  // namespace jina
