#include "weights/safetensors.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <numeric>

#include "base/file.h"
#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

using test::expect_error;
using test::TemporaryDirectory;

Tensor counted(Shape shape, float first = 0) {
  Tensor tensor = make_tensor(DType::kF32, shape);
  std::iota(tensor.span<float>().begin(), tensor.span<float>().end(), first);
  return tensor;
}

std::vector<float> values(const Tensor& tensor) {
  const auto span = tensor.span<float>();
  return {span.begin(), span.end()};
}

/// A file with this header, its length in front, and `data_bytes` of data.
void write_raw(const TemporaryDirectory& directory, const std::string& name, const std::string& header,
               const std::string& data) {
  std::string length(8, '\0');
  for (size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i));
  directory.write(name, length + header + data);
}

TEST(Safetensors, WhatIsWrittenIsRead) {
  const TemporaryDirectory directory;
  Tensor half = make_tensor(DType::kBF16, {3});
  half.data<BFloat16>()[1] = to_bfloat16(2.5F);
  write_safetensors(
      directory.path("model.safetensors"),
      {{"w", counted({2, 3})}, {"h", half}, {"columns", counted({3, 4}).columns(1, 3)}, {"e", counted({0, 4})}},
      {{"format", "pt"}, {"quote\"", "\n"}});
  const auto source = open_safetensors(directory.path());
  EXPECT_EQ(source->names(), (std::vector<std::string>{"columns", "e", "h", "w"}));
  EXPECT_EQ(source->where(), directory.path("model.safetensors"));
  const Tensor w = source->find("w", {}).value();
  EXPECT_EQ(w.shape(), (Shape{2, 3}));
  EXPECT_EQ(values(w), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values(source->find("columns", {}).value()), (std::vector<float>{1, 2, 5, 6, 9, 10}));
  EXPECT_EQ(source->find("h", {})->dtype(), DType::kBF16);
  EXPECT_EQ(to_float(source->find("h", {})->data<BFloat16>()[1]), 2.5F);
  EXPECT_EQ(source->find("e", {})->shape(), (Shape{0, 4}));
  EXPECT_FALSE(source->find("absent", {}).has_value());
  EXPECT_FALSE(std::filesystem::exists(directory.path("model.safetensors.part")));
}

TEST(Safetensors, TheHeaderIsPaddedToEightBytes) {
  const TemporaryDirectory directory;
  for (const std::string name : {"a", "ab", "abc", "abcdefgh"}) {
    write_safetensors(directory.path("m"), {{name, counted({1})}});
    EXPECT_EQ(static_cast<unsigned char>(read_file(directory.path("m"))[0]) % 8, 0);
  }
}

TEST(Safetensors, TensorsOutliveTheSource) {
  const TemporaryDirectory directory;
  write_safetensors(directory.path("m"), {{"w", counted({4})}});
  const Tensor w = open_safetensors_file(directory.path("m"))->find("w", {}).value();
  EXPECT_EQ(values(w), (std::vector<float>{0, 1, 2, 3}));
}

TEST(Safetensors, ReleasedPagesAreReadAgain) {
  const TemporaryDirectory directory;
  constexpr int64_t kRows = 4096;  // 64 KiB: whole pages
  write_safetensors(directory.path("m"), {{"w", counted({kRows, 4})}});
  const auto source = open_safetensors_file(directory.path("m"));
  const Tensor w = source->find("w", {}).value();
  const std::vector<float> before = values(w);
  source->release(w);
  source->release(w.columns(1, 2));
  source->release(counted({kRows, 4}));  // not of this file: left alone
  EXPECT_EQ(values(w), before);
}

TEST(Safetensors, MisalignedTensorsAreCopiedIntoPlace) {
  const TemporaryDirectory directory;
  // 8 + 60 + 1: the floats begin at an odd offset.
  const float numbers[] = {1.5F, -2.0F};
  std::string data = "x";
  data.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  write_raw(
      directory, "m",
      R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})",
      data);
  const auto source = open_safetensors_file(directory.path("m"));
  const Tensor f = source->find("f", {}).value();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(f.raw()) % alignof(float), 0u);
  EXPECT_EQ(values(f), (std::vector<float>{1.5F, -2.0F}));
  source->release(f);
  EXPECT_EQ(values(f), (std::vector<float>{1.5F, -2.0F}));
}

TEST(Safetensors, WhatTensorsCannotBeIsAnErrorOnlyWhenAskedFor) {
  const TemporaryDirectory directory;
  write_raw(
      directory, "m",
      R"({"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
      R"("r":{"dtype":"U8","shape":[1,1,1,1,1],"data_offsets":[8,9]},"ok":{"dtype":"U8","shape":[1],"data_offsets":[9,10]}})",
      std::string(10, 'x'));
  const auto source = open_safetensors_file(directory.path("m"));
  EXPECT_TRUE(source->find("ok", {}).has_value());
  expect_error(ErrorKind::kModelFile, "tensor 'd': dtype F64 is not supported", [&] { source->find("d", {}); });
  expect_error(ErrorKind::kModelFile, "tensor 'r': shape [1, 1, 1, 1, 1] has 5 dimensions, expected at most 4",
               [&] { source->find("r", {}); });
}

