#include "cli/output_rows.h"

#include "support/expect_error.h"

namespace jina::cli {
namespace {

Embedding two_vectors() {
  return {.values = {0.5F, -1, 2, 0.1F}, .vectors = 2, .dimensions = 2, .spans = {{0, 3}, {3, 7}}, .tokens = 9};
}

std::string write(const OutputSettings& settings, const Embedding& embedding, const std::string& id = "") {
  InputRow row;
  row.index = 4;
  row.id = id;
  std::string out;
  make_row_writer(settings)->append(out, row, embedding, true);
  return out;
}

TEST(RowWriter, LinesOfJson) {
  const Embedding one{.values = {0.1F, -1, 1e-7F}, .vectors = 1, .dimensions = 3, .tokens = 5};
  EXPECT_EQ(write({}, one), "{\"index\": 4, \"embedding\": [0.1,-1,1e-07], \"tokens\": 5}\n");
  EXPECT_EQ(write({}, one, "\"x\""), "{\"index\": 4, \"id\": \"x\", \"embedding\": [0.1,-1,1e-07], \"tokens\": 5}\n");
  EXPECT_EQ(write({.encoding = VectorEncoding::kUbinary}, one),
            "{\"index\": 4, \"embedding\": [160], \"tokens\": 5}\n");
}

TEST(RowWriter, SeveralVectorsOfARow) {
  EXPECT_EQ(write({.kind = VectorKind::kLateChunks}, two_vectors()),
            "{\"index\": 4, \"embeddings\": [[0.5,-1], [2,0.1]], \"spans\": [[0, 3], [3, 7]], \"tokens\": 9}\n");
  EXPECT_EQ(write({.kind = VectorKind::kTokens}, two_vectors()),
            "{\"index\": 4, \"embeddings\": [[0.5,-1], [2,0.1]], \"tokens\": 9}\n");
}

TEST(RowWriter, NumPyHeadersAreOfOneLength) {
  for (const auto encoding : {VectorEncoding::kFloat, VectorEncoding::kInt8, VectorEncoding::kBinary}) {
    const auto writer = make_row_writer(
        {.format = OutputFormat::kNpy, .encoding = encoding, .kind = VectorKind::kPooled, .dimensions = 9});
    EXPECT_EQ(writer->header().size(), 128u);
    EXPECT_EQ(writer->final_header(999'999'999'999).size(), 128u);
  }
}

TEST(RowWriter, FormatsThatHoldOneVectorPerText) {
  for (const auto format : {OutputFormat::kNpy, OutputFormat::kCsv}) {
    test::expect_error(ErrorKind::kInvalidArgument, "one vector per text",
                       [&] { make_row_writer({.format = format, .kind = VectorKind::kTokens}); });
  }
  test::expect_error(ErrorKind::kInvalidArgument, "expected jsonl, json, npy, csv or table",
                     [] { parse_output_format("xml"); });
}

}  // namespace
}  // namespace jina::cli
