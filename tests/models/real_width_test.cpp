#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/rng.h"
#include "base/thread_pool.h"
#include "models/encoder.h"
#include "nn/positions.h"
#include "ops/cpu/cpu_backend.h"
#include "support/temporary_directory.h"
#include "support/tolerance.h"
#include "weights/initialiser.h"

// Layers of real width at 8,192 tokens against float64. The whole of it in float64 would take hours, so each layer is
// checked for itself: the reference reads the engine's output of the layer before, and gives some rows of this layer.
namespace jina {
namespace {

using Row = std::vector<double>;

constexpr int64_t kTokens = 8192;
constexpr int32_t kMarker = 7;  ///< a token whose keys are long
constexpr int64_t kMarkers[] = {100, 1500, 4000, 6500, 8000};
constexpr int64_t kSampled[] = {0, 1, 63, 777, 2048, 4095, 5000, 7300, 8191};

/// Random weights in which the word kMarker has one large component, and that component makes long keys: scores of
/// order 100 from anywhere in the text, which no distance may hide.
class LongKeys final : public WeightSource {
 public:
  std::optional<Tensor> find(const std::string& name, const Shape& shape) override {
    const auto known = tensors_.find(name);
    if (known != tensors_.end()) return known->second;
    Tensor tensor = *random_->find(name, shape);
    if (name.ends_with("word_embeddings.weight")) tensor.row<float>(kMarker)[0] = 5;
    const bool is_fused = name.ends_with("Wqkv.weight");
    if (is_fused || name.ends_with("self.key.weight")) {
      const int64_t width = tensor.width();
      const int64_t begin = is_fused ? width : 0;
      for (int64_t i = begin; i < begin + width; ++i) tensor.row<float>(i)[0] *= 800;
    }
    tensors_.emplace(name, tensor);
    return tensor;
  }
  std::vector<std::string> names() const override { return {}; }
  const std::string& where() const override { return random_->where(); }
  void release(const Tensor& /*tensor*/) override {}

 private:
  std::shared_ptr<WeightSource> random_ = make_initialiser(3, 0.02F, DType::kF32);
  std::map<std::string, Tensor> tensors_;
};

/// One shape: its model, the engine's states of every layer, and the same weights for the reference.
struct Measured {
  explicit Measured(const std::string& config) {
    directory.write("config.json", config);
    const ModelDirectory files = ModelDirectory::open(directory.path());
    const auto backend = make_cpu_backend({.threads = available_processors()});
    const Model model = build_model({files, weights, *backend});
    TokenBatch batch;
    batch.layout.append(kTokens);
    batch.adapters.by_row = {kNoAdapter};
    const CounterRng rng(5, "tokens");
    for (uint64_t i = 0; i < kTokens; ++i) {
      batch.ids.push_back(static_cast<int32_t>(8 + rng.bits(i) % static_cast<uint64_t>(model.card.vocabulary - 8)));
    }
    for (const int64_t place : kMarkers) batch.ids[static_cast<size_t>(place)] = kMarker;
    model.encoder->forward(batch, &capture);
    hidden = model.card.dimensions;
    layers = model.card.layers;
    heads = files.config().at("num_attention_heads").as_int();
    inner = files.config().at("intermediate_size").as_int();
    epsilon = files.config().at("layer_norm_eps").as_double();
  }

  Tensor weight(const std::string& name) const { return *weights->find(name, {}); }
  /// The engine's states before layer `index`. (tokens, hidden)
  const Tensor& before(int64_t index) const {
    return capture.values().at(index == 0 ? "embeddings" : "layer." + std::to_string(index - 1));
  }
  int64_t head_dim() const { return hidden / heads; }

