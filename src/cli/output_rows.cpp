#include "cli/output_rows.h"

#include <cmath>

#include "base/json.h"

namespace jina::cli {

namespace {

std::span<const float> vector_of(const Embedding& embedding, int64_t index) {
  const auto width = static_cast<size_t>(embedding.dimensions);
  return std::span(embedding.values).subspan(static_cast<size_t>(index) * width, width);
}

class JsonlWriter : public RowWriter {
 public:
  explicit JsonlWriter(const OutputSettings& settings) : settings_(settings) {}

  void append(std::string& out, const InputRow& row, const Embedding& embedding, bool /*is_first*/) const override {
    append_object(out, row, embedding);
    out += '\n';
  }

 protected:
  void append_object(std::string& out, const InputRow& row, const Embedding& embedding) const {
    out += fmt::format("{{\"index\": {}, ", row.index);
    if (!row.id.empty()) out += fmt::format("\"id\": {}, ", row.id);
    if (settings_.kind == VectorKind::kPooled) {
      out += "\"embedding\": ";
      append_vector(out, embedding.values, settings_.encoding);
    } else {
      append_vectors(out, embedding);
    }
    out += fmt::format(", \"tokens\": {}}}", embedding.tokens);
  }

 private:
  void append_vectors(std::string& out, const Embedding& embedding) const {
    out += "\"embeddings\": [";
    for (int64_t i = 0; i < embedding.vectors; ++i) {
      if (i > 0) out += ", ";
      append_vector(out, vector_of(embedding, i), settings_.encoding);
    }
    out += ']';
    if (settings_.kind != VectorKind::kLateChunks) return;
    out += ", \"spans\": [";
    for (size_t i = 0; i < embedding.spans.size(); ++i) {
      out += fmt::format("{}[{}, {}]", i > 0 ? ", " : "", embedding.spans[i].begin, embedding.spans[i].end);
    }
    out += ']';
  }

  OutputSettings settings_;
};

/// One array of the same objects.
class JsonWriter final : public JsonlWriter {
 public:
  using JsonlWriter::JsonlWriter;
  std::string header() const override { return "["; }
  void append(std::string& out, const InputRow& row, const Embedding& embedding, bool is_first) const override {
    out += is_first ? "\n" : ",\n";
    append_object(out, row, embedding);
  }
  std::string footer() const override { return "\n]\n"; }
};

/// A NumPy file, version 1.0: (rows, dimensions) of float32, uint8 bits or int8.
class NpyWriter final : public RowWriter {
 public:
  explicit NpyWriter(const OutputSettings& settings) : settings_(settings) {}

  std::string header() const override { return final_header(0); }

  void append(std::string& out, const InputRow& /*row*/, const Embedding& embedding, bool /*is_first*/) const override {
    const auto append_bytes = [&](const void* data, size_t size) { out.append(static_cast<const char*>(data), size); };
    if (settings_.encoding == VectorEncoding::kFloat) {
      append_bytes(embedding.values.data(), embedding.values.size() * sizeof(float));
    } else if (settings_.encoding == VectorEncoding::kInt8) {
      const auto codes = quantize_int8(embedding.values);
      append_bytes(codes.data(), codes.size());
    } else {
      const uint8_t offset = settings_.encoding == VectorEncoding::kBinary ? 128 : 0;
      for (const uint8_t byte : pack_bits(embedding.values)) out.push_back(static_cast<char>(byte - offset));
    }
  }

  std::string final_header(int64_t rows) const override {
    constexpr size_t kHeaderBytes = 128;
    const bool is_bits =
        settings_.encoding == VectorEncoding::kBinary || settings_.encoding == VectorEncoding::kUbinary;
    std::string_view type = "|i1";
    if (settings_.encoding == VectorEncoding::kFloat) type = "<f4";
    if (settings_.encoding == VectorEncoding::kUbinary) type = "|u1";
    std::string text("\x93NUMPY\x01\x00", 8);
    text.push_back(static_cast<char>(kHeaderBytes - 10));
    text.push_back('\0');
    text += fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}", type, rows,
                        is_bits ? (settings_.dimensions + 7) / 8 : settings_.dimensions);
    text.resize(kHeaderBytes - 1, ' ');
    text.push_back('\n');
    return text;
  }

