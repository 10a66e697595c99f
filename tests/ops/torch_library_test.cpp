#include "ops/torch_library.h"

#include <filesystem>

#include "support/expect_error.h"
#include "support/temporary_directory.h"

namespace jina {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "libjina_torch.so";

class TorchLibraryTest : public testing::Test {
 protected:
  void install(const std::string& folder) const {
    fs::create_directories(files_.path(folder));
    fs::copy_file(JINA_FAKE_TORCH, files_.path(folder) + "/" + kName);
  }
  std::string program_folder() const { return files_.path("bin"); }

  test::TemporaryDirectory files_;
};

TEST_F(TorchLibraryTest, BesideTheProgramAndInLib) {
  install("bin");
  EXPECT_EQ(TorchLibrary::load(program_folder()).path(), program_folder() + "/" + kName);
  install("lib");
  EXPECT_EQ(TorchLibrary::load(program_folder()).path(), files_.path("lib") + "/" + kName) << "comes first";
}

TEST_F(TorchLibraryTest, NotThere) {
  test::expect_error(ErrorKind::kUnsupported, "not found in " + files_.path("lib") + " nor in " + program_folder(),
                     [&] { TorchLibrary::load(program_folder()); });
  test::expect_error(ErrorKind::kUnsupported, "run tools/fetch_torch.sh, then build with -DJINA_TORCH=ON",
                     [&] { TorchLibrary::load(program_folder()); });
}

TEST_F(TorchLibraryTest, NotALibrary) {
  files_.write(std::string("lib/") + kName, "words");
  test::expect_error(ErrorKind::kUnsupported, files_.path("lib") + "/" + kName + ": cannot be loaded: ", [&] {
    TorchLibrary::load(program_folder());
  });
}

TEST_F(TorchLibraryTest, Functions) {
  install("lib");
  const TorchLibrary library = TorchLibrary::load(program_folder());
  EXPECT_NE(library.find<void (*)()>("jina_train"), nullptr);
  test::expect_error(ErrorKind::kUnsupported, "has no 'jina_make_torch_backend': expected the library built with",
                     [&] { library.make_backend({}); });
}

TEST_F(TorchLibraryTest, ProgramFolder) { EXPECT_TRUE(fs::exists(TorchLibrary::program_folder() + "/ops_tests")); }

}  // namespace
}  // namespace jina