  test::TemporaryDirectory directory;
  std::shared_ptr<LongKeys> weights = std::make_shared<LongKeys>();
  Capture capture;
  int64_t hidden = 0, layers = 0, heads = 0, inner = 0;
  double epsilon = 0;
  mutable ThreadPool threads{available_processors()};
};

Row to_row(const Tensor& x, int64_t index) { return {x.row<float>(index), x.row<float>(index) + x.width()}; }

double dot(const Row& a, const float* b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * static_cast<double>(b[i]);
  return sum;
}

/// Rows [begin, end) of a linear layer on x, with its bias when it has one.
Row linear(const Measured& m, const std::string& name, const Row& x, int64_t begin, int64_t end, bool has_bias = true) {
  const Tensor weight = m.weight(name + ".weight");
  Row y;
  for (int64_t o = begin; o < end; ++o) {
    y.push_back(dot(x, weight.row<float>(o)) +
                (has_bias ? static_cast<double>(m.weight(name + ".bias").data<float>()[o]) : 0));
  }
  return y;
}

Row norm_of_sum(const Measured& m, const std::string& name, const Row& x, const Row& y) {
  const auto width = static_cast<double>(x.size());
  double mean = 0;
  double variance = 0;
  for (size_t i = 0; i < x.size(); ++i) mean += (x[i] + y[i]) / width;
  for (size_t i = 0; i < x.size(); ++i) variance += (x[i] + y[i] - mean) * (x[i] + y[i] - mean) / width;
  const Tensor scale = m.weight(name + ".weight");
  const Tensor shift = m.weight(name + ".bias");
  Row result;
  for (size_t i = 0; i < x.size(); ++i) {
    result.push_back((x[i] + y[i] - mean) / std::sqrt(variance + m.epsilon) * scale.data<float>()[i] +
                     shift.data<float>()[i]);
  }
  return result;
}

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

void softmax(Row& scores) {
  const double most = *std::ranges::max_element(scores);
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - most);
  for (double& score : scores) score /= sum;
}

/// sum over j of weights[j] x[j], for x (tokens, hidden).
Row mix(const Row& weights, const Tensor& x) {
  Row sum(static_cast<size_t>(x.width()));
  for (int64_t j = 0; j < x.rows(); ++j) {
    const double weight = weights[static_cast<size_t>(j)];
    const float* row = x.row<float>(j);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += weight * static_cast<double>(row[i]);
  }
  return sum;
}

/// Attention of one query, all heads: `scores_of(head)` gives its scores on all tokens. As the weights sum to one, the
/// mean of the values is the value of the mean state, so that no values are computed.
template <typename Scores>  // Row(int64_t head)
Row attend(const Measured& m, const Tensor& x, const std::string& value, int64_t first_value_row, Scores&& scores_of) {
  Row result;
  for (int64_t head = 0; head < m.heads; ++head) {
    Row weights = scores_of(head);
    softmax(weights);
    const int64_t begin = first_value_row + head * m.head_dim();
    const Row part = linear(m, value, mix(weights, x), begin, begin + m.head_dim());
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

/// The ALiBi scores of one query and head. q k_j = (W_k^T q) x_j + q b_k, so that no keys are computed. `farthest`:
/// keys that the bias alone puts below this are left out (the careless skip of the negative control).
Row alibi_scores(const Measured& m, const Tensor& x, const std::string& at, int64_t query, int64_t head,
                 double farthest) {
  const int64_t dim = m.head_dim();
  const Row q = linear(m, at + "query", to_row(x, query), head * dim, (head + 1) * dim);
  const Tensor key = m.weight(at + "key.weight");
  const Tensor bias = m.weight(at + "key.bias");
  Row direction(static_cast<size_t>(m.hidden));
  double constant = 0;
  for (int64_t d = 0; d < dim; ++d) {
    const double factor = q[static_cast<size_t>(d)];
    constant += factor * static_cast<double>(bias.data<float>()[head * dim + d]);
    const float* row = key.row<float>(head * dim + d);
    for (size_t i = 0; i < direction.size(); ++i) direction[i] += factor * static_cast<double>(row[i]);
  }
  const double slope = alibi_slopes(m.heads)[static_cast<size_t>(head)];
  Row scores;
  for (int64_t j = 0; j < kTokens; ++j) {
    const double distance = slope * static_cast<double>(std::abs(query - j));
    const double score = (dot(direction, x.row<float>(j)) + constant) / std::sqrt(static_cast<double>(dim)) - distance;
    scores.push_back(distance > farthest ? -1e300 : score);
  }
  return scores;
}

/// Row `query` of JinaBERT's layer `index`.
Row alibi_layer(const Measured& m, int64_t index, int64_t query, double farthest) {
  const Tensor& x = m.before(index);
  const std::string layer = "encoder.layer." + std::to_string(index) + ".";
  const std::string self = layer + "attention.self.";
  const Row attended =
      attend(m, x, self + "value", 0, [&](int64_t head) { return alibi_scores(m, x, self, query, head, farthest); });
  const std::string output = layer + "attention.output.";
  const Row h =
      norm_of_sum(m, output + "LayerNorm", linear(m, output + "dense", attended, 0, m.hidden), to_row(x, query));
  const Row gate = linear(m, layer + "mlp.gated_layers", h, 0, m.inner, false);
  Row wide = linear(m, layer + "mlp.gated_layers", h, m.inner, 2 * m.inner, false);
  for (size_t i = 0; i < wide.size(); ++i) wide[i] *= gelu(gate[i]);
  return norm_of_sum(m, layer + "mlp.layernorm", linear(m, layer + "mlp.wo", wide, 0, m.hidden), h);
}

/// Turns the pairs (x[i], x[i + dim / 2]) of one head.
void rotate(double* x, int64_t dim, int64_t position, double base) {
  for (int64_t i = 0; i < dim / 2; ++i) {
    const double angle =
        static_cast<double>(position) * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(dim));
    const double a = x[i];
    const double b = x[i + dim / 2];
    x[i] = a * std::cos(angle) - b * std::sin(angle);
    x[i + dim / 2] = b * std::cos(angle) + a * std::sin(angle);
  }
}

/// All rotated keys of a layer of XLM-RoBERTa. (tokens, hidden)
std::vector<Row> rotated_keys(const Measured& m, const Tensor& x, const std::string& fused, double base) {
  const Tensor weight = m.weight(fused + ".weight");
  const auto width = static_cast<size_t>(m.hidden);
  Row transposed(width * width);
  for (size_t o = 0; o < width; ++o) {
    const float* row = weight.row<float>(m.hidden + static_cast<int64_t>(o));
    for (size_t i = 0; i < width; ++i) transposed[i * width + o] = static_cast<double>(row[i]);
  }
  const Tensor bias = m.weight(fused + ".bias").reshaped({3, m.hidden});
  std::vector<Row> keys(kTokens, to_row(bias, 1));
  constexpr int64_t kBlock = 8;  // tokens that share one reading of the weights
  m.threads.parallel_for(kTokens / kBlock, [&](int64_t tile, int /*worker*/) {
    for (size_t i = 0; i < width; ++i) {
      for (int64_t t = tile * kBlock; t < (tile + 1) * kBlock; ++t) {
        const double factor = x.row<float>(t)[i];
        double* key = keys[static_cast<size_t>(t)].data();
        for (size_t o = 0; o < width; ++o) key[o] += factor * transposed[i * width + o];
      }
    }
    for (int64_t t = tile * kBlock; t < (tile + 1) * kBlock; ++t) {
      for (int64_t head = 0; head < m.heads; ++head) {
        rotate(keys[static_cast<size_t>(t)].data() + head * m.head_dim(), m.head_dim(), t, base);
      }
    }
  });
  return keys;
}

/// Row `query` of XLM-RoBERTa's layer `index` with rotary positions.
Row rotary_layer(const Measured& m, int64_t index, int64_t query, const std::vector<Row>& keys, double base) {
  const Tensor& x = m.before(index);
  const std::string layer = "encoder.layers." + std::to_string(index) + ".";
  const int64_t dim = m.head_dim();
  const Row attended = attend(m, x, layer + "mixer.Wqkv", 2 * m.hidden, [&](int64_t head) {
    Row q = linear(m, layer + "mixer.Wqkv", to_row(x, query), head * dim, (head + 1) * dim);
    rotate(q.data(), dim, query, base);
    Row scores;
    for (const Row& key : keys) {
      double score = 0;
      for (int64_t d = 0; d < dim; ++d) score += q[static_cast<size_t>(d)] * key[static_cast<size_t>(head * dim + d)];
      scores.push_back(score / std::sqrt(static_cast<double>(dim)));
    }
    return scores;
  });
  const Row h =
      norm_of_sum(m, layer + "norm1", linear(m, layer + "mixer.out_proj", attended, 0, m.hidden), to_row(x, query));
  Row wide = linear(m, layer + "mlp.fc1", h, 0, m.inner);
  for (double& value : wide) value = gelu(value);
  return norm_of_sum(m, layer + "norm2", linear(m, layer + "mlp.fc2", wide, 0, m.hidden), h);
}

/// Largest difference between the engine's layer and `reference(row)` over the sampled rows.
template <typename Reference>  // Row(int64_t query)
double worst_row(const Measured& m, int64_t index, Reference&& reference) {
  const Tensor& engine = m.before(index + 1);
  std::vector<double> worst(std::size(kSampled));
  m.threads.parallel_for(std::ssize(kSampled), [&](int64_t tile, int /*worker*/) {
    const int64_t query = kSampled[tile];
    const Row expected = reference(query);
    for (size_t i = 0; i < expected.size(); ++i) {
      const double difference = std::fabs(expected[i] - static_cast<double>(engine.row<float>(query)[i]));
      worst[static_cast<size_t>(tile)] = std::max(worst[static_cast<size_t>(tile)], difference);
      if (std::isnan(difference)) worst[static_cast<size_t>(tile)] = INFINITY;
    }
  });
  return *std::ranges::max_element(worst);
}

TEST(RealWidthSlow, AlibiLayersOf512At8192Tokens) {
  const Measured m(R"({"model_type": "bert", "position_embedding_type": "alibi", "feed_forward_type": "geglu",
    "layer_norm_eps": 1e-12, "type_vocab_size": 2, "max_position_embeddings": 8192, "vocab_size": 1000,
    "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8, "intermediate_size": 2048})");
  double most_careless = 0;
  for (int64_t layer = 0; layer < m.layers; ++layer) {
    const double exact = worst_row(m, layer, [&](int64_t row) { return alibi_layer(m, layer, row, INFINITY); });
    EXPECT_LE(exact, test::kLongHiddenTolerance) << "layer " << layer;
    RecordProperty("layer" + std::to_string(layer), std::to_string(exact));
    const double careless = worst_row(m, layer, [&](int64_t row) { return alibi_layer(m, layer, row, 45); });
    RecordProperty("careless" + std::to_string(layer), std::to_string(careless));
    most_careless = std::max(most_careless, careless);
  }
  // Control: leaving out keys by distance alone, as if no key were long, gives other states: those of the first three
  // layers differ by 0.3 and more. After them random weights have made all states alike, and nothing is lost.
  EXPECT_GT(most_careless, 10 * test::kLongHiddenTolerance);
}

TEST(RealWidthSlow, RotaryLayersOf1024At8192Tokens) {
  constexpr double kBase = 20000;
  const Measured m(R"({"model_type": "xlm-roberta", "position_embedding_type": "rotary", "rotary_emb_base": 20000.0,
    "layer_norm_eps": 1e-5, "type_vocab_size": 1, "max_position_embeddings": 8194, "vocab_size": 1000,
    "hidden_size": 1024, "num_hidden_layers": 2, "num_attention_heads": 16, "intermediate_size": 4096})");
  for (int64_t layer = 0; layer < m.layers; ++layer) {
    const std::string fused = "encoder.layers." + std::to_string(layer) + ".mixer.Wqkv";
    const std::vector<Row> keys = rotated_keys(m, m.before(layer), fused, kBase);
    const double exact = worst_row(m, layer, [&](int64_t row) { return rotary_layer(m, layer, row, keys, kBase); });
    EXPECT_LE(exact, test::kLongHiddenTolerance) << "layer " << layer;
    RecordProperty("layer" + std::to_string(layer), std::to_string(exact));
    // Control: another rotary base gives other states.
    const double other = worst_row(m, layer, [&](int64_t row) { return rotary_layer(m, layer, row, keys, 10000); });
    EXPECT_GT(other, 10 * test::kLongHiddenTolerance) << "layer " << layer;
  }
}

}  // namespace
}  // namespace jina
