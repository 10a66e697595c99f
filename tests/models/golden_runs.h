#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "models/encoder.h"
#include "nn/pooling.h"
#include "support/golden.h"
#include "support/tolerance.h"
#include "weights/safetensors.h"

// Runs of tiny checkpoints on some backend, against the reference's values.

namespace jina::test {

/// A checkpoint on a backend.
struct Loaded {
  Loaded(const std::string& directory, std::unique_ptr<Backend> on)
      : files(ModelDirectory::open(directory)),
        backend(std::move(on)),
        model(build_model({files, open_safetensors(directory), *backend})) {}
  ModelDirectory files;
  std::unique_ptr<Backend> backend;
  Model model;

  Tensor forward(const std::vector<std::vector<int32_t>>& rows, const std::vector<int32_t>& adapters) const {
    TokenBatch batch;
    for (const auto& row : rows) {
      batch.layout.append(static_cast<int64_t>(row.size()));
      batch.ids.insert(batch.ids.end(), row.begin(), row.end());
    }
    batch.adapters.by_row = adapters;
    return model.encoder->forward(batch, nullptr);
  }
};

/// Rows of `hidden` at the positions that the fixture kept.
inline std::vector<float> kept_rows(const Tensor& hidden, const Json& token) {
  std::vector<float> kept;
  const auto positions = token.find("hidden_positions");
  const auto add = [&](int64_t row) {
    kept.insert(kept.end(), hidden.row<float>(row), hidden.row<float>(row) + hidden.width());
  };
  if (!positions || positions->is_string()) {
    for (int64_t row = 0; row < hidden.rows(); ++row) add(row);
  } else {
    for (const int32_t row : int_list(*positions)) add(row);
  }
  return kept;
}

/// Compares hidden states, pooled and unit vectors of one run, all texts of it in one packed batch.
inline void expect_run(const Golden& golden, const Loaded& loaded, const std::vector<Json>& tokens,
                       const std::string& prefix, int32_t adapter) {
  std::vector<std::vector<int32_t>> rows;
  for (const Json& token : tokens) rows.push_back(int_list(token.at("ids")));
  const Tensor hidden = loaded.forward(rows, std::vector<int32_t>(rows.size(), adapter));
  std::vector<TokenSpan> spans;
  int64_t begin = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto length = static_cast<int64_t>(rows[i].size());
    const std::string name = prefix + "hidden." + std::to_string(i);
    if (golden.has(name)) {
      const auto kept = kept_rows(hidden.rows(begin, begin + length), tokens[i]);
      EXPECT_LE(max_difference(kept, golden.tensor(name).span<float>()),
                length > 600 ? kLongHiddenTolerance : kHiddenTolerance)
          << name;
    }
    const bool is_cls = loaded.model.card.pooling_kind == Pooling::kCls;
    spans.push_back({begin, is_cls ? begin + 1 : begin + length});
    begin += length;
  }
  const Tensor pooled = loaded.backend->mean_pool(hidden, spans);
  EXPECT_LE(max_difference(pooled.span<float>(), golden.tensor(prefix + "pooled").span<float>()), kHiddenTolerance)
      << prefix;
  const auto unit = truncate_and_normalize(pooled.span<float>(), pooled.width(), pooled.width(), true);
  EXPECT_LE(max_difference(unit, golden.tensor(prefix + "embedding").span<float>()), kEmbeddingTolerance) << prefix;
}

/// All texts of a golden of a model without tasks.
inline void expect_plain_golden(const char* name, std::unique_ptr<Backend> backend) {
  const Golden golden(name);
  const Loaded loaded(golden.model_directory(), std::move(backend));
  expect_run(golden, loaded, golden.expected().at("texts").as_array(), "", kNoAdapter);
}

/// A checkpoint and the golden whose values it must give.
struct TaskCase {
  const char* golden;
  const char* model;
};

/// All tasks of a golden, with and without instruction.
inline void expect_task_golden(const TaskCase& which, std::unique_ptr<Backend> backend) {
  const Golden golden(which.golden);
  const Loaded loaded(std::string(JINA_SOURCE_DIR) + "/tests/golden/models/" + which.model + "/model",
                      std::move(backend));
  const auto runs = golden.expected().at("runs").as_array();
  const auto plain_tokens = runs.front().at("tokens").as_array();  // runs without instruction share the token ids
  for (const Json& run : runs) {
    const auto adapter = run.find("adapter_id");
    const bool is_plain = run.at("instruction").as_string().empty();
    expect_run(golden, loaded, is_plain ? plain_tokens : run.at("tokens").as_array(),
               std::string(run.at("key").as_string()) + ".",
               adapter ? static_cast<int32_t>(adapter->as_int()) : kNoAdapter);
  }
}

inline constexpr const char* kPlainGoldens[] = {"bert-tiny-mean", "bert-tiny-cls", "v2-small-8h", "v2-base-12h",
                                                "v2-code-6h"};
// v3-tiny-native is v3-tiny in the native transformers layout, its adapters as PEFT folders
// (tools/reference/native_v3.py).
inline constexpr TaskCase kTaskGoldens[] = {
    {"v3-tiny", "v3-tiny"}, {"v3-tiny-bf16", "v3-tiny-bf16"}, {"v3-tiny", "v3-tiny-native"}};

}  // namespace jina::test
