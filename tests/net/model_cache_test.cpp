#include "net/model_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "net/directory_lock.h"
#include "net/manifest.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kCommitA(40, 'a');
const std::string kCommitB(40, 'b');

class ModelCache : public testing::Test {
 protected:
  ModelStores stores() const { return {.models_dir = root_.path("models"), .hub_cache_dir = root_.path("hub")}; }
  std::string locate(const std::string& name) const { return locate_model(name, stores()); }
  template <typename Call>
  Error error_of(Call call) const {
    try {
      call();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "expected an Error";
    return Error(ErrorKind::kInternal, "none");
  }
  Error not_located(const std::string& name) const {
    return error_of([&] { locate(name); });
  }

  void add_files(const std::string& below) const {
    root_.write(below + "/config.json", "{}");
    root_.write(below + "/tokenizer.json", "{}");
    root_.write(below + "/model.safetensors", "12345678");
  }
  std::string add_pulled(const std::string& text, const std::string& commit = kCommitA) const {
    const ModelName name = *ModelName::parse(text);
    const std::string below = "models/" + name.directory();
    add_files(below);
    write_manifest(root_.path(below), {name, commit, {{"config.json", 2, ""}, {"model.safetensors", 8, ""}}});
    return root_.path(below);
  }
  /// As huggingface_hub lays it out: content in blobs, links in the snapshot.
  std::string add_hub_snapshot(const std::string& folder, const std::string& commit,
                               const std::string& reference) const {
    const std::string repository = "hub/models--" + folder;
    const std::string snapshot = repository + "/snapshots/" + commit;
    fs::create_directories(root_.path(snapshot));
    for (const std::string name : {"config.json", "tokenizer.json", "model.safetensors"}) {
      root_.write(repository + "/blobs/" + name + "-digest", "content");
      fs::create_symlink("../../blobs/" + name + "-digest", root_.path(snapshot + "/" + name));
    }
    if (!reference.empty()) root_.write(repository + "/refs/" + reference, commit);
    return root_.path(snapshot);
  }

  test::TemporaryDirectory root_;
};

TEST_F(ModelCache, ADirectoryIsItself) {
  fs::create_directories(root_.path("some/model"));
  EXPECT_EQ(locate(root_.path("some/model")), root_.path("some/model"));
  root_.write("some/file", "x");
  EXPECT_EQ(not_located(root_.path("some/file")).kind(), ErrorKind::kInvalidArgument);
  for (const std::string& name : {root_.path("absent"), std::string("./absent"), std::string("../absent")}) {
    const Error error = not_located(name);
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("no such directory"));
  }
  EXPECT_EQ(not_located("").kind(), ErrorKind::kInvalidArgument);
}

TEST_F(ModelCache, PulledNamesAndRevisions) {
  const std::string main = add_pulled("acme/tiny");
  const std::string tagged = add_pulled("acme/tiny@v2", kCommitB);
  EXPECT_EQ(locate("acme/tiny"), main);
  EXPECT_EQ(locate("acme/tiny@main"), main);
  EXPECT_EQ(locate("acme/tiny@" + kCommitA), main);
  EXPECT_EQ(locate("acme/tiny@v2"), tagged);
  EXPECT_EQ(locate("acme/tiny@bbbbbbb"), tagged);
  EXPECT_EQ(locate("tiny@v2"), tagged);
  EXPECT_EQ(not_located("acme/tiny@bbbbbb").kind(), ErrorKind::kNotFound) << "six digits are too few";
  EXPECT_EQ(not_located("acme/tiny@v3").kind(), ErrorKind::kNotFound);
  EXPECT_EQ(not_located("other/tiny").kind(), ErrorKind::kNotFound);
}

TEST_F(ModelCache, ARevisionAloneIsNotTakenForMain) {
  add_pulled("acme/tiny@v2");
  const Error error = not_located("acme/tiny");
  EXPECT_THAT(error.what(), HasSubstr("`jina pull acme/tiny` fetches it; on this machine are: acme/tiny@v2"));
}

TEST_F(ModelCache, TheHubCacheIsUsedAsItLies) {
  const std::string main = add_hub_snapshot("acme--tiny", kCommitA, "main");
  const std::string other = add_hub_snapshot("acme--tiny", kCommitB, "refs/pr/1");
  const std::string loose = add_hub_snapshot("acme--tiny", std::string(40, 'c'), "");
  const std::string old = add_hub_snapshot("bert-base", kCommitA, "main");
  EXPECT_EQ(locate("acme/tiny"), main);
  EXPECT_EQ(locate("acme/tiny@refs/pr/1"), other) << "a name like a path, but with a revision";
  EXPECT_EQ(locate("acme/tiny@" + std::string(40, 'c')), loose);
  EXPECT_EQ(locate("tiny"), main);
  EXPECT_EQ(locate("bert-base"), old);
  const std::string ours = add_pulled("acme/tiny");
  EXPECT_EQ(locate("acme/tiny"), ours) << "ours come first";
  EXPECT_EQ(locate("tiny"), ours);
}

TEST_F(ModelCache, AnIncompleteSnapshotOfTheHubCacheIsNoModel) {
  const std::string snapshot = add_hub_snapshot("acme--tiny", kCommitA, "main");
  fs::remove(root_.path("hub/models--acme--tiny/blobs/model.safetensors-digest"));  // a link without its target
  EXPECT_EQ(not_located("acme/tiny").kind(), ErrorKind::kNotFound);
}