TEST(Safetensors, AbsentWeightsAreNamed) {
  const TemporaryDirectory directory;
  expect_error(ErrorKind::kNotFound, "expected model.safetensors or", [&] { open_safetensors(directory.path()); });
  directory.write("pytorch_model.bin", "x");
  expect_error(ErrorKind::kNotFound, "pickle", [&] { open_safetensors(directory.path()); });
  expect_error(ErrorKind::kNotFound, "m: cannot open", [&] { open_safetensors_file(directory.path("m")); });
  directory.write("model.safetensors", "");
  expect_error(ErrorKind::kModelFile, "found 0 bytes", [&] { open_safetensors(directory.path()); });
}

TEST(Safetensors, AFailedWriteLeavesNothing) {
  const TemporaryDirectory directory;
  expect_error(ErrorKind::kNotFound, "cannot create", [&] {
    write_safetensors(directory.path("no/such/m"), {{"w", counted({1})}});
  });
  // A file-size limit stands in for a full disk.
  struct rlimit old {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small { 1000, old.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(ErrorKind::kIo, "cannot write", [&] {
    write_safetensors(directory.path("m"), {{"w", counted({1000})}});
  });
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

class Shards : public testing::Test {
 protected:
  void SetUp() override {
    write_safetensors(directory_.path("s1.safetensors"), {{"a", counted({2})}});
    write_safetensors(directory_.path("s2.safetensors"), {{"b", counted({3}, 10)}, {"extra", counted({1})}});
  }
  void index(const std::string& weight_map) {
    directory_.write("model.safetensors.index.json",
                     R"({"metadata":{"total_size":20},"weight_map":)" + weight_map + "}");
  }
  void expect_rejected(const std::string& weight_map, std::string_view part, ErrorKind kind = ErrorKind::kModelFile) {
    index(weight_map);
    expect_error(kind, part, [&] { open_safetensors(directory_.path()); });
  }

  TemporaryDirectory directory_;
};

TEST_F(Shards, AreOneSource) {
  index(R"({"a":"s1.safetensors","b":"s2.safetensors"})");
  const auto source = open_safetensors(directory_.path());
  EXPECT_EQ(source->names(), (std::vector<std::string>{"a", "b", "extra"}));
  EXPECT_EQ(source->where(), directory_.path("model.safetensors.index.json"));
  const Tensor b = source->find("b", {}).value();
  EXPECT_EQ(values(b), (std::vector<float>{10, 11, 12}));
  source->release(b);
  EXPECT_FALSE(source->find("c", {}).has_value());
  EXPECT_EQ(weight_files(directory_.path()),
            (std::vector<std::string>{"model.safetensors.index.json", "s1.safetensors", "s2.safetensors"}));
}

TEST_F(Shards, TheSingleFileComesFirst) {
  index(R"({"a":"s1.safetensors"})");
  write_safetensors(directory_.path("model.safetensors"), {{"single", counted({1})}});
  EXPECT_EQ(open_safetensors(directory_.path())->names(), (std::vector<std::string>{"single"}));
  EXPECT_EQ(weight_files(directory_.path()), (std::vector<std::string>{"model.safetensors"}));
}

TEST_F(Shards, WrongIndexesAreNamed) {
  expect_rejected(R"({"a":"s3.safetensors"})", "shard 's3.safetensors' is listed but not in the directory",
                  ErrorKind::kNotFound);
  expect_rejected(R"({"c":"s1.safetensors"})",
                  "tensor 'c' is listed in shard 's1.safetensors', which does not have it");
  expect_rejected(R"({"a":"s2.safetensors","b":"s1.safetensors"})",
                  "tensor 'a' is listed in shard 's2.safetensors', but");
  expect_rejected(R"({"a":7})", "'a': expected a string");
  expect_rejected(R"(["a"])", "'weight_map': expected an object");
  directory_.write("model.safetensors.index.json", "{}");
  expect_error(ErrorKind::kModelFile, "field 'weight_map' is missing", [&] { open_safetensors(directory_.path()); });
}

TEST_F(Shards, NamesThatLeaveTheDirectoryAreRefused) {
  directory_.write("below/s.safetensors", "x");
  for (const char* name :
       {"../s1.safetensors", "/etc/passwd", "below/s.safetensors", "..", ".", "", "a\\\\b", "s1\\u0000"}) {
    expect_rejected(fmt::format(R"({{"a":"{}"}})", name), "expected the plain name of a file");
    expect_error(ErrorKind::kModelFile, "expected the plain name", [&] { weight_files(directory_.path()); });
  }
}

TEST_F(Shards, ATensorInTwoShardsIsRefused) {
  write_safetensors(directory_.path("s2.safetensors"), {{"a", counted({2})}, {"b", counted({3})}});
  expect_rejected(R"({"a":"s1.safetensors","b":"s2.safetensors"})", "tensor 'a' is in two shards");
}

}  // namespace
}  // namespace jina