 private:
  OutputSettings settings_;
};

class CsvWriter final : public RowWriter {
 public:
  explicit CsvWriter(const OutputSettings& settings) : settings_(settings) {}

  std::string header() const override {
    std::string line = "index,id,tokens";
    for (int64_t i = 0; i < columns(); ++i) line += fmt::format(",{}", i);
    return line + "\n";
  }

  void append(std::string& out, const InputRow& row, const Embedding& embedding, bool /*is_first*/) const override {
    out += fmt::format("{},{},{}", row.index, quoted(row.id), embedding.tokens);
    std::string numbers;
    append_vector(numbers, embedding.values, settings_.encoding);
    out += ',';
    out.append(numbers, 1, numbers.size() - 2);  // without the brackets
    out += '\n';
  }

 private:
  int64_t columns() const {
    const bool is_bits =
        settings_.encoding == VectorEncoding::kBinary || settings_.encoding == VectorEncoding::kUbinary;
    return is_bits ? (settings_.dimensions + 7) / 8 : settings_.dimensions;
  }

  /// The id as a quoted field: a JSON string loses its own quotes, other values stay as JSON.
  static std::string quoted(const std::string& id) {
    if (id.empty()) return {};
    const auto document = JsonDocument::parse(id, "id", ErrorKind::kInternal);
    const std::string text = document.root().is_string() ? std::string(document.root().as_string()) : id;
    std::string field = "\"";
    for (const char c : text) field += c == '"' ? "\"\"" : std::string(1, c);
    return field + "\"";
  }

  OutputSettings settings_;
};

/// For people: one line per vector.
class TableWriter final : public RowWriter {
 public:
  std::string header() const override { return "row    dim  tokens    norm  first numbers\n"; }

  void append(std::string& out, const InputRow& row, const Embedding& embedding, bool /*is_first*/) const override {
    for (int64_t i = 0; i < embedding.vectors; ++i) {
      const auto vector = vector_of(embedding, i);
      double squares = 0;
      for (const float value : vector) squares += static_cast<double>(value) * value;
      const std::string name = embedding.vectors > 1 ? fmt::format("{}.{}", row.index, i) : std::to_string(row.index);
      out +=
          fmt::format("{:<6} {:>3} {:>7} {:>7.3f} ", name, embedding.dimensions, embedding.tokens, std::sqrt(squares));
      for (const float value : vector.first(std::min<size_t>(6, vector.size()))) out += fmt::format(" {:>8.4f}", value);
      out += vector.size() > 6 ? " ...\n" : "\n";
    }
  }
};

void require_single_vectors(const OutputSettings& settings, std::string_view name) {
  if (settings.kind != VectorKind::kPooled) {
    fail(ErrorKind::kInvalidArgument, "--format",
         "{} holds one vector per text; for several per text use jsonl or json", name);
  }
  if (settings.encoding == VectorEncoding::kBase64) {
    fail(ErrorKind::kInvalidArgument, "--encoding", "{} holds numbers; base64 goes with jsonl or json", name);
  }
}

}  // namespace

OutputFormat parse_output_format(std::string_view name) {
  if (name == "jsonl") return OutputFormat::kJsonl;
  if (name == "json") return OutputFormat::kJson;
  if (name == "npy") return OutputFormat::kNpy;
  if (name == "csv") return OutputFormat::kCsv;
  if (name == "table") return OutputFormat::kTable;
  fail(ErrorKind::kInvalidArgument, "--format", "unknown format '{}'; expected jsonl, json, npy, csv or table", name);
}

std::unique_ptr<RowWriter> make_row_writer(const OutputSettings& settings) {
  switch (settings.format) {
    case OutputFormat::kJsonl: return std::make_unique<JsonlWriter>(settings);
    case OutputFormat::kJson: return std::make_unique<JsonWriter>(settings);
    case OutputFormat::kNpy: require_single_vectors(settings, "npy"); return std::make_unique<NpyWriter>(settings);
    case OutputFormat::kCsv: require_single_vectors(settings, "csv"); return std::make_unique<CsvWriter>(settings);
    case OutputFormat::kTable: return std::make_unique<TableWriter>();
  }
  return nullptr;
}

}  // namespace jina::cli