TEST_F(ModelCache, BareNamesMustBeClear) {
  const std::string one = add_pulled("acme/tiny");
  EXPECT_EQ(locate("tiny"), one);
  add_pulled("other/tiny");
  const Error error = not_located("tiny");
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("acme/tiny, other/tiny"));
  add_files("models/tiny");
  EXPECT_EQ(locate("tiny"), root_.path("models/tiny")) << "the exact name is clear";
  EXPECT_EQ(locate("acme/tiny"), one);
}

TEST_F(ModelCache, AnAbsentModelSaysHowToGetIt) {
  const Error full = not_located("acme/tiny");
  EXPECT_EQ(full.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(full.what(), HasSubstr("`jina pull acme/tiny` fetches it"));
  EXPECT_THAT(not_located("all-tiny").what(), HasSubstr("./run.sh the default model"));
}

TEST_F(ModelCache, AModelInPartSaysWhatIsMissing) {
  const std::string directory = add_pulled("acme/tiny");
  fs::remove(directory + "/model.safetensors");
  const Error error = not_located("acme/tiny");
  EXPECT_EQ(error.kind(), ErrorKind::kModelFile);
  EXPECT_THAT(error.what(), HasSubstr("model.safetensors"));
  EXPECT_THAT(error.what(), HasSubstr("`jina pull acme/tiny` completes it"));
  fs::remove(directory + "/jina-manifest.json");
  EXPECT_THAT(not_located("tiny").what(), HasSubstr("its manifest is missing"));
  root_.write("models/acme--tiny/jina-manifest.json", "{");
  EXPECT_THAT(not_located("acme/tiny").what(), HasSubstr("not valid JSON"));
  const std::string snapshot = add_hub_snapshot("acme--tiny", kCommitB, "main");
  EXPECT_EQ(locate("acme/tiny"), snapshot) << "a whole one elsewhere is used";
}

TEST_F(ModelCache, ListsAllWithSizeAndState) {
  EXPECT_TRUE(list_models(stores()).empty());
  add_pulled("acme/tiny");
  add_pulled("acme/tiny@v2", kCommitB);
  root_.write("models/acme--cut/.incoming/model.safetensors.part", "123");
  add_files("models/placed");
  root_.write("models/.locks/acme--tiny.lock", "");
  add_hub_snapshot("acme--tiny", kCommitB, "main");
  add_hub_snapshot("zoo--bear", kCommitB, "main");
  root_.write("hub/datasets--x--y/refs/main", kCommitA);
  std::vector<std::string> rows;
  for (const StoredModel& model : list_models(stores())) {
    rows.push_back(fmt::format("{} {} {} {} {}", model.text(), model.commit.substr(0, 1),
                               static_cast<int>(model.origin), model.is_complete, model.bytes > 0));
  }
  EXPECT_THAT(rows, ElementsAre("acme/cut  0 false true", "acme/tiny a 0 true true", "acme/tiny b 2 true true",
                                "acme/tiny@v2 b 0 true true", "placed  1 true true", "zoo/bear b 2 true true"));
}

TEST_F(ModelCache, RemovesOneModelAndTellsTheBytes) {
  const std::string main = add_pulled("acme/tiny");
  const std::string tagged = add_pulled("acme/tiny@v2");
  const uintmax_t manifest = fs::file_size(main + "/jina-manifest.json");
  const RemovedModel removed = remove_model("acme/tiny", stores());
  EXPECT_EQ(removed.text, "acme/tiny");
  EXPECT_EQ(removed.directory, main);
  EXPECT_EQ(removed.bytes, static_cast<int64_t>(2 + 2 + 8 + manifest));
  EXPECT_FALSE(fs::exists(main));
  EXPECT_TRUE(fs::exists(tagged));
  const Error again = error_of([&] { remove_model("acme/tiny", stores()); });
  EXPECT_EQ(again.kind(), ErrorKind::kNotFound);
  EXPECT_THAT(again.what(), HasSubstr("there are: acme/tiny@v2"));
}

TEST_F(ModelCache, RemovesIncompleteAndPlacedOnes) {
  root_.write("models/acme--cut/.incoming/model.safetensors.part", "123");
  EXPECT_EQ(remove_model("cut", stores()).bytes, 3);
  add_files("elsewhere");
  fs::create_directories(root_.path("models"));
  fs::create_directory_symlink(root_.path("elsewhere"), root_.path("models/linked"));
  EXPECT_EQ(remove_model("linked", stores()).bytes, 0);
  EXPECT_TRUE(fs::exists(root_.path("elsewhere/model.safetensors"))) << "only the link was ours";
}

TEST_F(ModelCache, RemovesNothingElse) {
  const std::string snapshot = add_hub_snapshot("acme--tiny", kCommitA, "main");
  const Error error = error_of([&] { remove_model("acme/tiny", stores()); });
  EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("lies in the hub cache"));
  EXPECT_TRUE(fs::exists(snapshot));
  add_pulled("acme/a");
  for (const char* name : {"..", ".", "", "../hub", "/", ".locks", "acme--a"}) {
    EXPECT_EQ(error_of([&] { remove_model(name, stores()); }).kind(), ErrorKind::kNotFound) << name;
  }
  EXPECT_TRUE(fs::exists(root_.path("models/acme--a")));
}

TEST_F(ModelCache, AModelInWorkIsNotRemoved) {
  const std::string directory = add_pulled("acme/tiny");
  const DirectoryLock lock(stores().models_dir, "acme--tiny");
  EXPECT_EQ(error_of([&] { remove_model("acme/tiny", stores()); }).kind(), ErrorKind::kIo);
  EXPECT_TRUE(fs::exists(directory));
}

}  // namespace
}  // namespace jina
